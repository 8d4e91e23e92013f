"""The adversarial game: losses, their gradients, the best critic and what it measures; the discriminator's shapes."""
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from context_inpaint.core import generator
from context_inpaint.gan import discriminator, discriminator_loss, generator_loss, js_divergence, optimal_discriminator

LINE = torch.linspace(-30, 30, 60_001, dtype=torch.double)


def gaussian(mean, deviation=1.): return (-((LINE - mean)/deviation)**2/2).exp()/(deviation*math.sqrt(2*math.pi))


def slope(loss, logit):
    t = torch.tensor([logit], dtype=torch.double, requires_grad=True)
    return torch.autograd.grad(loss(t), t)[0].item()


def convolutions(net): return [layer.out_channels for layer in net if isinstance(layer, nn.Conv2d)]


def test_losses_are_binary_cross_entropies():
    real, fake = torch.randn(2, 50, dtype=torch.double, generator=generator(0))*4
    bce, ones, zeros = F.binary_cross_entropy_with_logits, torch.ones(50).double(), torch.zeros(50).double()
    torch.testing.assert_close(discriminator_loss(real, fake), bce(real, ones) + bce(fake, zeros))
    torch.testing.assert_close(generator_loss(fake), bce(fake, ones))
    torch.testing.assert_close(generator_loss(fake, saturating=True), -bce(fake, zeros))


def test_a_critic_that_knows_nothing_loses_log_four():
    nothing = torch.zeros(7)
    assert discriminator_loss(nothing, nothing).item() == pytest.approx(math.log(4))
    assert generator_loss(nothing).item() == pytest.approx(math.log(2)) == -generator_loss(nothing, True).item()


def test_the_generator_plays_the_loss_that_does_not_saturate_unless_told():
    fake = torch.randn(9, generator=generator(5))
    assert generator_loss(fake) == generator_loss(fake, saturating=False) != generator_loss(fake, saturating=True)


def test_real_and_fake_batches_may_differ_in_size():
    assert discriminator_loss(torch.zeros(3), torch.zeros(8)).item() == pytest.approx(math.log(4))


@pytest.mark.parametrize("logit", [-1e4, -200., -90., 0., 90., 200., 1e4])
@pytest.mark.parametrize("saturating", [False, True])
def test_values_and_gradients_stay_finite(logit, saturating):
    t = torch.tensor([logit], requires_grad=True)
    for loss in (generator_loss(t, saturating), discriminator_loss(t, t)):
        gradient, = torch.autograd.grad(loss, t)
        assert loss.isfinite() and gradient.isfinite().all()


@pytest.mark.parametrize("logit", [-12., -3., 0., 3., 12.])
def test_gradients_by_the_logit(logit):
    d = 1/(1 + math.exp(-logit))
    assert slope(lambda t: generator_loss(t, True), logit) == pytest.approx(-d, rel=1e-9)
    assert slope(generator_loss, logit) == pytest.approx(-1/(1 + math.exp(logit)), rel=1e-9)
    of_real = slope(lambda t: discriminator_loss(t, torch.zeros(1)), logit)
    assert of_real == pytest.approx(-1/(1 + math.exp(logit)), rel=1e-9)


def test_only_the_saturating_gradient_vanishes_where_the_critic_is_sure():
    assert slope(generator_loss, -20.) == pytest.approx(-1, abs=1e-8)
    assert -1e-8 < slope(lambda t: generator_loss(t, True), -20.) < 0


def test_best_critic_earns_most_at_every_point():
    p, q = torch.rand(2, 300, dtype=torch.double, generator=generator(1))
    def earned(d): return p*d.log() + q*(1 - d).log()
    best = optimal_discriminator(p, q)
    for step in (-.01, -1e-3, 1e-3, .01):
        assert (earned(best) >= earned((best + step).clamp(1e-9, 1 - 1e-9))).all()


def test_best_critic_at_zero_densities():
    p, q = torch.tensor([0., 0., 1e-30, 2.]), torch.tensor([0., 1e-30, 0., 2.])
    assert optimal_discriminator(p, q).tolist() == [.5, 0., 1., .5]


def test_value_of_the_game_is_the_divergence():
    p, q = .6*gaussian(-1., .25) + .4*gaussian(1., .25), gaussian(.3, .7)
    d = optimal_discriminator(p, q)
    value = torch.trapezoid(torch.xlogy(p, d) + torch.xlogy(q, 1 - d), LINE)
    assert value.item() == pytest.approx(2*js_divergence(p, q, LINE).item() - math.log(4), abs=1e-6)


def test_divergence_is_zero_symmetric_and_bounded():
    p, q, far = gaussian(0.), gaussian(1.5, .6), gaussian(20., .3)
    assert js_divergence(p, p, LINE).item() == pytest.approx(0, abs=1e-12)
    assert js_divergence(p, q, LINE).item() == pytest.approx(js_divergence(q, p, LINE).item(), abs=1e-12)
    assert 0 < js_divergence(p, q, LINE).item() < js_divergence(p, far, LINE).item() <= math.log(2) + 1e-9
    assert js_divergence(p, far, LINE).item() == pytest.approx(math.log(2), abs=1e-6)


def test_divergence_against_sampling():
    p, q = torch.distributions.Normal(0., 1.), torch.distributions.Normal(1., 2.)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        x, y = p.sample((200_000,)).double(), q.sample((200_000,)).double()
    def m(v): return ((p.log_prob(v).exp() + q.log_prob(v).exp())/2).log()
    sampled = ((p.log_prob(x) - m(x)).mean() + (q.log_prob(y) - m(y)).mean())/2
    assert js_divergence(gaussian(0.), gaussian(1., 2.), LINE).item() == pytest.approx(sampled.item(), abs=5e-3)


def test_divergence_of_many_pairs_and_through_zeros():
    def uniform(low, high): return ((LINE >= low) & (LINE <= high)).double()/(high - low)
    here, there = uniform(0, 1), uniform(5, 6)
    both = js_divergence(torch.stack([here, here]), torch.stack([here, there]), LINE)
    assert both.tolist() == pytest.approx([0, math.log(2)], abs=2e-3)


def test_the_papers_channels():
    net = discriminator(64, 512)
    assert convolutions(net) == [64, 128, 256, 512]
    assert all(layer.kernel_size == (4, 4) and layer.stride == (2, 2) for layer in net if isinstance(layer, nn.Conv2d))
    assert net[:-3].eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 512, 4, 4)
    assert [type(layer) for layer in net[:3]] == [nn.Conv2d, nn.LeakyReLU, nn.Conv2d]  # no norm on what the pixels give
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in net) == 3


@pytest.mark.parametrize("side, channels", [
    (8, [8]), (16, [8, 16]), (20, [8, 16]), (22, [8, 16]), (32, [8, 16, 32]), (50, [8, 16, 32]), (64, [8, 16, 32, 64]),
    (78, [8, 16, 32, 64]), (128, [8, 16, 32, 64, 128]), (256, [8, 16, 32, 64, 128, 256])])
def test_any_side_gives_one_logit(side, channels):
    net = discriminator(side, 64)
    assert convolutions(net) == channels
    assert net(torch.rand(2, 3, side, side)*2 - 1).shape == (2,)
    assert net.eval()(torch.zeros(1, 3, side, side)).shape == (1,)


def test_narrow_networks_keep_eight_channels(): assert convolutions(discriminator(16, 16)) == [8, 16]


@pytest.mark.parametrize("side", [8, 20, 64])
def test_every_pixel_counts_and_pictures_do_not_mix(side):
    net = discriminator(side, 64).eval()
    window = (torch.rand(3, 3, side, side, generator=generator(2))*2 - 1).requires_grad_()
    gradient, = torch.autograd.grad(net(window)[1], window)
    assert (gradient[1].abs().sum(0) > 0).all()
    assert not gradient[[0, 2]].any()
    torch.testing.assert_close(net(window)[1:2], net(window[1:2]))


def test_in_training_the_company_matters():
    net, a, b = discriminator(16, 64).train(), *torch.rand(2, 8, 3, 16, 16, generator=generator(3))
    assert not torch.allclose(net(a), net(torch.cat([a, b*.1]))[:8], atol=1e-3)


def test_the_input_is_left_alone():
    window = torch.rand(2, 3, 16, 16)
    before = window.clone()
    discriminator(16, 64)(window)
    assert torch.equal(window, before)


def test_it_learns_to_tell_noise_from_flat():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net, g = discriminator(16, 64), generator(4)
    optimizer, losses = torch.optim.Adam(net.parameters(), 2e-3), []
    for _ in range(60):
        real = torch.rand(16, 3, 16, 16, generator=g)*2 - 1
        fake = torch.rand(16, 3, 1, 1, generator=g).expand(-1, -1, 16, 16)*2 - 1
        loss = discriminator_loss(net(real), net(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < .2 < losses[0]
