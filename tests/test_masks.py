"""Holes of any kind, size and seed; what a network may see; what is known comes back bit for bit."""
import hashlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st

from context_inpaint.any_photo import as_inpainter
from context_inpaint.core import InputError, generator
from context_inpaint.masks import (
    MASKS,
    check,
    composite,
    connected_holes,
    from_network,
    hide,
    make_masks,
    resize_mask,
    reveal,
    to_network,
)

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
    np.random.seed(start % 7)
    torch.manual_seed(start % 5)
    batch = make_masks(kind, n, size, hole, seed, start)
    assert len(batch) == n
    for i in range(n): assert torch.equal(make_masks(kind, 1, size, hole, seed, start + i), batch[i:i + 1])
    if min(size) > 16 and n > 1 and hole is None and kind != "center": assert not torch.equal(batch[0], batch[1])


@pytest.mark.parametrize("kind, digest", [
    ("center", "e998326d5f"), ("block", "2049ecc94c"), ("region", "19ac993b88"), ("brush", "f16c92bba8"),
    ("object", "12b00fdb82")])
def test_masks_are_frozen(kind, digest):
    """Scores are compared on these masks: if one changes, every recorded score is void."""
    found = hashlib.sha256()
    for size, hole in ((64, None), (64, .25), ((33, 47), .5), ((40, 25), .8)):
        found.update(np.packbits(make_masks(kind, 12, size, hole, seed=3).numpy()))
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
    (("centre", 1, 64), "unknown mask 'centre': did you mean 'center'? choose from center, block, region, brush, "
                        "object, mixed"),
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
@given(kinds, st.tuples(st.integers(8, 60), st.integers(8, 60)), st.tuples(st.integers(4, 90), st.integers(4, 90)),
       seeds)
def test_a_resized_mask_holds_only_values_it_had_where_it_had_them(kind, size, to, seed):
    mask = make_masks(kind, 2, size, seed=seed)
    resized = resize_mask(mask, to)
    assert resized.dtype == torch.bool and resized.shape == (2, 1, *to)

    def nearest(s, t):
        """Return where each of t pixels lies among s, and whether it is sure: not just between two."""
        twice = (2*torch.arange(t) + 1)*s
        return twice//(2*t), twice % (2*t) > 0

    (rows, sure), (columns, certain) = nearest(size[0], to[0]), nearest(size[1], to[1])
    assert torch.equal(resized[:, :, sure][..., certain], mask[:, :, rows[sure]][..., columns[certain]])
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
    for poison in (float("nan"), float("inf"), -7.):
        assert torch.equal(bits(hide(image.masked_fill(mask, poison), mask, with_mask)), bits(seen))
    assert torch.allclose(reveal(seen[:, :3]).masked_fill(mask, 0), image.masked_fill(mask, 0), atol=1e-7)


def test_the_range_of_networks_and_back():
    assert to_network(torch.tensor([0, .25, 1])).tolist() == [-1, -.5, 1]
    assert from_network(torch.tensor([-9., -1, 0, 1, 9])).tolist() == [-4, 0, .5, 1, 5]
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


def good(): return torch.full((2, 3, 6, 7), .5), torch.eye(6, 7, dtype=torch.bool).expand(2, 1, 6, 7).clone()


AXIS = "add a batch axis with image[None]"
ASK = "use mask > 0.5 where white means hole"
FIT = "use resize_mask, or [:, :1] of a mask with channels"
RANGE = "known pixels lie outside [0, 1], or are not finite: use image / 255, or (image + 1) / 2"


@pytest.mark.parametrize("spoil, message", [
    (lambda i, m: (i[0], m), "image must be [B, 3, H, W], got [3, 6, 7]: " + AXIS),
    (lambda i, m: (i[:, :1], m), "image must be [B, 3, H, W], got [2, 1, 6, 7]: " + AXIS),
    (lambda i, m: ((255*i).byte(), m), "image must be float in [0, 1], got torch.uint8: use image / 255"),
    (lambda i, m: (i, m.float()), "mask must be bool with True = hole, got torch.float32: " + ASK),
    (lambda i, m: (i, m.byte()), "mask must be bool with True = hole, got torch.uint8: " + ASK),
    (lambda i, m: (i, m.expand(2, 3, 6, 7)), "mask must be [2, 1, 6, 7] like the image, got [2, 3, 6, 7]: " + FIT),
    (lambda i, m: (i, m[:1]), "mask must be [2, 1, 6, 7] like the image, got [1, 1, 6, 7]: " + FIT),
    (lambda i, m: (i, m[:, 0]), "mask must be [2, 1, 6, 7] like the image, got [2, 6, 7]: " + FIT),
    (lambda i, m: (i, m[..., :5]), "mask must be [2, 1, 6, 7] like the image, got [2, 1, 6, 5]: " + FIT),
    (lambda i, m: (i, m | torch.tensor([True, False])[:, None, None, None]),
     "a mask hides its whole picture: True means hole; if yours marks what is known, use ~mask"),
    (lambda i, m: (2*i - 1.5, m), RANGE),
    (lambda i, m: (i.masked_fill(~m, 1.001), m), RANGE),
    (lambda i, m: (torch.cat([i[:1], i[1:].masked_fill(~m[1:], float("nan"))]), m), RANGE),
    (lambda i, m: (i.numpy(), m), "image and mask must be torch tensors: use torch.from_numpy"),
    (lambda i, m: (i, m.numpy()), "image and mask must be torch tensors: use torch.from_numpy")])
def test_each_bad_input_has_its_line_and_every_inpainter_says_it(spoil, message):
    bad = spoil(*good())
    for call in (check, as_inpainter(lambda seen: pytest.fail("the network was asked"), 8, 2)):
        with pytest.raises(InputError) as e: call(*bad)
        assert str(e.value) == message


def test_check_accepts_what_is_right():
    image, mask = good()
    for fine in ((image, mask), (image, ~mask), (image, mask & False), (image.masked_fill(mask, float("nan")), mask)):
        check(*fine)
    for value in (0., 1.): check(torch.full((1, 3, 2, 2), value), torch.zeros(1, 1, 2, 2, dtype=torch.bool))


def test_connected_holes_come_once_each_in_their_boxes():
    mask = np.zeros((9, 12), bool)
    mask[1:3, 1:4] = mask[3, 4] = mask[6:9, 9:12] = True          # the second touches the first at a corner
    mask[7, 10] = False
    (first, box), (second, place) = connected_holes(mask)
    assert box == (slice(1, 4), slice(1, 5)) and first.sum() == 7 and not first[2, :3].any()
    assert place == (slice(6, 9), slice(9, 12)) and second.sum() == 8 and not second[1, 1]
    assert list(connected_holes(mask & False)) == []
