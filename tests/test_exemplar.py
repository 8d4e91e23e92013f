"""Exemplar fills: periodic textures, priorities, what may be copied."""
import warnings

import numpy as np
import pytest
import torch

from context_inpaint.classical import harmonic
from context_inpaint.core import generator
from context_inpaint.exemplar import best_source, exemplar, exemplars, priorities, touching
from context_inpaint.masks import make_masks


def noise(n, height, width, seed=0): return torch.rand(n, 3, height, width, generator=generator(seed))


def middle(height, width, top, left, tall, wide):
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    mask[..., top:top + tall, left:left + wide] = True
    return mask


def test_touching_is_what_the_squares_say():
    where = torch.rand(2, 1, 14, 19, generator=generator(1)) < .03
    squares = where.unfold(2, 5, 1).unfold(3, 5, 1).flatten(4).any(-1)[:, 0]
    assert torch.equal(touching(where, 5), squares) and squares.any() and not squares.all()


@pytest.mark.parametrize("period", [(4, 6), (1, 7), (5, 1)])
def test_a_periodic_texture_is_continued_exactly(period):
    tile = noise(1, *period)
    image = tile.repeat(1, 1, 60//period[0] + 1, 60//period[1] + 1)[..., :60, :60]
    mask = middle(60, 60, 20, 22, 16, 19)
    assert torch.equal(exemplar(image.masked_fill(mask, torch.nan), mask), image)


def test_every_filled_patch_pixel_is_a_known_pixel():
    image, mask = noise(1, 40, 44), middle(40, 44, 12, 15, 11, 13)
    filled = exemplar(image.masked_fill(mask, torch.nan), mask)
    known = {tuple(c) for c in image[0].permute(1, 2, 0)[~mask[0, 0]].tolist()}
    assert {tuple(c) for c in filled[0].permute(1, 2, 0)[mask[0, 0]].tolist()} <= known


def test_the_priority_is_highest_where_the_edge_enters():
    grey, missing = np.zeros((40, 40), np.float32), np.zeros((40, 40), bool)
    grey[:, 20:], missing[12:28, 12:28] = 1, True
    urgency = priorities(grey*~missing, missing, (~missing).astype(np.float32), 9)
    y, x = np.unravel_index(urgency.argmax(), urgency.shape)
    assert y in (12, 27) and abs(x - 19.5) <= 5
    assert (urgency[13:27, 13:27] == -1).all() and (urgency[~missing] == -1).all() and (urgency[12, 12:28] > 0).all()
    side = urgency[16:24, 12]
    assert side.max() < .1*urgency.max(), "the edge does not run into the hole's left side"


def test_priorities_are_kept_up_to_date():
    """What is computed again around each copy is what computing all of it again would give."""
    photo = noise(1, 30, 33)[0].permute(1, 2, 0).numpy().copy()
    missing = middle(30, 33, 9, 11, 10, 9)[0, 0].numpy()
    photo[missing] = 0
    trust, count = None, 0
    for hole, urgency in exemplars(photo, missing, side=5):
        trust = (~missing).astype(np.float32) if trust is None else trust
        fresh = priorities(photo.mean(2), hole.copy(), trust, 5)
        assert np.array_equal(urgency >= 0, fresh >= 0), "another rim"
        if count == 0: assert np.allclose(urgency, fresh)
        count += 1
    assert count > 4


def test_the_nearest_source_is_that_of_comparing_all():
    photo = noise(1, 26, 31)[0].permute(1, 2, 0).numpy().copy()
    source, known = np.ones((20, 25), bool), np.ones((7, 7), bool)
    source[6:15, 8:18], known[3:, 4:] = False, False
    rows, columns = best_source(photo, source, np.array([9, 12]), known, reach=100)
    target = photo[9:16, 12:19]
    apart = {(y, x): float(((photo[y:y + 7, x:x + 7] - target)**2)[known].sum()) for y, x in zip(*source.nonzero())}
    assert (rows.start, columns.start) == min(apart, key=apart.get) and rows.stop - rows.start == 7
    near = best_source(photo, source, np.array([9, 12]), known, reach=4)
    assert abs(near[0].start - 9) <= 4 and abs(near[1].start - 12) <= 4
    source[5:14, 8:17] = False
    far = best_source(photo, source, np.array([9, 12]), known, reach=1)
    assert source[far[0].start, far[1].start], "nothing within reach: everywhere"


def test_nothing_to_copy_is_heat_and_one_warning():
    image, mask = noise(2, 20, 22), torch.zeros(2, 1, 20, 22, dtype=torch.bool)
    mask[..., ::5, ::5] = True
    with pytest.warns(UserWarning, match="nothing to copy from: no 9×9 pixels") as caught:
        filled = exemplar(image, mask)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert torch.equal(filled, harmonic(image, mask))
    mask[1] = False
    mask[1, :, 4:7, 4:7] = True
    with pytest.warns(UserWarning): both = exemplar(image, mask)
    assert torch.equal(both[:1], harmonic(image[:1], mask[:1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(both[1:], exemplar(image[1:], mask[1:]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_batch_is_its_pictures(dtype):
    image, mask = noise(3, 33, 41).to(dtype), make_masks("object", 3, (33, 41), .3)
    filled = exemplar(image, mask)
    assert filled.dtype == dtype and torch.equal(filled[~mask.expand_as(image)], image[~mask.expand_as(image)])
    assert torch.equal(filled, torch.cat([exemplar(image[i:i + 1], mask[i:i + 1]) for i in range(3)]))
