"""Holes, and the crop rule: any kind, size, hole and seed. What is known comes back bit for bit; what is hidden does not exist."""
import hashlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings, strategies as st

from context_inpaint.core import InputError, generator
from context_inpaint.any_photo import as_inpainter, crops
from context_inpaint.masks import center, check, composite, hide, make_masks, MASKS, resize_mask, reveal

kinds, seeds, holes = st.sampled_from(list(MASKS)), st.integers(0, 2**31), st.none() | st.floats(.001, .999)
sizes = st.tuples(st.integers(8, 70), st.integers(8, 70)) | st.sampled_from([(300, 500), (8, 200), (128, 9)])
quick = settings(deadline=None, max_examples=60)
OWN = {"center": .25, "block": .5, "brush": .5, "object": .4}


def bits(x): return x.contiguous().view(torch.int32)


def rand(*shape, seed=0): return torch.rand(*shape, generator=generator(seed))


# Masks

@settings(deadline=None, max_examples=150)
@given(kinds, sizes, holes, seeds)
@example("block", (9, 31), .1, 0)
@example("block", (3, 500), .09, 1)
@example("block", (2, 2), .7, 0)
@example("region", (8, 8), .999, 0)
@example("object", (300, 500), .95, 0)
@example("brush", (40, 500), .999, 0)
@example("center", (64, 64), .999, 0)
@example("object", (300, 500), .001, 0)
def test_a_mask_is_never_empty_never_all_and_about_as_large_as_asked(kind, size, hole, seed):
    mask = make_masks(kind, 1, size, hole, seed=seed)
    assert mask.shape == (1, 1, *size) and mask.dtype == torch.bool
    hidden, pixels, hole = mask.sum().item(), mask[0, 0].numel(), hole or OWN.get(kind)
    assert 0 < hidden < pixels
    if kind == "region" and hole is None: assert .19 <= hidden/pixels <= .31
    elif kind == "region": assert abs(hidden - hole**2*pixels) <= 1
    elif kind == "block": assert .74*hole**2*pixels - 1 <= hidden <= max(1, hole**2*pixels)
    elif kind == "brush": assert hole**2*pixels - 1 <= hidden <= 1.2*hole**2*pixels + max(6, .1*max(size))
    elif kind == "object": assert .9*hole**2*pixels - 2 <= hidden <= 1.15*hole**2*pixels + 6
    else: assert hidden in (pixels - 1, max(1, round(size[0]*hole))*max(1, round(size[1]*hole)))


@quick
@given(kinds, sizes, holes, seeds, st.integers(0, 10**6), st.integers(0, 3))
def test_a_mask_is_the_same_whatever_the_batch_and_the_global_seeds(kind, size, hole, seed, start, n):
    np.random.seed(start % 7), torch.manual_seed(start % 5)
    batch = make_masks(kind, n, size, hole, seed, start)
    assert len(batch) == n
    for i in range(n): assert torch.equal(make_masks(kind, 1, size, hole, seed, start + i), batch[i:i + 1])
    if min(size) > 16 and n > 1 and hole is None and kind != "center": assert not torch.equal(batch[0], batch[1])


@pytest.mark.parametrize("kind, digest", [
    ("center", "e998326d5f"), ("block", "2049ecc94c"), ("region", "19ac993b88"), ("brush", "f16c92bba8"), ("object", "12b00fdb82")])
def test_masks_are_frozen(kind, digest):
    """Scores are compared on these masks: if one changes, every recorded score is void."""
    found = hashlib.sha256()
    for size, hole in ((64, None), (64, .25), ((33, 47), .5), ((40, 25), .8)): found.update(np.packbits(make_masks(kind, 12, size, hole, seed=3).numpy()))
    assert found.hexdigest()[:10] == digest


@pytest.mark.parametrize("kind", ["region", "object", "center"])
def test_a_mask_has_one_shape_at_every_size(kind):
    small, large = make_masks(kind, 8, 48, .4, seed=2), make_masks(kind, 8, 144, .4, seed=2)
    small = F.interpolate(small.float(), 144, mode="nearest-exact") > .5
    assert ((small & large).sum((1, 2, 3))/(small | large).sum((1, 2, 3))).min() > .8


def test_a_size_may_be_a_number_or_two_of_any_integer_kind():
    for size in (20, np.int64(20), (20, 20), [20, 20], torch.Size([20, 20]), np.array([20, 20])):
        assert torch.equal(make_masks("block", 2, size), make_masks("block", 2, 20))
    assert make_masks("block", 0, (5, 6)).shape == (0, 1, 5, 6)


@pytest.mark.parametrize("arguments, message", [
    (("centre", 1, 64), "unknown mask 'centre': did you mean 'center'? choose from center, block, region, brush, object, mixed"),
    (("block", 1, 64, 0), "hole must be a fraction of the side between 0 and 1, got 0"),
    (("block", 1, 64, 1.), "hole must be a fraction of the side between 0 and 1, got 1"),
    (("block", 1, 64, 16), "hole must be a fraction of the side between 0 and 1, got 16"),
    (("block", 1, 64, float("nan")), "hole must be a fraction of the side between 0 and 1, got nan"),
    (("block", 1, 1), "no room for a hole and what surrounds it in 1 x 1 pixels: use a larger size"),
    (("block", 1, (0, 9)), "no room for a hole and what surrounds it in 0 x 9 pixels: use a larger size"),
    (("block", 1, 64, .5, -1), "seed and start must not be negative, got -1 and 0"),
    (("block", 1, 64, .5, 0, -2), "seed and start must not be negative, got 0 and -2")])
def test_bad_requests_for_masks_say_what_to_do(arguments, message):
    with pytest.raises(InputError) as e: make_masks(*arguments)
    assert str(e.value) == message


@quick
@given(kinds, st.tuples(st.integers(8, 60), st.integers(8, 60)), st.tuples(st.integers(4, 90), st.integers(4, 90)), seeds)
def test_a_resized_mask_holds_only_values_it_had_where_it_had_them(kind, size, to, seed):
    mask = make_masks(kind, 2, size, seed=seed)
    resized = resize_mask(mask, to)
    assert resized.dtype == torch.bool and resized.shape == (2, 1, *to)
    (rows, sure), (columns, certain) = (((2*torch.arange(t) + 1)*s//(2*t), (2*torch.arange(t) + 1)*s % (2*t) > 0) for s, t in zip(size, to))
    assert torch.equal(resized[:, :, sure][..., certain], mask[:, :, rows[sure]][..., columns[certain]])  # the others lie just between two
    assert torch.equal(resize_mask(mask, size), mask)
    assert torch.equal(resize_mask(resize_mask(mask, (3*size[0], 3*size[1])), size), mask)


# Seeing and compositing

@quick
@given(kinds, sizes, seeds, st.booleans())
def test_hide_shows_the_known_in_its_range_and_nothing_of_the_hidden(kind, size, seed, with_mask):
    image, mask = rand(2, 3, *size), make_masks(kind, 2, size, seed=seed)
    seen = hide(image, mask, with_mask)
    assert seen.shape == (2, 4 if with_mask else 3, *size) and seen.dtype == torch.float32 and seen.abs().max() <= 1
    assert (seen[:, :3].masked_select(mask) == 0).all()
    assert torch.equal(seen[:, :3].masked_fill(mask, 9), (2*image - 1).masked_fill(mask, 9))
    if with_mask: assert torch.equal(seen[:, 3:], mask.float())
    for poison in (float("nan"), float("inf"), -7.): assert torch.equal(bits(hide(image.masked_fill(mask, poison), mask, with_mask)), bits(seen))
    assert torch.allclose(reveal(seen[:, :3]).masked_fill(mask, 0), image.masked_fill(mask, 0), atol=1e-7)


def test_reveal_clamps():
    assert reveal(torch.tensor([-9., -1, 0, 1, 9])).tolist() == [0, 0, .5, 1, 1]


@quick
@given(kinds, sizes, seeds)
def test_composite_selects_bit_for_bit(kind, size, seed):
    mask = make_masks(kind, 2, size, seed=seed)
    image, fill = rand(2, 3, *size), rand(2, 3, *size, seed=1)
    image.flatten()[:6] = torch.tensor([-0., 1e-42, 1/3, 1., 0., float("nan")])
    known = ~mask.expand_as(image)
    for paint in (fill, torch.where(known, float("nan"), fill)):
        out = composite(torch.where(known, image, float("inf")), paint, mask)
        assert torch.equal(bits(out)[known], bits(image)[known]) and torch.equal(bits(out)[~known], bits(fill)[~known])


good = lambda: (torch.full((2, 3, 6, 7), .5), torch.eye(6, 7, dtype=torch.bool).expand(2, 1, 6, 7).clone())


@pytest.mark.parametrize("spoil, message", [
    (lambda i, m: (i[0], m), "image must be [B, 3, H, W], got [3, 6, 7]: add a batch axis with image[None]"),
    (lambda i, m: (i[:, :1], m), "image must be [B, 3, H, W], got [2, 1, 6, 7]: add a batch axis with image[None]"),
    (lambda i, m: ((255*i).byte(), m), "image must be float in [0, 1], got torch.uint8: use image / 255"),
    (lambda i, m: (i, m.float()), "mask must be bool with True = hole, got torch.float32: use mask > 0.5 where white means hole"),
    (lambda i, m: (i, m.byte()), "mask must be bool with True = hole, got torch.uint8: use mask > 0.5 where white means hole"),
    (lambda i, m: (i, m.expand(2, 3, 6, 7)), "mask must be [2, 1, 6, 7] like the image, got [2, 3, 6, 7]: use resize_mask, or [:, :1] of a mask with channels"),
    (lambda i, m: (i, m[:1]), "mask must be [2, 1, 6, 7] like the image, got [1, 1, 6, 7]: use resize_mask, or [:, :1] of a mask with channels"),
    (lambda i, m: (i, m[:, 0]), "mask must be [2, 1, 6, 7] like the image, got [2, 6, 7]: use resize_mask, or [:, :1] of a mask with channels"),
    (lambda i, m: (i, m[..., :5]), "mask must be [2, 1, 6, 7] like the image, got [2, 1, 6, 5]: use resize_mask, or [:, :1] of a mask with channels"),
    (lambda i, m: (i, m | torch.tensor([True, False])[:, None, None, None]), "a mask hides its whole picture: True means hole; if yours marks what is known, use ~mask"),
    (lambda i, m: (2*i - 1.5, m), "known pixels lie outside [0, 1], or are not finite: use image / 255, or (image + 1) / 2"),
    (lambda i, m: (i.masked_fill(~m, 1.001), m), "known pixels lie outside [0, 1], or are not finite: use image / 255, or (image + 1) / 2"),
    (lambda i, m: (torch.cat([i[:1], i[1:].masked_fill(~m[1:], float("nan"))]), m), "known pixels lie outside [0, 1], or are not finite: use image / 255, or (image + 1) / 2"),
    (lambda i, m: (i.numpy(), m), "image and mask must be torch tensors: use torch.from_numpy"),
    (lambda i, m: (i, m.numpy()), "image and mask must be torch tensors: use torch.from_numpy")])
def test_each_bad_input_has_its_line_and_every_inpainter_says_it(spoil, message):
    bad = spoil(*good())
    for call in (check, as_inpainter(lambda seen: pytest.fail("the network was asked"), 8, 2)):
        with pytest.raises(InputError) as e: call(*bad)
        assert str(e.value) == message


def test_check_accepts_what_is_right():
    image, mask = good()
    check(image, mask), check(image, ~mask), check(image, mask & False), check(image.masked_fill(mask, float("nan")), mask)
    check(torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.bool)), check(torch.ones(1, 3, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.bool))


# The crop rule

@quick
@given(kinds, st.tuples(st.integers(8, 60), st.integers(8, 60)), holes, seeds, st.sampled_from([(64, 16), (64, 32), (33, 12), (33, 8), (20, 18)]))
def test_crops_cut_every_hole_once_with_the_trained_share_around_it(kind, size, hole, seed, trained):
    mask = make_masks(kind, 1, size, hole, seed=seed)[0, 0]
    total = torch.zeros(size, dtype=torch.int)
    for part, top, left, side in crops(mask, *trained):
        total += part
        y, x = part.nonzero(as_tuple=True)
        assert top <= y.min() and y.max() < top + side and left <= x.min() and x.max() < left + side
        before = [(y.min() - top).item(), (x.min() - left).item()]
        after = [(top + side - 1 - y.max()).item(), (left + side - 1 - x.max()).item()]
        window = max(y.max() - y.min(), x.max() - x.min()).item() + 1
        assert side in (window + 2, window + 3) or 0 <= side - window*trained[0]/trained[1] < 2, "not the trained share"
        assert min(before + after) >= 1 and max(abs(b - a) for b, a in zip(before, after)) <= 1
        if side != trained[0]: assert any(b == a for b, a in zip(before, after)), "the longer side is not in the middle"
    assert torch.equal(total, mask.int())


def test_holes_that_touch_at_a_corner_are_one():
    assert len(list(crops(torch.eye(5, dtype=torch.bool), 8, 4))) == 1 and list(crops(torch.zeros(5, 5, dtype=torch.bool), 8, 4)) == []


@pytest.mark.parametrize("size, hole", [(32, 8), (33, 8), (32, 7), (33, 9), (64, 16), (128, 31)])
def test_the_trained_hole_is_its_own_crop(size, hole):
    mask = torch.from_numpy(center(size, size, hole/size))
    [(part, top, left, side)] = crops(mask, size, hole)
    assert (top, left, side) == (0, 0, size) and torch.equal(part, mask) and mask.sum() == hole**2


def window_net(size, hole):
    """A network for a window: it repeats what stands to the left of it, brighter below."""
    a = (size - hole)//2
    return lambda seen: .9*seen[:, :3, a:a + hole, a - hole:a] + torch.linspace(0, .2, hole)[:, None]


def whole_net(seen):
    """A network for whole pictures: everything moved by one pixel, brighter where its mask says hole, if it has one."""
    return seen[:, :3].roll(1, -1)*.9 + (.05 if seen.shape[1] == 3 else .1*seen[:, 3:])


NETS = {"window": (lambda s, h: window_net(s, h), False), "window, mask": (lambda s, h: window_net(s, h), True),
        "whole": (lambda s, h: whole_net, False), "whole, mask": (lambda s, h: whole_net, True)}


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(list(NETS)), kinds, st.tuples(st.integers(8, 70), st.integers(8, 70)) | st.sampled_from([(24, 24), (25, 25)]), holes, seeds,
       st.sampled_from([(24, 6), (25, 6), (24, 7), (16, 4)]))
def test_any_network_becomes_an_inpainter_of_any_photo(name, kind, size, hole, seed, trained):
    make, with_mask = NETS[name]
    inpaint = as_inpainter(make(*trained), *trained, with_mask=with_mask)
    image, mask = rand(3, 3, *size, seed=1), make_masks(kind, 3, size, hole, seed=seed)
    mask[2] = False
    before, hidden = image.clone(), mask.expand_as(image)
    out = inpaint(image, mask)
    assert torch.equal(image, before) and out.shape == image.shape and out.dtype == torch.float32
    assert torch.equal(bits(out)[~hidden], bits(image)[~hidden]), "a known pixel changed"
    assert out.min() >= 0 and out.max() <= 1
    for poison in (float("nan"), float("-inf")): assert torch.equal(bits(inpaint(image.masked_fill(mask, poison), mask)), bits(out)), "a hidden pixel leaked"
    for i in range(3): assert torch.equal(bits(inpaint(image[i:i + 1], mask[i:i + 1])), bits(out[i:i + 1])), "the batch matters"


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("size, hole", [(24, 6), (25, 6), (24, 7), (33, 9)])
def test_at_home_it_only_composites(name, size, hole):
    make, with_mask = NETS[name]
    net, image, mask = make(size, hole), rand(4, 3, size, size), make_masks("center", 4, size, hole/size)
    output, a = reveal(net(hide(image, mask, with_mask))), (size - hole)//2
    if output.shape[-1] == hole: output = F.pad(output, (a, size - hole - a)*2)
    wanted = composite(image, output, mask)
    inpaint = as_inpainter(net, size, hole, with_mask)
    assert torch.equal(bits(inpaint(image, mask)), bits(wanted))
    other = torch.cat([mask[:2], make_masks("block", 2, size)])     # in a batch with other holes it takes the long way round
    assert torch.equal(bits(inpaint(image, other))[:2], bits(wanted[:2]))


def test_a_hole_is_filled_at_its_own_scale():
    """A network that paints its window from black to white does so whatever the size of the hole; only the rim may mix with what is around."""
    ramp = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16)
    inpaint = as_inpainter(lambda seen: ramp.expand(len(seen), -1, -1, -1), 64, 16)
    image, mask = torch.full((1, 3, 200, 301), .5), torch.zeros(1, 1, 200, 301, dtype=torch.bool)
    mask[..., 20:28, 30:38] = mask[..., 60:140, 150:230] = True
    out = inpaint(image, mask)
    for part, width in ((out[0, 0, 24, 30:38], 8), (out[0, 0, 100, 150:230], 80)):
        rim = max(1, width//16)
        assert (part - torch.linspace(0, 1, width))[rim:-rim].abs().max() < .1 and (part.diff()[rim:-rim] > 0).all()


def test_a_network_sees_the_context_at_the_trained_scale():
    seen = []
    def net(x): seen.append(x); return x[:, :, 24:40, 24:40]
    image, mask = (torch.arange(256.)/255).expand(1, 3, 256, 256), torch.zeros(1, 1, 256, 256, dtype=torch.bool)
    mask[..., 112:144, 112:144] = True                                # twice the trained hole, so the crop is 128 wide, from 64
    as_inpainter(net, 64, 16)(image, mask)
    assert seen[0].shape == (1, 3, 64, 64) and (seen[0].masked_select(make_masks("center", 1, 64)) == 0).all()
    assert torch.allclose(seen[0][0, 0, 0, 1:-1], 2*(64 + 2*torch.arange(1, 63) + .5)/255 - 1, atol=1e-5)


def test_a_network_without_a_mask_sees_its_whole_window_hidden_and_one_with_a_mask_only_the_hole():
    seen = []
    def net(x): seen.append(x); return x[:, :3]
    image, mask = torch.full((1, 3, 60, 61), .9), torch.zeros(1, 1, 60, 61, dtype=torch.bool)
    mask[..., 30:34, 20:36] = True                                    # as wide as the trained hole, but lower
    for with_mask in (False, True): as_inpainter(net, 64, 16, with_mask)(image, mask)
    window = make_masks("center", 1, 64)
    assert torch.equal(seen[0][:, :1] == 0, window)
    assert torch.equal(seen[1][:, :1] == 0, seen[1][:, 3:] == 1) and seen[1][:, 3].sum() == 4*16 and (seen[1][:, 3:].bool() <= window).all()


def test_dust_more_holes_than_one_batch_of_the_network():
    image, mask = torch.full((2, 3, 90, 90), .5), torch.zeros(2, 1, 90, 90, dtype=torch.bool)
    mask[0, :, ::6, ::6] = mask[1, :, 1::9, 2::9] = True
    sizes = []
    def net(seen): sizes.append(len(seen)); return torch.ones(len(seen), 3, 4, 4)
    out = as_inpainter(net, 16, 4)(image, mask)
    assert sum(sizes) == 225 + 100 and max(sizes) <= 64
    assert (out.masked_select(mask) > .75).all() and torch.equal(out.masked_fill(mask, 0), image.masked_fill(mask, 0))


@pytest.mark.parametrize("shape", [(3, 5, 5), (3, 16, 17), (1, 4, 4), (3, 20, 20)])
def test_a_network_of_another_size_is_refused(shape):
    image, mask = rand(2, 3, 20, 21), make_masks("block", 2, (20, 21))
    with pytest.raises(InputError, match=r"the network gave \[\d+, .*\]: neither its window nor the picture; check size and hole"):
        as_inpainter(lambda seen: torch.zeros(len(seen), *shape), 16, 4)(image, mask)


def test_rounding_in_resizing_does_not_leave_the_range():
    for side in range(1, 12):
        mask = torch.zeros(1, 1, 50, 60, dtype=torch.bool)
        mask[..., 20:20 + side, 30:30 + side] = True
        assert as_inpainter(lambda seen: torch.ones(len(seen), 3, 4, 4), 16, 4)(torch.ones(1, 3, 50, 60), mask).max() == 1


def test_no_hole_and_no_pictures_ask_no_network():
    inpaint = as_inpainter(lambda seen: pytest.fail("asked"), 16, 4)
    image = rand(2, 3, 20, 21)
    assert torch.equal(inpaint(image, torch.zeros(2, 1, 20, 21, dtype=torch.bool)), image)
    assert inpaint(image[:0], torch.zeros(0, 1, 20, 21, dtype=torch.bool)).shape == (0, 3, 20, 21)


def test_no_gradient_is_kept_and_lower_precision_comes_back_as_float32():
    net = torch.nn.Conv2d(3, 3, 1)
    image, mask = rand(1, 3, 20, 21), make_masks("block", 1, (20, 21))
    assert not as_inpainter(net, 16, 4)(image, mask).requires_grad
    assert as_inpainter(lambda seen: seen.half(), 16, 4)(image, mask).dtype == torch.float32
    assert as_inpainter(lambda seen: seen.half(), 16, 4)(rand(1, 3, 16, 16), make_masks("center", 1, 16)).dtype == torch.float32
