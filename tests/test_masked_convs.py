"""Convolutions that know what is hidden, the U-Net of them, and its losses."""
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from context_inpaint import catalogue
from context_inpaint.any_photo import as_inpainter
from context_inpaint.catalogue import LOSSES, load_inpainter, load_network, make_network, make_objective
from context_inpaint.core import InputError, generator
from context_inpaint.export import pack
from context_inpaint.masked_convs import (
    GatedConv,
    GatedResidual,
    PartialConv,
    UNet,
    absolute_error,
    frequency_error,
    log_error,
    push_pull,
    seam_error,
    unet,
)
from context_inpaint.masks import MASKS, hide, make_masks, to_network
from context_inpaint.trainer import TrainConfig, squared_error

NAN, SIZE = float("nan"), 32
CONFIG = TrainConfig(encoder="unet", mask="mixed", width=16, size=SIZE, hole_px=20)


def lively(net, seed=0):
    """Give a network weights with which every path is open, and running statistics that do something."""
    g = generator(seed)
    for w in net.parameters(): w.data.normal_(0, .1, generator=g)
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, .1, generator=g)
            m.running_var.uniform_(.5, 2, generator=g)
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def net(): return lively(UNet((8, 8, 12, 16, 16)))


def equal_weights(channels, kernel=3, stride=1, padding=1, dilation=1):
    layer = PartialConv(channels, channels, kernel, stride, padding, dilation, bias=False).requires_grad_(False)
    layer.weight.copy_(torch.eye(channels)[..., None, None].expand(-1, -1, kernel, kernel)/kernel**2)
    return layer


# Partial convolution and push-pull

@pytest.mark.parametrize("kernel, stride, padding, dilation",
                         [(3, 1, 1, 1), (3, 2, 1, 1), (5, 1, 2, 1), (2, 2, 0, 1), (3, 1, 2, 2)])
@pytest.mark.parametrize("kind", MASKS)
def test_a_constant_plane_stays_constant_under_partial_convolution(kind, kernel, stride, padding, dilation):
    mask, layer = make_masks(kind, 2, 24, .5), equal_weights(3, kernel, stride, padding, dilation)
    plane = torch.tensor([.1, -.7, .9]).view(1, 3, 1, 1).expand(2, 3, 24, 24)
    y, known = layer(torch.where(mask, 99., plane), (~mask).float())
    assert known.shape == (2, 1, *y.shape[-2:]) and set(known.unique().tolist()) <= {0., 1.}
    torch.testing.assert_close(y, (plane[..., :1, :1]*known).expand_as(y), rtol=0, atol=1e-6)


def test_partial_convolution_by_hand():
    layer = PartialConv(2, 1, 3, padding=1).requires_grad_(False)
    g = generator(1)
    layer.weight.normal_(generator=g)
    layer.bias.fill_(.25)
    x, known = torch.randn(1, 2, 7, 6, generator=g), (torch.rand(1, 1, 7, 6, generator=g) < .3).float()
    y, after = layer(x, known)
    for i in range(7):
        for j in range(6):
            n, total = 0, 0.
            for a in range(3):
                for b in range(3):
                    r, c = i + a - 1, j + b - 1
                    if not (0 <= r < 7 and 0 <= c < 6 and known[0, 0, r, c]): continue
                    n, total = n + 1, total + float(layer.weight[0, :, a, b] @ x[0, :, r, c])
            assert after[0, 0, i, j] == (n > 0)
            assert math.isclose(y[0, 0, i, j], 9/n*total + .25 if n else 0., abs_tol=1e-4)


def test_partial_convolution_is_a_convolution_where_all_is_known():
    x = torch.randn(2, 3, 12, 11, generator=generator(2))
    for settings in ({"stride": 1}, {"stride": 2}, {"dilation": 2}):
        partial, plain = PartialConv(3, 5, 3, **settings), nn.Conv2d(3, 5, 3, **settings)
        plain.load_state_dict(partial.state_dict())
        y, known = partial(x, torch.ones(2, 1, 12, 11))
        torch.testing.assert_close(y, plain(x))
        assert known.all()


def test_the_mask_shrinks_by_a_pixel_a_layer():
    mask, layer = make_masks("center", 1, 32, .5), equal_weights(1)
    x, known = torch.zeros(1, 1, 32, 32), (~mask).float()
    for n in range(1, 9):
        x, known = layer(x, known)
        assert (known == 0).sum() == (16 - 2*n)**2


def test_partial_convolution_ignores_hidden_values_and_nothing_known_gives_zero():
    layer, mask = PartialConv(3, 4, 3, padding=1), make_masks("region", 1, 16, .6)
    x, known = torch.rand(1, 3, 16, 16, generator=generator(3)), (~mask).float()
    assert torch.equal(layer(torch.where(mask, 1e6, x), known)[0], layer(x, known)[0])
    y, after = layer(x, torch.zeros(1, 1, 16, 16))
    assert not y.any() and not after.any()


@pytest.mark.parametrize("kind", MASKS)
def test_push_pull_fills_planes_exactly_and_keeps_what_is_known(kind):
    mask = make_masks(kind, 2, 64, .6)
    plane = torch.tensor([.2, .5, .9]).view(1, 3, 1, 1).expand(2, 3, 64, 64)
    torch.testing.assert_close(push_pull(torch.where(mask, 7., plane), (~mask).float(), 6), plane, rtol=0, atol=2e-6)
    image = torch.rand(2, 3, 64, 64, generator=generator(4))
    filled = push_pull(image, (~mask).float(), 5)
    assert torch.equal(filled.masked_fill(mask, 0), image.masked_fill(mask, 0))
    assert filled.min() >= image.min() and filled.max() <= image.max()


def test_push_pull_by_hand_and_with_nothing_known():
    x, known = torch.tensor([[1., 9.], [3., 9.]])[None, None], torch.tensor([[1., 0.], [1., 0.]])[None, None]
    assert push_pull(x, known, 1)[0, 0].tolist() == [[1., 2.], [3., 2.]]
    x = torch.tensor([[1., 9.], [3., 9.]])[None, None].repeat(1, 1, 1, 2)
    known = torch.tensor([[1., 0., 0., 0.]])[None, None].repeat(1, 1, 2, 1)
    filled = push_pull(x, known, 1)[0, 0]
    assert filled[:, 1:].flatten().tolist() == [2.]*6 and filled[:, 0].tolist() == [1., 3.]
    assert torch.equal(push_pull(torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32), 5), torch.zeros(1, 3, 32, 32))


# Gates and the U-Net

def test_gated_convolution_by_hand_and_its_parameters():
    layer, x = GatedConv(3, 5), torch.randn(2, 3, 9, 8, generator=generator(5))
    values, gate = layer.values(x), layer.gate(x)
    torch.testing.assert_close(layer(x), values/(1 + (-values).exp())/(1 + (-gate).exp()))
    assert sum(w.numel() for w in layer.parameters()) == 5*(3*9 + 1) + 5*(3 + 1)
    nn.init.constant_(layer.gate.bias, -1e4)
    assert not layer(x).any()
    assert GatedConv(3, 5, 2)(x).shape == (2, 5, 9, 8)


def test_untrained_blocks_add_nothing():
    x = torch.randn(2, 6, 8, 8, generator=generator(6))
    assert torch.equal(GatedResidual(6)(x), x)
    mask, image = make_masks("mixed", 2, 64), torch.rand(2, 3, 64, 64, generator=generator(7))
    assert torch.equal(UNet().eval()(hide(image, mask, True)), push_pull(hide(image, mask), (~mask).float(), 5))


def test_it_is_small():
    net = unet(256).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad(): net(torch.zeros(1, 4, 128, 128))
    assert sum(w.numel() for w in net.parameters()) < 2e6
    assert counter.get_total_flops()/2 < .6e9


@pytest.mark.parametrize("sides", [(1, 1), (31, 33), (32, 64), (45, 100)])
def test_any_size_and_no_leak(net, sides):
    g = generator(8)
    image, mask = torch.rand(2, 3, *sides, generator=g), torch.rand(2, 1, *sides, generator=g) < .5
    mask[..., :sides[0]//2, :sides[1]//2] = True
    output = net(hide(image, mask, True))
    assert output.shape == image.shape and output.isfinite().all()
    for other in (1 - image, torch.full_like(image, NAN)):
        assert torch.equal(net(hide(torch.where(mask, other, image), mask, True)), output)
    if mask.all(): return
    negative = net(hide(torch.where(mask, image, 1 - image), mask, True))
    assert not torch.equal(negative, output), "what is known has no influence"
    untold = net(torch.cat([hide(image, mask), torch.zeros(2, 1, *sides)], 1))
    assert not torch.equal(untold, output), "the mask has no influence"


def test_all_hidden_is_finite(net):
    assert net(hide(torch.full((1, 3, 40, 40), NAN), torch.ones(1, 1, 40, 40, dtype=torch.bool), True)).isfinite().all()


def test_batch_size_layout_and_compilation_do_not_matter(net):
    seen = hide(torch.rand(5, 3, 64, 48, generator=generator(9)), make_masks("mixed", 5, (64, 48)), True)
    output = net(seen)
    torch.testing.assert_close(torch.cat([net(seen[:2]), net(seen[2:])]), output, rtol=1e-4, atol=1e-5)
    layout, other = torch.channels_last, lively(UNet((8, 8, 12, 16, 16)))
    again = other.to(memory_format=layout)(seen.to(memory_format=layout))
    torch.testing.assert_close(again, output, rtol=1e-4, atol=1e-5)
    compiled = torch.compile(net, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(seen), output, rtol=1e-4, atol=1e-5)


def test_every_weight_learns():
    torch.manual_seed(0)
    net = lively(UNet((8, 8, 12, 16, 16))).train().requires_grad_(True)
    image, mask = torch.rand(4, 3, 64, 64, generator=generator(1)), make_masks("mixed", 4, 64)
    squared_error(net(hide(image, mask, True)), image, mask).sum().backward()
    for name, w in net.named_parameters(): assert w.grad is not None and w.grad.abs().max() > 0, name


def test_settings_that_do_not_fit_are_one_clear_line():
    with pytest.raises(InputError, match="mask mixed") as e: make_objective(TrainConfig(encoder="unet"))
    assert "\n" not in str(e.value)
    with pytest.raises(InputError, match="width 100 is not a multiple of 16"): make_network(replace(CONFIG, width=100))


# Losses

@pytest.fixture
def pictures():
    g = generator(10)
    mask = make_masks("region", 3, 16, .7)
    far = F.max_pool2d((~mask).float(), 5, 1, 2) == 0
    assert far.flatten(1).any(1).all(), "some hidden pixels should be far from the rim"
    return 2*torch.rand(3, 3, 16, 16, generator=g) - 1, torch.rand(3, 3, 16, 16, generator=g), mask


def test_losses_by_hand(pictures):
    output, image, mask = pictures
    for b in range(3):
        hole = mask[b, 0].numpy()
        e = ((output[b] + 1)/2 - image[b]).numpy()
        inside = e[:, hole]
        near = np.zeros_like(hole)
        for y, x in np.argwhere(hole): near[y, x] = (~hole[max(0, y - 2):y + 3, max(0, x - 2):x + 3]).any()
        weight = np.where(near, 4, 1)[hole]
        spectrum = np.abs(np.fft.rfft2(e*hole)/16).mean()/math.sqrt(hole.mean())
        expected = {"l2": (inside**2).mean(), "l1": np.abs(inside).mean(), "log": math.log((inside**2).mean() + 1e-4),
                    "seam": (inside**2*weight).sum()/(3*weight.sum()), "frequency": (inside**2).mean() + .1*spectrum}
        assert expected.keys() == LOSSES.keys()
        for name, value in expected.items():
            assert math.isclose(LOSSES[name]()(output, image, mask)[b], value, rel_tol=1e-4), name


def test_each_loss_asks_for_another_answer():
    """Seven black worlds and three white ones, all filled with one grey: the mean, the median, the mode."""
    worlds = (torch.arange(10) < 3).float().view(10, 1, 1, 1).expand(10, 3, 8, 8)
    mask, greys = make_masks("center", 10, 8, .5), torch.linspace(0, 1, 101)
    for loss, best in ((squared_error, .3), (absolute_error, 0.), (log_error, 0.)):
        values = torch.stack([loss(torch.full_like(worlds, 2*grey - 1), worlds, mask).mean() for grey in greys])
        assert abs(float(greys[values.argmin()]) - best) < .011, loss.__name__


@pytest.mark.parametrize("loss", [absolute_error, log_error, seam_error, frequency_error])
def test_losses_ignore_what_is_known_and_take_windows(loss, pictures):
    output, image, mask = pictures
    assert torch.equal(loss(torch.where(mask, output, 5.), image, mask), loss(output, image, mask))
    assert not torch.equal(loss(torch.where(mask, 5., output), image, mask), loss(output, image, mask))
    square = make_masks("center", 3, 16, .5)
    torch.testing.assert_close(loss(output[..., 4:12, 4:12], image, square), loss(output, image, square))
    assert (loss(to_network(image), image, mask) <= loss(output, image, mask)).all()


# As an inpainter

@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("sides", [(32, 32), (75, 110)])
def test_planes_are_filled_exactly_at_any_size(kind, sides):
    inpaint, mask = as_inpainter(UNet((8, 8, 8, 8, 8)).eval(), SIZE, 20), make_masks(kind, 1, sides, .6)
    plane = torch.tensor([.9, .3, .1]).view(1, 3, 1, 1).expand(1, 3, *sides)
    torch.testing.assert_close(inpaint(torch.where(mask, 0., plane), mask), plane, rtol=0, atol=1e-5)


# Weights that the package ships

def test_shipped_weights_come_back(tmp_path, monkeypatch):
    net = lively(make_network(CONFIG))
    pack(net.state_dict(), CONFIG, tmp_path/"some.safetensors")
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path)
    assert catalogue.shipped() == ["some"] and "unet" not in catalogue.available()
    found = load_network("some")
    assert found.config == CONFIG and found.name == "some" and not found.network.training
    image, mask = torch.rand(1, 3, 75, 110, generator=generator(11)), make_masks("brush", 1, (75, 110), .4)
    expected = as_inpainter(net, SIZE, CONFIG.hole_px, CONFIG.window)(image, mask)
    torch.testing.assert_close(load_inpainter("some")(image, mask), expected, rtol=0, atol=5e-3)


def test_the_shipped_network_is_the_method_unet():
    image, mask = torch.rand(1, 3, 64, 64, generator=generator(11)), make_masks("brush", 1, 64, .4)
    found = load_network("unet")
    assert found.config.window is None and found.network.any_size
    assert torch.equal(catalogue.get_method("unet")(image, mask), load_inpainter("unet")(image, mask))


def test_weights_that_are_not_there_are_one_line():
    with pytest.raises(InputError, match="nope is neither a training run's folder nor a shipped network: unet") as e:
        load_inpainter("nope")
    assert "\n" not in str(e.value)
