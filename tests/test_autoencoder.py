"""The small encoder-decoder: shapes, parameter counts, what can and cannot pass the bottleneck, bad settings."""
from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from context_inpaint.autoencoder import ChannelwiseFC, bottleneck, decoder, small_encoder
from context_inpaint.catalogue import ENCODERS, make_encoder, make_network
from context_inpaint.core import PRESETS, InputError, generator
from context_inpaint.masks import hide, make_masks
from context_inpaint.trainer import TrainConfig

LAPTOP = TrainConfig(width=256, bottleneck=250, size=64, hole_px=16)
TINY = replace(LAPTOP, width=64, bottleneck=32, size=32, hole_px=8)


def count(module): return sum(p.numel() for p in module.parameters())


def macs(net, image):
    with FlopCounterMode(display=False) as counter, torch.no_grad(): net.eval()(image)
    return counter.get_total_flops()/2


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_preset_reaches_four_by_four(preset):
    encoder = small_encoder(preset.size, preset.width).eval()
    assert encoder(torch.zeros(1, 3, preset.size, preset.size)).shape == (1, preset.width, 4, 4)


@pytest.mark.parametrize("side", [1, 4, 5, 8, 11, 16, 17, 32, 50, 64])
def test_decoder_draws_any_side(side):
    assert decoder(10, 64, side).eval()(torch.zeros(2, 10)).shape == (2, 3, side, side)


def test_decoder_cuts_the_middle_out():
    torch.manual_seed(0)
    whole = decoder(10, 64, 16).eval()
    part, code = decoder(10, 64, 13).eval(), torch.randn(2, 10, generator=generator(0))
    part.load_state_dict(whole.state_dict())
    assert torch.equal(part(code), whole(code)[..., 1:14, 1:14])


def test_laptop_network_is_small():
    net = make_network(LAPTOP)
    assert count(net) < 4e6
    assert macs(net, torch.zeros(1, 3, 64, 64)) < .2e9


def test_nothing_leads_around_the_code():
    net, g = make_network(replace(LAPTOP, bottleneck=3)).eval(), generator(0)
    pictures = torch.rand(40, 3, 64, 64, generator=g)
    assert net.encode(pictures).shape == (40, 3)
    assert torch.equal(net(pictures), net.decoder(net.encode(pictures)))
    linear = net.double().decoder[:2](net.encode(pictures.double()))
    linear = linear - net.decoder[:2](torch.zeros(1, 3, dtype=torch.double))
    assert torch.linalg.matrix_rank(linear.flatten(1), rtol=1e-9) == 3


def test_every_place_of_the_context_reaches_every_value_of_the_window():
    net = make_network(LAPTOP).double().eval()
    seen = torch.rand(1, 3, 64, 64, dtype=torch.double, generator=generator(0)).requires_grad_()
    for y, x in ((0, 0), (15, 15), (7, 9)):
        gradient, = torch.autograd.grad(net(seen)[0, :, y, x].sum(), seen)
        assert (gradient.abs().sum(1) > 0).all()


@pytest.mark.parametrize("m, n", [(1, 2), (6, 3), (16, 4)])
def test_channelwise_fc_counts_and_computes(m, n):
    layer, x = ChannelwiseFC(m, n), torch.randn(5, m, n, n)
    assert layer.weight.numel() == m*n**4
    assert torch.nn.Linear(m*n*n, m*n*n, bias=False).weight.numel() == m**2*n**4
    torch.nn.init.normal_(layer.bias)
    loop = torch.stack([(x[:, c].flatten(1) @ layer.weight[c] + layer.bias[c]).view(5, n, n) for c in range(m)], 1)
    torch.testing.assert_close(layer(x), loop)


def test_channelwise_fc_keeps_channels_apart():
    layer, x = ChannelwiseFC(4, 3), torch.randn(1, 4, 3, 3).requires_grad_()
    gradient, = torch.autograd.grad(layer(x)[0, 2, 0, 0], x)
    assert (gradient[0, 2] != 0).all() and not gradient[0, [0, 1, 3]].any()


def test_no_hidden_pixel_matters():
    net, image, mask = make_network(TINY).eval(), torch.rand(2, 3, 32, 32), make_masks("center", 2, 32, .25)
    wild = image.masked_fill(mask, float("nan"))
    assert torch.equal(net(hide(image, mask)), net(hide(wild, mask)))


def test_equal_seeds_equal_networks():
    torch.manual_seed(5)
    first = make_network(TINY).state_dict()
    torch.manual_seed(5)
    assert all(torch.equal(value, first[key]) for key, value in make_network(TINY).state_dict().items())


@pytest.mark.parametrize("change, words", [
    ({"bottleneck": 0}, "bottleneck"), ({"encoder": "smal"}, "did you mean 'small'"),
    ({"encoder": "resnet152"}, "choose from"),
    ({"size": 50, "hole_px": 10}, "32, 64, 128"), ({"width": 33}, "multiple of 2")])
def test_bad_settings_are_one_line(change, words):
    with pytest.raises(InputError, match=words) as caught: make_network(replace(TINY, **change))
    assert "\n" not in str(caught.value)


def test_encoders_are_found_by_name():
    for name in ENCODERS:
        encoder = make_encoder(replace(TINY, encoder=name), 3).eval()
        assert encoder(torch.zeros(1, 3, 32, 32)).shape == (1, 64, 4, 4)


def test_untrained_it_is_one_matrix():
    net = make_network(TINY).double().eval()
    a, b = torch.randn(2, 3, 3, 32, 32, dtype=torch.double, generator=generator(0))
    torch.testing.assert_close(net(a) + net(b) - net(torch.zeros_like(a)), net(a + b))
    assert isinstance(bottleneck(8, 5)[-1], torch.nn.Linear) and bottleneck(8, 5)[-1].weight.shape == (5, 128)
