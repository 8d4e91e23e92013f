"""The variational objectives: loss by hand, KL against torch.distributions, samples, leaks, what sees the truth, bad
settings."""
import dataclasses
import json

import pytest
import torch
from safetensors.torch import save_file
from torch.distributions import Independent, Normal, kl_divergence

from context_inpaint.catalogue import get_method, load_inpainter, make_encoder, make_objective
from context_inpaint.core import InputError, generator
from context_inpaint.kl import gaussian_kl
from context_inpaint.masks import hide, make_masks
from context_inpaint.metrics import best_of_k, diversity, l2
from context_inpaint.trainer import Batch, TrainConfig, check_config
from context_inpaint.vae import ERRORS, VAE, ConditionalVAE, Variational

TINY = TrainConfig(objective="vae", size=32, hole_px=8, width=32, bottleneck=16)
BOTH = pytest.mark.parametrize("objective", ["vae", "conditional-vae"])


def change(**settings): return dataclasses.replace(TINY, **settings)


def network(config, seed=0):
    """An untrained network whose residual branches do something, in eval mode."""
    net = make_objective(change(**dataclasses.asdict(config) | {"seed": seed})).networks["network"].eval()
    with torch.no_grad():
        for p in net.parameters():
            if not p.any(): p.normal_(0, .05, generator=generator(1))
    return net


@pytest.fixture
def batch():
    return torch.rand(5, 3, 32, 32, generator=generator(3)), make_masks("center", 5, 32, .25)


def as_run(config, folder):
    """Write what a finished training run leaves."""
    folder.mkdir()
    save_file({k: v.contiguous() for k, v in network(config).state_dict().items()}, folder/"model.safetensors")
    (folder/"record.json").write_text(json.dumps({"config": dataclasses.asdict(config)}))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    home = tmp_path_factory.mktemp("runs")
    return {name: as_run(change(objective=name), home/name) for name in ("vae", "conditional-vae", "reconstruction")}


def test_without_noise_and_with_noise_zero_it_draws_the_mean_fill(batch):
    net, seen = network(TINY), hide(*batch)
    zero, kl = net(seen, torch.zeros(5, 16))
    assert torch.equal(zero, net(seen)) and zero.shape == (5, 3, 8, 8) and kl.shape == (5,)
    assert not torch.allclose(net(seen, torch.ones(5, 16))[0], zero, atol=1e-3)


def test_noise_is_scaled_by_the_standard_deviation(batch):
    net, seen, noise = network(TINY), hide(*batch), torch.randn(5, 16, generator=generator(4))
    mean, log_variance = net.posterior(seen)
    torch.testing.assert_close(net(seen, noise)[0], net.decoder(mean + noise*log_variance.exp().sqrt()))
    assert (log_variance.exp() - 1).abs().max() > .01  # else the test could not tell σ from σ²


def test_kl_is_that_of_torch(batch):
    net, seen = network(TINY), hide(*batch)
    with torch.no_grad(): (mean, log_variance), (_, kl) = net.posterior(seen), net(seen, torch.zeros(5, 16))
    q = Independent(Normal(mean.double(), (log_variance.double()/2).exp()), 1)
    prior = Independent(Normal(torch.zeros(5, 16, dtype=torch.double), 1.), 1)
    torch.testing.assert_close(kl.double(), kl_divergence(q, prior), rtol=1e-4, atol=1e-5)


def test_conditional_kl_is_between_posterior_and_prior(batch):
    net, image, seen = network(change(objective="conditional-vae")), batch[0], hide(*batch)
    with torch.no_grad():
        m, v = net.moments(net.whole(2*image - 1)).chunk(2, 1)
        pm, pv = net.prior(net.code(net.context(seen))).chunk(2, 1)
        kl = net(seen, torch.zeros(5, 16), 2*image - 1)[1]
    def normal(mean, log_variance): return Independent(Normal(mean.double(), (log_variance.double()/2).exp()), 1)
    torch.testing.assert_close(kl.double(), kl_divergence(normal(m, v), normal(pm, pv)), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(kl, gaussian_kl(m, v), rtol=1e-3), "that is the KL from N(0, I)"


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("mask", ["center", "brush"])
def test_loss_by_hand(error, mask):
    config = change(error=error, beta=.7, mask=mask)
    objective, image = make_objective(config), torch.rand(4, 3, 32, 32, generator=generator(5))
    masks, net = make_masks(mask, 4, 32, .25), objective.networks["network"].train()
    torch.manual_seed(11)
    loss, numbers = objective.loss("network", Batch(image, masks))
    torch.manual_seed(11)
    noise = torch.randn(4, 16)
    output, kl = net(hide(image, masks, mask != "center"), noise)
    expected = []
    for i in range(4):
        inside = masks[i].expand(3, -1, -1)
        drawn = output[i].flatten() if mask == "center" else output[i][inside]
        e = (drawn + 1)/2 - image[i][inside]
        term = {"mean": e.square().mean(), "sum": e.square().sum(), "norm": e.norm()}[error]
        expected.append(term + (.7/12288 if error == "mean" else .7)*kl[i])
    torch.testing.assert_close(loss, torch.stack(expected).mean())
    torch.testing.assert_close(numbers["kl"], kl.mean())
    assert set(numbers) == {"error", "kl"}


def test_mean_and_sum_are_the_same_loss_at_the_reports_hole():
    n = 3*64*64
    config = TrainConfig(objective="vae", size=128, hole_px=64, width=64, bottleneck=8, beta=.1)
    batch, losses = Batch(torch.rand(2, 3, 128, 128, generator=generator(6)), make_masks("center", 2, 128, .5)), {}
    for error in ("mean", "sum"):
        objective = make_objective(dataclasses.replace(config, error=error))
        torch.manual_seed(0)
        losses[error] = objective.loss("network", batch)[0]
    torch.testing.assert_close(losses["sum"], n*losses["mean"])


def test_the_gradient_of_the_norm_is_bounded(batch):
    image, mask = batch
    lengths = {}
    for error in ("sum", "norm"):
        objective = make_objective(change(error=error, beta=0.))
        net, caught = objective.networks["network"].eval(), []
        net.decoder.register_forward_hook(lambda m, i, o, caught=caught: caught.append(o) or o.retain_grad())
        torch.manual_seed(0)
        objective.loss("network", Batch(image, mask))[0].backward()
        lengths[error] = 2*len(image)*caught[0].grad.flatten(1).norm(dim=1)  # by the fill in [0, 1], per picture
    torch.testing.assert_close(lengths["norm"], torch.ones(5))
    assert (lengths["sum"] > 2).all()


@BOTH
def test_gradients_reach_every_weight(objective, batch):
    made = make_objective(change(objective=objective))
    made.loss("network", Batch(*batch))[0].backward()
    without = [name for name, p in made.networks["network"].named_parameters() if p.grad is None]
    assert not without


@BOTH
def test_samples_repeat_under_a_generator_and_differ_between_seeds(objective, runs, batch):
    sample, mean = load_inpainter(runs[objective], sample=True), load_inpainter(runs[objective])
    one, again, other = (sample(*batch, generator=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(mean(*batch, generator=generator(0)), mean(*batch, generator=generator(1)))
    image, mask = batch
    for fill in (one, mean(*batch)): assert torch.equal(fill.where(~mask, 0), image.where(~mask, 0))


@BOTH
@pytest.mark.parametrize("suffix", ["", ":sample"])
def test_hidden_pixels_never_matter(objective, suffix, runs, batch):
    image, mask = batch
    method = get_method(f"{runs[objective]}{suffix}")
    expected = method(image, mask, generator=generator(2))
    for wild in (torch.nan, 1e30, 0.):
        filled = method(image.masked_fill(mask, wild), mask, generator=generator(2))
        assert torch.equal(filled.where(mask, 0), expected.where(mask, 0))


@BOTH
def test_samples_scatter_around_the_mean_fill(objective, runs, batch):
    image, mask = batch
    sample = load_inpainter(runs[objective], sample=True)
    draws = torch.stack([sample(image, mask, generator=generator(k)) for k in range(6)])
    assert (diversity(draws, mask) > 0).all()
    error = torch.stack([l2(draw, image, mask) for draw in draws]).mean(0)
    torch.testing.assert_close(error, l2(draws.mean(0), image, mask) + diversity(draws, mask).square()/2*5/6)
    best, one = best_of_k(draws, image, mask)
    assert (best >= one).all()


def test_only_networks_with_a_random_code_have_samples(runs):
    assert callable(load_inpainter(runs["vae"], sample=True))
    with pytest.raises(InputError, match="draws no samples: leave out :sample") as caught:
        get_method(f"{runs['reconstruction']}:sample")
    assert "\n" not in str(caught.value)


def test_conditional_posterior_sees_the_truth_and_filling_does_not(batch):
    net, (image, mask) = network(change(objective="conditional-vae")), batch
    noise = torch.randn(5, 16, generator=generator(7))
    seen, other = hide(image, mask), image.where(~mask, 1 - image)  # the same context, another hole
    assert torch.equal(seen, hide(other, mask))
    assert not torch.allclose(net(seen, noise, 2*image - 1)[0], net(seen, noise, 2*other - 1)[0], atol=1e-4)
    drawn = net.sample(seen, generator(8))
    expected = net(seen, torch.randn(5, 16, generator=generator(8)))
    assert torch.equal(drawn, expected)
    for part in (net.whole, net.moments):
        for p in part.parameters(): torch.nn.init.constant_(p, torch.nan)
    assert net.sample(seen, generator(8)).equal(drawn), "sampling used the posterior's network"
    assert net(seen).isfinite().all(), "filling used the posterior's network"


def test_the_reports_posterior_never_sees_the_truth(batch):
    net, (image, mask), noise = network(TINY), batch, torch.randn(5, 16, generator=generator(7))
    with_truth, without = net(hide(image, mask), noise, 2*image - 1), net(hide(image, mask), noise)
    assert all(torch.equal(a, b) for a, b in zip(with_truth, without))


def test_conditional_whole_encoder_takes_three_channels_with_any_mask():
    config, masks = change(objective="conditional-vae", mask="brush"), make_masks("brush", 3, 32, .3)
    objective, image = make_objective(config), torch.rand(3, 3, 32, 32)
    loss, _ = objective.loss("network", Batch(image, masks))
    assert loss.isfinite() and objective.networks["network"](hide(image, masks, True)).shape == (3, 3, 32, 32)


def test_networks_share_architecture_of_the_autoencoder():
    encoder = make_encoder(TINY, 3)
    plain, other = (make_objective(change(objective=name)).networks["network"] for name in ("vae", "conditional-vae"))
    assert isinstance(plain, VAE) and isinstance(other, ConditionalVAE)
    assert [p.shape for p in plain.encoder.parameters()] == [p.shape for p in encoder.parameters()]
    assert other.decoder[0].in_features == 2*plain.decoder[0].in_features == 32
    assert plain.code_length == other.code_length == 16


def test_noise_follows_the_steps_seed(batch):
    objective, losses = make_objective(TINY), []
    objective.networks["network"].eval()
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        losses.append(objective.loss("network", Batch(*batch))[0])
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("settings, message", [
    ({"beta": -.1}, "beta must be at least 0, got -0.1"), ({"beta": float("nan")}, "beta"),
    ({"beta": float("inf")}, "beta")])
def test_bad_beta_is_one_line(settings, message):
    with pytest.raises(InputError, match=message) as caught: check_config(change(**settings))
    assert "\n" not in str(caught.value)


def test_unknown_error_is_one_line():
    with pytest.raises(InputError, match="unknown error 'means': did you mean 'mean'") as caught:
        Variational(network(TINY), error="means")
    assert "\n" not in str(caught.value)
