"""The encoders: parity with torchvision's networks, sizes, cost, sight, ImageNet weights, bad settings."""
import urllib.error

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from context_inpaint.autoencoder import SIZES
from context_inpaint.catalogue import ENCODERS, make_encoder, make_network
from context_inpaint.core import PRESETS, InputError, generator
from context_inpaint.encoders import alexnet, load_imagenet, receptive_field, resnet, vgg
from context_inpaint.trainer import TrainConfig

TORCHVISION = {"alexnet": "alexnet", "vgg": "vgg11_bn", "resnet": "resnet18"}
OURS = {"alexnet": alexnet, "vgg": vgg, "resnet": resnet}


def encoder_of(name, size=32, width=64, channels=3, pretrained=False):
    return make_encoder(TrainConfig(encoder=name, size=size, width=width, pretrained=pretrained), channels)


def bricks(net, kinds=(nn.Conv2d, nn.BatchNorm2d)): return [m for m in net.modules() if isinstance(m, kinds)]


def bend(net, slope):
    for m in net.modules():
        if isinstance(m, nn.LeakyReLU): m.negative_slope = slope
    return net


@pytest.fixture
def published(monkeypatch):
    """Return a function that makes torchvision's network with random weights, biases and statistics, and lets it be
    what is fetched."""
    def make(name):
        with torch.device("meta"): model = getattr(models, TORCHVISION[name])()
        model.to_empty(device="cpu")  # the classifier is never looked at
        features, g = model.features if name != "resnet" else nn.Sequential(*list(model.children())[:-2]), generator(0)
        for m in bricks(features):
            if isinstance(m, nn.Conv2d): nn.init.normal_(m.weight, std=(2/m.weight[0].numel())**.5, generator=g)
            else:
                for value in (m.weight, m.running_var): nn.init.uniform_(value, .5, 1.5, generator=g)
                nn.init.normal_(m.running_mean, std=.3, generator=g)
                m.num_batches_tracked.fill_(3)
            if m.bias is not None: nn.init.normal_(m.bias, std=.3, generator=g)
        monkeypatch.setattr(models.WeightsEnum, "get_state_dict", lambda self, **settings: model.state_dict())
        return features

    return make


@pytest.fixture
def offline(monkeypatch):
    def get(self, **settings): raise urllib.error.URLError("no route\nto host")
    monkeypatch.setattr(models.WeightsEnum, "get_state_dict", get)


@pytest.mark.parametrize("name", ["vgg", "resnet"])
def test_with_its_weights_it_computes_what_torchvision_computes(name, published):
    theirs, ours, x = published(name), OURS[name](128, 512), torch.randn(1, 3, 128, 128, generator=generator(1))
    load_imagenet(ours, name)
    with torch.no_grad():
        wanted = theirs.eval()(x)
        torch.testing.assert_close(bend(ours, 0).eval()(x), wanted, atol=1e-3, rtol=1e-3)
        assert wanted.shape == (1, 512, 4, 4) and wanted.std() > .01
        assert not torch.allclose(bend(ours, .2)(x), wanted, atol=.01)


def test_a_moved_bias_stays_right_while_training(published):
    theirs, ours, x = published("vgg"), vgg(32, 512), torch.randn(4, 3, 32, 32, generator=generator(1))
    load_imagenet(ours, "vgg")
    with torch.no_grad(): ours[:2](x), theirs[:4](x)  # both in training mode: the averages move
    torch.testing.assert_close(ours[0][1].running_mean + theirs[0].bias, theirs[1].running_mean)
    torch.testing.assert_close(ours[0][1].running_var, theirs[1].running_var)
    with torch.no_grad():
        torch.testing.assert_close(bend(ours, 0)[:2].eval()(x), theirs[:4].eval()(x), atol=1e-4, rtol=1e-4)


def test_alexnet_gets_four_convolutions(published):
    theirs, ours = bricks(published("alexnet"), nn.Conv2d), alexnet(64, 512)
    mine, norms = bricks(ours, nn.Conv2d), bricks(ours, nn.BatchNorm2d)
    last = mine[4].weight.clone()
    load_imagenet(ours, "alexnet")
    assert [torch.equal(a.weight, b.weight) for a, b in zip(mine[:4], theirs)] == [True]*4
    assert torch.equal(mine[4].weight, last) and not any(norm.running_mean.any() for norm in norms)


@pytest.mark.parametrize("name, size", [("alexnet", 32), ("alexnet", 256), ("vgg", 32), ("vgg", 256),
                                        *(("resnet", size) for size in SIZES)])
def test_weights_fit_at_every_size_and_the_mask_starts_at_zero(name, size, published):
    theirs, ours = bricks(published(name), nn.Conv2d), OURS[name](size, 512, 4)
    load_imagenet(ours, name)
    first = bricks(ours, nn.Conv2d)[0].weight
    assert torch.equal(first[:, :3], theirs[0].weight) and not first[:, 3].any()
    kept = [any(a.weight.shape == b.weight.shape and torch.equal(a.weight, b.weight) for b in theirs)
            for a in bricks(ours, nn.Conv2d)[1:]]
    lone = name == "alexnet" or name == "resnet" and size == 256  # AlexNet's last, and the jump that only ours has
    assert kept.count(False) == lone


def test_with_the_mask_channel_at_zero_weight_the_mask_changes_nothing(published):
    published("resnet")
    ours, seen = resnet(32, 512, 4), torch.rand(2, 4, 32, 32)
    load_imagenet(ours, "resnet")
    other = torch.cat([seen[:, :3], 1 - seen[:, 3:]], 1)
    with torch.no_grad(): assert torch.equal(ours.eval()(seen), ours(other))


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("size", SIZES)
def test_every_size_reaches_four_by_four(name, size):
    for width, channels in ((64, 3), (512, 4)):
        with torch.device("meta"):
            drawn = encoder_of(name, size, width, channels)(torch.zeros(2, channels, size, size))
        assert drawn.shape == (2, width, 4, 4)


def work(net, size):
    with FlopCounterMode(display=False) as counter: net(torch.zeros(1, 3, size, size, device="meta"))
    return counter.get_total_flops()/2


@pytest.mark.parametrize("name", ENCODERS)
def test_a_laptop_can_train_it(name):
    p = PRESETS["laptop"]
    with torch.device("meta"): assert work(encoder_of(name, p.size, p.width).eval(), p.size) < .2e9


def test_parameters_are_torchvisions_without_classifier_and_biases():
    with torch.device("meta"): ours, theirs = resnet(128, 512), models.resnet18()
    assert sum(w.numel() for w in ours.parameters()) == sum(w.numel() for w in theirs.parameters()) - 513_000
    with torch.device("meta"): ours, theirs = vgg(128, 512), models.vgg11_bn().features
    biases = sum(m.out_channels for m in bricks(theirs, nn.Conv2d))
    assert sum(w.numel() for w in ours.parameters()) == sum(w.numel() for w in theirs.parameters()) - biases


FIELDS = {"small": 432, "strided": 190, "alexnet": 211, "vgg": 182, "resnet": 851}


@pytest.mark.parametrize("name", ENCODERS)
def test_receptive_field_at_256_is_where_the_gradient_ends(name):
    net = encoder_of(name, 256, 16).double().eval()
    for path, m in list(net.named_modules()):
        if isinstance(m, nn.MaxPool2d): net.set_submodule(path, nn.AvgPool2d(m.kernel_size, m.stride, m.padding))
        if isinstance(m, nn.Conv2d): nn.init.constant_(m.weight, 1/m.weight[0].numel())
    length = 64*(FIELDS[name]//32 + 2)  # of a strip: one row of the field is enough
    x = torch.ones(1, 3, 64, length, dtype=torch.double, requires_grad=True)
    y = net(x)
    y[0, 0, 0, y.shape[3]//2].backward()
    reached = (x.grad[0, 0] > 0).any(0).nonzero()
    assert receptive_field(net) == FIELDS[name] == int(reached.max() - reached.min()) + 1


def test_receptive_field_of_known_networks():
    with torch.device("meta"):
        resnet18, alexnet = nn.Sequential(*list(models.resnet18().children())[:-2]), models.alexnet().features
    assert receptive_field(nn.Sequential(*[nn.Conv2d(1, 1, 3) for _ in range(5)])) == 11
    assert receptive_field(resnet18) == 435
    assert receptive_field(alexnet) == 195


@pytest.mark.parametrize("name", ENCODERS)
def test_channels_last_changes_nothing(name):
    net, x = encoder_of(name).double().eval(), torch.rand(3, 3, 32, 32, dtype=torch.double)
    with torch.no_grad():
        plain = net(x)
        layout = torch.channels_last
        torch.testing.assert_close(net.to(memory_format=layout)(x.to(memory_format=layout)), plain)


@pytest.mark.parametrize("name", OURS)
def test_slopes_and_norms_are_as_described(name):
    net = OURS[name](64, 64)
    slopes = [m.negative_slope for m in net.modules() if isinstance(m, nn.LeakyReLU)]
    assert slopes and all(slope == .2 and slope is not True for slope in slopes) and not bricks(net, nn.ReLU)
    assert all((m.eps, m.momentum) == (1e-5, .1) for m in bricks(net, nn.BatchNorm2d))
    a, b = torch.randn(2, 1, 3, 64, 64, dtype=torch.double, generator=generator(0))
    f = net.double().eval()
    with torch.no_grad(): assert (f(a + b) - f(a) - f(b) + f(0*a)).abs().max() > .01*f(a).abs().max()


def test_a_block_adds_then_bends():
    net, leaky = resnet(32, 64).double().eval(), nn.LeakyReLU(.2)
    for block, c in ((net[1], 8), (net[3], 8)):  # the second has a jump
        x = torch.randn(2, c, 8, 8, dtype=torch.double)
        change = block.bn2(block.conv2(leaky(block.bn1(block.conv1(x)))))
        torch.testing.assert_close(block(x.clone()), leaky(change + (block.downsample(x) if block.downsample else x)))


@pytest.mark.parametrize("name", [*OURS, "strided", "small"])
def test_sizes_and_widths_that_do_not_fit_are_one_line(name):
    for size, width, words in ((100, 64, "32, 64, 128, 256 pixels, not 100"), (0, 64, "not 0"),
                               (256, 37, "multiple of")):
        with pytest.raises(InputError, match=words) as caught: encoder_of(name, size, width)
        assert "\n" not in str(caught.value) and (name in str(caught.value) or name == "small")


@pytest.mark.parametrize("name", OURS)
def test_pretrained_needs_width_512_and_says_so_before_fetching(name, offline):
    with pytest.raises(InputError, match="width 512 only: set width to 512"): encoder_of(name, pretrained=True)


@pytest.mark.parametrize("name", ["small", "strided"])
def test_pretrained_needs_an_encoder_that_has_weights(name, offline):
    with pytest.raises(InputError, match="choose from alexnet, vgg, resnet"):
        encoder_of(name, width=512, pretrained=True)


def test_without_a_network_one_line_says_what_to_do(offline):
    net = resnet(32, 512)
    before = net[0][0].weight.clone()
    with pytest.raises(InputError, match="cannot fetch .* resnet .*train without pretrained") as caught:
        load_imagenet(net, "resnet")
    assert "\n" not in str(caught.value) and torch.equal(net[0][0].weight, before)


def test_pretrained_reaches_the_network_of_a_configuration(published):
    theirs = published("resnet")
    config = TrainConfig(encoder="resnet", size=32, hole_px=8, width=512, mask="block", pretrained=True)
    assert torch.equal(make_network(config).encoder[0][0].weight[:, :3], theirs[0].weight)
