"""From one size to any photo: the square around each hole, and coarse to fine. What is known comes back bit for bit."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from context_inpaint.any_photo import (
    as_inpainter,
    coarse_to_fine,
    crops,
    double,
    fill_any_size,
    halve,
    hole_groups,
    middle,
    plug,
    resize,
)
from context_inpaint.core import InputError, generator
from context_inpaint.masks import MASKS, center, composite, hide, make_masks, reveal

NAN, SIZE = float("nan"), 32
kinds, seeds, holes = st.sampled_from(list(MASKS)), st.integers(0, 2**31), st.none() | st.floats(.001, .999)
sizes = st.tuples(st.integers(8, 70), st.integers(8, 70))
quick = settings(deadline=None, max_examples=60)


def bits(x): return x.contiguous().view(torch.int32)


def rand(*shape, seed=0): return torch.rand(*shape, generator=generator(seed))


# The square around each hole

@quick
@given(kinds, st.tuples(st.integers(8, 60), st.integers(8, 60)), holes, seeds,
       st.sampled_from([(64, 16), (64, 32), (33, 12), (33, 8), (20, 18)]))
def test_crops_cut_every_hole_once_with_the_trained_share_around_it(kind, size, hole, seed, trained):
    mask = make_masks(kind, 1, size, hole, seed=seed)[0, 0]
    total = torch.zeros(size, dtype=torch.int)
    for crop in crops(mask, *trained):
        total[crop.box] += crop.part
        (rows, columns), side = crop.box, crop.side
        assert crop.part.any(0)[[0, -1]].all() and crop.part.any(1)[[0, -1]].all(), "the box is not the smallest"
        before = [rows.start - crop.top, columns.start - crop.left]
        after = [crop.top + side - rows.stop, crop.left + side - columns.stop]
        longer = max(crop.part.shape)
        assert side in (longer + 2, longer + 3) or 0 <= side - longer*trained[0]/trained[1] < 2, "not the trained share"
        assert min(before + after) >= 1 and max(abs(b - a) for b, a in zip(before, after)) <= 1
        if side != trained[0]: assert any(b == a for b, a in zip(before, after)), "the longer side is not in the middle"
    assert torch.equal(total, mask.int())


def test_holes_that_touch_at_a_corner_are_one():
    assert len(list(crops(torch.eye(5, dtype=torch.bool), 8, 4))) == 1
    assert list(crops(torch.zeros(5, 5, dtype=torch.bool), 8, 4)) == []


@pytest.mark.parametrize("size, hole_px", [(32, 8), (33, 8), (32, 7), (33, 9), (64, 16), (128, 31)])
def test_the_trained_hole_is_its_own_crop(size, hole_px):
    mask = torch.from_numpy(center(size, size, hole_px/size))
    [crop] = crops(mask, size, hole_px)
    assert (crop.top, crop.left, crop.side) == (0, 0, size) and crop.part.shape == (hole_px, hole_px)
    assert crop.part.all() and mask[crop.box].all() and mask.sum() == hole_px**2


def test_a_plug_takes_the_nearest_known_colour_and_forgets_the_hidden():
    image, mask = rand(3, 6, 9), torch.zeros(1, 6, 9, dtype=torch.bool)
    mask[:, 2:4, 3:7] = True
    plugged = plug(image.masked_fill(mask, NAN), mask)
    assert torch.equal(plugged.masked_fill(mask, 0), image.masked_fill(mask, 0))
    assert torch.equal(plugged[:, 2, 4:6], image[:, 1, 4:6]) and torch.equal(plugged[:, 3, 4:6], image[:, 4, 4:6])
    assert (plug(image, mask | True) == .5).all() and torch.equal(plug(image, mask & False), image)


def test_resizing_keeps_the_range_the_mean_and_what_needs_none():
    image = rand(2, 3, 24, 36)
    assert resize(image, (24, 36)) is image
    for size in (12, (9, 36), (48, 50)):
        resized = resize(image, size)
        assert resized.shape[-2:] == tuple(np.broadcast_to(size, 2)) and 0 <= resized.min() and resized.max() <= 1
        assert abs(resized.mean() - image.mean()) < .01


def window_net(size, hole_px, window):
    """A network for a window: it repeats what stands to the left of it, brighter below."""
    top, left = (size - window)//2, max(0, (size - hole_px)//2 - window)
    return lambda seen: (.9*seen[:, :3, top:top + window, left:left + window]
                         + torch.linspace(0, .2, window)[:, None])


def whole_net(seen):
    """A network for whole pictures: everything moved by one pixel, brighter where its mask says hole."""
    return seen[:, :3].roll(1, -1)*.9 + .1*seen[:, 3:]


def named(name, size, hole_px):
    """Return a network and its window."""
    if name == "whole": return whole_net, None
    window = hole_px + (2 if name == "band" else 0)
    return window_net(size, hole_px, window), window


NETS = ["window", "band", "whole"]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(NETS), kinds, sizes | st.sampled_from([(24, 24), (25, 25)]), holes, seeds,
       st.sampled_from([(24, 6), (25, 6), (24, 7), (16, 4)]))
def test_any_network_becomes_an_inpainter_of_any_photo(name, kind, size, hole, seed, trained):
    net, window = named(name, *trained)
    inpaint = as_inpainter(net, *trained, window)
    image, mask = rand(3, 3, *size, seed=1), make_masks(kind, 3, size, hole, seed=seed)
    mask[2] = False
    before, hidden = image.clone(), mask.expand_as(image)
    out = inpaint(image, mask)
    assert torch.equal(image, before) and out.shape == image.shape and out.dtype == torch.float32
    assert torch.equal(bits(out)[~hidden], bits(image)[~hidden]), "a known pixel changed"
    assert out.min() >= 0 and out.max() <= 1
    for poison in (NAN, float("-inf")):
        assert torch.equal(bits(inpaint(image.masked_fill(mask, poison), mask)), bits(out)), "a hidden pixel leaked"
    for i in range(3):
        assert torch.equal(bits(inpaint(image[i:i + 1], mask[i:i + 1])), bits(out[i:i + 1])), "the batch matters"


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("size, hole_px", [(24, 6), (25, 6), (24, 7), (33, 9)])
def test_at_home_it_only_composites(name, size, hole_px):
    net, window = named(name, size, hole_px)
    image, mask = rand(4, 3, size, size), make_masks("center", 4, size, hole_px/size)
    output, a = reveal(net(hide(image, mask, name == "whole"))), (size - hole_px)//2
    if window: output = F.pad(middle(output, hole_px), (a, size - hole_px - a)*2)
    wanted = composite(image, output, mask)
    inpaint = as_inpainter(net, size, hole_px, window)
    assert torch.equal(bits(inpaint(image, mask)), bits(wanted))
    other = torch.cat([mask[:2], make_masks("block", 2, size)])     # with other holes it takes the long way round
    assert torch.equal(bits(inpaint(image, other))[:2], bits(wanted[:2]))


@pytest.mark.parametrize("hole_px, window", [(16, 16), (16, 20), (7, 9)])
def test_the_middle_of_a_window_leaves_its_band_out(hole_px, window):
    drawn, band = rand(2, 3, window, window), (window - hole_px)//2
    cut = middle(drawn, hole_px)
    assert cut.shape == (2, 3, hole_px, hole_px)
    assert torch.equal(cut[..., 0, 0], drawn[..., band, band])
    assert torch.equal(cut[..., -1, -1], drawn[..., band + hole_px - 1, band + hole_px - 1])


def test_a_hole_is_filled_at_its_own_scale():
    """A network that paints its window from black to white does so whatever the size of the hole; only the rim may mix
    with what is around."""
    ramp = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16)
    inpaint = as_inpainter(lambda seen: ramp.expand(len(seen), -1, -1, -1), 64, 16, 16)
    image, mask = torch.full((1, 3, 200, 301), .5), torch.zeros(1, 1, 200, 301, dtype=torch.bool)
    mask[..., 20:28, 30:38] = mask[..., 60:140, 150:230] = True
    out = inpaint(image, mask)
    for part, width in ((out[0, 0, 24, 30:38], 8), (out[0, 0, 100, 150:230], 80)):
        rim = max(1, width//16)
        assert (part - torch.linspace(0, 1, width))[rim:-rim].abs().max() < .1 and (part.diff()[rim:-rim] > 0).all()


def watched(seen, drawn):
    """Return a network that keeps what it was shown and answers with `drawn` of it."""
    def net(x):
        seen.append(x)
        return drawn(x)
    return net


def test_a_network_sees_the_context_at_the_trained_scale():
    seen = []
    image, mask = (torch.arange(256.)/255).expand(1, 3, 256, 256), torch.zeros(1, 1, 256, 256, dtype=torch.bool)
    mask[..., 112:144, 112:144] = True                      # twice the trained hole, so the crop is 128 wide, from 64
    as_inpainter(watched(seen, lambda x: x[:, :, 24:40, 24:40]), 64, 16, 16)(image, mask)
    assert seen[0].shape == (1, 3, 64, 64) and (seen[0].masked_select(make_masks("center", 1, 64)) == 0).all()
    assert torch.allclose(seen[0][0, 0, 0, 1:-1], 2*(64 + 2*torch.arange(1, 63) + .5)/255 - 1, atol=1e-5)


def test_a_network_for_a_window_sees_all_of_it_hidden_and_one_for_the_whole_only_the_hole():
    seen = []
    image, mask = torch.full((1, 3, 60, 61), .9), torch.zeros(1, 1, 60, 61, dtype=torch.bool)
    mask[..., 30:34, 20:36] = True                          # as wide as the trained hole, but lower
    as_inpainter(watched(seen, lambda x: x[:, :, 24:40, 24:40]), 64, 16, 16)(image, mask)
    as_inpainter(watched(seen, lambda x: x[:, :3]), 64, 16)(image, mask)
    window = make_masks("center", 1, 64)
    assert seen[0].shape[1] == 3 and torch.equal(seen[0][:, :1] == 0, window)
    assert seen[1].shape[1] == 4 and torch.equal(seen[1][:, :1] == 0, seen[1][:, 3:] == 1)
    assert seen[1][:, 3].sum() == 4*16 and (seen[1][:, 3:].bool() <= window).all()


def test_dust_more_holes_than_one_batch_of_the_network():
    image, mask = torch.full((2, 3, 90, 90), .5), torch.zeros(2, 1, 90, 90, dtype=torch.bool)
    mask[0, :, ::6, ::6] = mask[1, :, 1::9, 2::9] = True
    seen = []
    out = as_inpainter(watched(seen, lambda x: torch.ones(len(x), 3, 4, 4)), 16, 4, 4)(image, mask)
    assert sum(map(len, seen)) == 225 + 100 and max(map(len, seen)) <= 64
    assert (out.masked_select(mask) > .75).all() and torch.equal(out.masked_fill(mask, 0), image.masked_fill(mask, 0))


@pytest.mark.parametrize("shape", [(3, 5, 5), (3, 16, 17), (1, 4, 4), (3, 20, 20)])
@pytest.mark.parametrize("window", [4, None])
@pytest.mark.parametrize("home", [True, False])
def test_a_network_that_draws_something_else_is_refused(shape, window, home):
    image, mask = (rand(2, 3, 16, 16), make_masks("center", 2, 16)) if home else (
        rand(2, 3, 20, 21), make_masks("block", 2, (20, 21)))
    said = rf"the network drew \[\d+, .*\], not 3 colours of {window or 16}×{window or 16}: check size and window"
    with pytest.raises(InputError, match=said):
        as_inpainter(lambda seen: torch.zeros(len(seen), *shape), 16, 4, window)(image, mask)


def test_rounding_in_resizing_does_not_leave_the_range():
    inpaint = as_inpainter(lambda seen: torch.ones(len(seen), 3, 4, 4), 16, 4, 4)
    for side in range(1, 12):
        mask = torch.zeros(1, 1, 50, 60, dtype=torch.bool)
        mask[..., 20:20 + side, 30:30 + side] = True
        assert inpaint(torch.ones(1, 3, 50, 60), mask).max() == 1


def test_no_hole_and_no_pictures_ask_no_network():
    inpaint = as_inpainter(lambda seen: pytest.fail("asked"), 16, 4)
    image = rand(2, 3, 20, 21)
    assert torch.equal(inpaint(image, torch.zeros(2, 1, 20, 21, dtype=torch.bool)), image)
    assert inpaint(image[:0], torch.zeros(0, 1, 20, 21, dtype=torch.bool)).shape == (0, 3, 20, 21)


def test_no_gradient_is_kept_and_lower_precision_comes_back_as_float32():
    net = nn.Conv2d(4, 3, 1)
    image, mask = rand(1, 3, 20, 21), make_masks("block", 1, (20, 21))
    assert not as_inpainter(net, 16, 4)(image, mask).requires_grad
    half = as_inpainter(lambda seen: seen[:, :3].half(), 16, 4)
    assert half(image, mask).dtype == torch.float32
    assert half(rand(1, 3, 16, 16), make_masks("center", 1, 16)).dtype == torch.float32


class Sampler(nn.Module):
    """A network that can be asked for its mean, or for a draw of its own."""
    def forward(self, seen): return torch.zeros(len(seen), 3, 4, 4)
    def sample(self, seen, rng): return torch.rand(1, generator=rng).expand(len(seen), 3, 4, 4)


@pytest.mark.parametrize("size", [16, 30])
def test_samples_are_drawn_from_the_generator_that_is_given(size):
    image, mask = rand(1, 3, size, size), make_masks("center", 1, size, .25)
    mean, draw = as_inpainter(Sampler(), 16, 4, 4), as_inpainter(Sampler(), 16, 4, 4, sample=True)
    fills = [draw(image, mask, generator=generator(seed))[..., size//2, size//2] for seed in (1, 1, 2)]
    assert torch.equal(fills[0], fills[1]) and not torch.equal(fills[0], fills[2])
    assert (mean(image, mask)[..., size//2, size//2] == .5).all()


def test_a_module_is_asked_in_eval_mode():
    net = nn.Sequential(nn.Dropout(.5), nn.Conv2d(4, 3, 1)).train()
    inpaint, image, mask = as_inpainter(net, 16, 4), rand(1, 3, 16, 16), make_masks("center", 1, 16)
    assert torch.equal(inpaint(image, mask), inpaint(image, mask)) and not net.training


# Coarse to fine

class Convolutional(nn.Module):
    """A network for pictures of any size: two convolutions of what is seen and of the mask."""
    any_size = True

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(4, 8, 9, padding=4), nn.Tanh(), nn.Conv2d(8, 3, 5, padding=2))
        g = generator(5)
        for weight in self.parameters(): weight.data.normal_(0, .1, generator=g)

    def forward(self, seen): return self.layers(seen)


@pytest.fixture(scope="module")
def net(): return Convolutional().eval().requires_grad_(False)


def test_halving_takes_the_mean_of_what_is_known():
    image = torch.tensor([[.2, NAN, .5], [.4, .6, NAN], [NAN, NAN, .8]]).expand(1, 3, 3, 3)
    small, hidden = halve(image, image[:, :1].isnan())
    torch.testing.assert_close(small[0, 0], torch.tensor([[.4, .5], [0., .8]]))
    assert hidden[0, 0].tolist() == [[False, False], [True, False]]


@pytest.mark.parametrize("sides", [(3, 3), (7, 9), (8, 8)])
def test_doubling_undoes_halving_on_planes_and_fits(sides):
    plane = torch.full((1, 3, *sides), .3)
    small, hidden = halve(plane, make_masks("brush", 1, sides, .3))
    torch.testing.assert_close(double(torch.where(hidden, .3, small), sides), plane)


def test_groups_hold_each_hole_once_with_room_around_it():
    mask = np.zeros((200, 300), bool)
    mask[10:14, 10:14] = mask[12:20, 16:20] = True                       # near each other: one group
    mask[150, 250] = True
    mask[100:160, 100:160] = True
    found = list(hole_groups(mask, SIZE))
    assert len(found) == 3 and (sum(part.astype(int) for part, _ in found) == mask).all()
    for part, (rows, columns) in found:
        y, x = np.nonzero(part)
        margin = 3 + (16 if part.sum() < 1000 else 60)                    # 3: as far as neighbours are looked for
        assert rows.start == max(0, y.min() - margin) and rows.stop == y.max() + 1 + margin
        assert columns.start == max(0, x.min() - margin) and columns.stop == x.max() + 1 + margin


HOLES = {"several": [(5, 20, 5, 30), (50, 56, 80, 90), (60, 62, 10, 11)], "scratch": [(40, 41, 0, 110)],
         "pixel": [(30, 31, 40, 41)], "borders": [(0, 9, 0, 40), (60, 75, 90, 110)],
         "larger than half": [(3, 70, 10, 105)], "all but a pixel": [(1, 75, 0, 110), (0, 1, 1, 110)],
         "a column": [(0, 75, 50, 54)]}


def holed(name):
    mask = torch.zeros(1, 1, 75, 110, dtype=torch.bool)
    for top, bottom, left, right in HOLES[name]: mask[..., top:bottom, left:right] = True
    return rand(1, 3, 75, 110, seed=11), mask


@pytest.mark.parametrize("name", HOLES)
def test_any_hole_in_a_photo(name, net):
    image, mask = holed(name)
    before, inpaint = image.clone(), as_inpainter(net, SIZE, 8)
    filled = inpaint(image, mask)
    assert torch.equal(image, before), "the input was changed"
    assert torch.equal(filled.masked_fill(mask, 0), image.masked_fill(mask, 0)), "a known pixel changed"
    assert filled.dtype == torch.float32 and filled.min() >= 0 and filled.max() <= 1
    assert (filled != image).any(1, keepdim=True)[mask].all(), "a hidden pixel was left as it was"
    for other in (1 - image, torch.full_like(image, NAN)):
        assert torch.equal(inpaint(torch.where(mask, other, image), mask), filled), "a hidden pixel leaked"
    few = fill_any_size(net, image, mask, SIZE, most=1000)
    assert torch.equal(few.masked_fill(mask, 0), image.masked_fill(mask, 0)) and few.isfinite().all()


@pytest.mark.parametrize("sides", [(2000, 3), (1, 90), (33, 32), (20, 20)])
def test_any_hole_in_odd_shapes(sides, net):
    image, mask = rand(1, 3, *sides, seed=12), torch.ones(1, 1, *sides, dtype=torch.bool)
    mask[..., -1:, -1:] = False
    filled = as_inpainter(net, SIZE, 8)(image, mask)
    assert filled.isfinite().all() and torch.equal(filled[..., -1:, -1:], image[..., -1:, -1:])


def test_each_group_is_filled_from_its_own_surroundings(net):
    image, mask = rand(1, 3, 90, 120, seed=17), torch.zeros(1, 1, 90, 120, dtype=torch.bool)
    mask[..., 20:70, 20:60] = mask[..., 40:44, 70:74] = mask[..., 5:8, 50:110] = True
    expected, groups = image.clone(), list(hole_groups(mask[0, 0].numpy(), SIZE))
    assert len(groups) == 3

    def draw(x, m): return composite(x, reveal(net(hide(x, m, True))), m)

    for part, (rows, columns) in groups:
        filled = coarse_to_fine(draw, image[..., rows, columns], mask[..., rows, columns], SIZE, 1e6)
        own = torch.from_numpy(part[rows, columns])
        expected[..., rows, columns] = torch.where(own, filled, expected[..., rows, columns])
    assert torch.equal(as_inpainter(net, SIZE, 8)(image, mask), expected)


def test_a_picture_of_the_trained_size_is_filled_as_it_is(net):
    image, mask = rand(3, 3, SIZE, SIZE, seed=13), make_masks("mixed", 3, SIZE)
    expected = composite(image, reveal(net(hide(image, mask, True))), mask)
    assert torch.equal(as_inpainter(net, SIZE, 8)(image, mask), expected)


def test_pictures_of_a_batch_and_distant_holes_do_not_meet(net):
    image, masks = rand(2, 3, 75, 110, seed=14), torch.cat([holed("several")[1], holed("scratch")[1]])
    inpaint = as_inpainter(net, SIZE, 8)
    both = inpaint(image, masks)
    for b in range(2): assert torch.equal(inpaint(image[b:b + 1], masks[b:b + 1]), both[b:b + 1])
    assert torch.equal(inpaint(image, torch.zeros_like(masks)), image)
    wide, one = rand(1, 3, 40, 400, seed=15), torch.zeros(1, 1, 40, 400, dtype=torch.bool)
    one[..., 10:16, 10:20] = True
    two = one.clone()
    two[..., 20:30, 350:360] = True
    assert torch.equal(inpaint(wide, two)[..., :100], inpaint(wide, one)[..., :100])


def test_the_network_never_sees_a_thicker_hole_than_it_learned():
    asked = []

    def draw(image, mask):
        asked.append((mask.shape[-1], mask.clone()))
        return composite(image, torch.full_like(image, .5), mask)

    image, mask = rand(1, 3, 120, 160, seed=16), torch.zeros(1, 1, 120, 160, dtype=torch.bool)
    mask[..., 20:100, 30:130] = True
    filled = coarse_to_fine(draw, image, mask, SIZE, 1e6)
    assert [side for side, _ in asked] == [20, 40, 80, 160] and (filled[mask.expand_as(image)] == .5).all()
    for _, part in asked:
        near = F.max_pool2d((~part).float(), 2*(SIZE//4) + 1, 1, SIZE//4)
        assert near.all(), "a pixel lies deeper than a quarter of the trained side"
    asked.clear()
    coarse_to_fine(draw, image, mask, SIZE, 120*160 - 1)
    assert [side for side, _ in asked] == [20, 40, 80]


def test_the_band_that_is_drawn_again_is_an_eighth_of_the_size_wide():
    asked = []

    def draw(image, mask):
        asked.append(mask.clone())
        return composite(image, torch.full_like(image, .5), mask)

    mask = torch.zeros(1, 1, 120, 160, dtype=torch.bool)
    mask[..., 20:100, 30:130] = True
    coarse_to_fine(draw, rand(1, 3, 120, 160), mask, SIZE, 1e6)
    inner = torch.zeros_like(mask)
    inner[..., 24:96, 34:126] = True
    assert torch.equal(asked[-1], mask & ~inner)


def test_bad_input_is_refused(net):
    image, mask = holed("pixel")
    for a, m in ((image, mask.float()), (image, torch.ones_like(mask)), (image*255, mask), (image[0], mask)):
        with pytest.raises(InputError): as_inpainter(net, SIZE, 8)(a, m)
