"""Every objective with every encoder takes a step: losses finite, weights moved, for central and other masks."""
import math

import pytest
import torch

from context_inpaint.any_photo import as_inpainter
from context_inpaint.catalogue import ENCODERS, OBJECTIVES, make_objective
from context_inpaint.core import generator
from context_inpaint.masks import hide, make_masks
from context_inpaint.trainer import Batch, TrainConfig, Trainer

# With width 32 ResNet's jumps would have four channels, on which some builds of PyTorch crash (1×1, channels last)
TINY = {"size": 32, "hole_px": 8, "width": 64, "bottleneck": 8, "batch_size": 4}


def batch(mask="center", n=4): return torch.rand(n, 3, 32, 32, generator=generator(0)), make_masks(mask, n, 32, .25)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_one_step_is_finite_and_moves_the_weights(objective, encoder):
    config = TrainConfig(objective=objective, encoder=encoder, **TINY)
    trainer = Trainer(config, make_objective(config))
    before = {name: [w.detach().clone() for w in net.parameters()] for name, net in trainer.networks.items()}
    for net in trainer.networks.values(): net.train()
    numbers = trainer.learn(*batch(), .3)
    assert "loss" in numbers and all(math.isfinite(value) for value in numbers.values())
    assert set(before) == {"generator", "discriminator"} if objective == "gan" else len(before) == 1
    for name, net in trainer.networks.items():
        now = list(net.parameters())
        assert all(w.isfinite().all() for w in now)
        assert not torch.equal(now[0], before[name][0]) and not torch.equal(now[-1], before[name][-1])
        assert sum(not torch.equal(a, b) for a, b in zip(now, before[name])) > len(now)/2


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("mask", ["center", "block"])
def test_losses_are_finite_and_see_the_hole(objective, mask):
    config = TrainConfig(objective=objective, encoder="strided", mask=mask, **TINY)
    torch.manual_seed(0)
    subject, (image, missing) = make_objective(config), batch(mask)
    found = []
    for picture in (image, image.masked_fill(missing, 0.)):
        torch.manual_seed(1)
        part = Batch(picture, missing)
        for step in subject.steps:
            loss, logged = subject.loss(step, part)
            assert loss.ndim == 0 and loss.requires_grad
            assert all(math.isfinite(v.detach()) for v in [loss, *logged.values()])
            if step == subject.fills: found.append(float(loss.detach()))
    assert found[0] != found[1]  # the same context with another truth is another loss


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("mask", ["center", "block"])
def test_no_hidden_pixel_reaches_the_fill(objective, mask):
    config = TrainConfig(objective=objective, encoder="resnet", mask=mask, **TINY)
    subject, (image, missing) = make_objective(config), batch(mask)
    net = subject.networks[subject.fills].eval()
    seen, blind = (hide(picture, missing, config.window is None)
                   for picture in (image, image.masked_fill(missing, torch.nan)))
    with torch.no_grad(): assert torch.equal(net(seen), net(blind))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("mask, overlap, window", [("center", 0, 8), ("center", 3, 14), ("block", 0, None)])
def test_the_window_of_a_configuration_is_what_its_network_draws(objective, mask, overlap, window):
    """A window of that side; or None: the whole picture, from picture and mask."""
    if overlap and objective != "gan": pytest.skip("only the gan draws a band around the hole")
    config = TrainConfig(objective=objective, mask=mask, overlap=overlap, **TINY)
    assert config.window == window
    subject, (image, missing) = make_objective(config), batch("center")
    net, side = subject.networks[subject.fills].eval(), 32 if window is None else window
    seen = hide(image, missing, with_mask=window is None)
    with torch.no_grad(): assert net(seen).shape == (4, 3, side, side)
    wrong = hide(image, missing, with_mask=window is not None)
    with pytest.raises(RuntimeError), torch.no_grad(): net(wrong)
    filled = as_inpainter(net, config.size, config.hole_px, window)(image, missing)
    assert torch.equal(filled.masked_fill(missing, 0.), image.masked_fill(missing, 0.))
    with torch.no_grad(): drawn = ((net(seen) + 1)/2).clamp(0, 1)
    part = drawn[..., 12:20, 12:20] if window is None else drawn[..., overlap:side - overlap, overlap:side - overlap]
    torch.testing.assert_close(filled[..., 12:20, 12:20], part)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_equal_seeds_equal_networks_and_unequal_seeds_not(objective):
    configs = [TrainConfig(objective=objective, encoder="alexnet", seed=seed, **TINY) for seed in (3, 3, 4)]
    nets = [make_objective(config).networks for config in configs]
    for name in nets[0]:
        first, same, other = (torch.cat([w.detach().flatten() for w in net[name].parameters()]) for net in nets)
        assert torch.equal(first, same) and not torch.equal(first, other)
