"""Patches: the matcher and PatchMatch against brute force, periodic textures, windows, seams, sources."""
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from context_inpaint import patches as module
from context_inpaint.classical import harmonic
from context_inpaint.core import generator
from context_inpaint.data import load
from context_inpaint.exemplar import copyable
from context_inpaint.masks import make_masks
from context_inpaint.patches import (
    SIDE,
    Grid,
    blend,
    cosines,
    describe,
    double,
    exact,
    halvings,
    liveliness,
    origins,
    patches,
    patchmatch,
    pyramid,
    seams,
    synthesise,
    vote,
    weigh,
    windows,
)


def noise(n, height, width, seed=0): return torch.rand(n, 3, height, width, generator=generator(seed))


def middle(height, width, top, left, tall, wide):
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    mask[..., top:top + tall, left:left + wide] = True
    return mask


def brute(grid, sources, targets):
    """The squared distance of each target to its nearest known patch, one target at a time."""
    picture = torch.arange(len(sources))//(grid.shape[1]*grid.shape[2])
    return torch.stack([(sources[grid.known & (picture == b)] - t).square().sum(1).min()
                        for b, t in zip(grid.b.tolist(), targets)])


def setting(seed=0):
    image = load("samples", size=40).batch([0, 3])[..., :36, :40].double()
    mask = torch.cat([middle(36, 40, 10, 12, 9, 11), middle(36, 40, 0, 30, 6, 5)])
    grid, basis = Grid.of(mask, mask), cosines().double()
    sources = describe(image, basis)
    return grid, sources, sources[grid.number(grid.y, grid.x)] + .1*torch.randn(
        len(grid.b), len(basis), generator=generator(seed), dtype=torch.float64)


def scattered(grid, seed=1):
    """A field with a random known patch of its picture for each patch."""
    field, size = torch.arange(len(grid.known)), grid.shape[1]*grid.shape[2]
    for b in range(grid.shape[0]):
        known = grid.known[b*size:(b + 1)*size].nonzero()[:, 0] + b*size
        mine = grid.number(grid.y, grid.x)[grid.b == b]
        field[mine] = known[torch.randint(len(known), (len(mine),), generator=generator(seed))]
    return field


def test_the_basis_is_orthonormal_and_coarse_first():
    basis = cosines().flatten(1)
    assert torch.allclose(basis @ basis.T, torch.eye(21), atol=1e-6)
    assert torch.allclose(basis[0], torch.full((147,), 147**-.5))
    assert torch.allclose(describe(noise(1, 7, 7), cosines()), (noise(1, 7, 7).flatten(1) @ basis.T), atol=1e-5)


def test_liveliness_is_a_standard_deviation_and_heat_where_unknown():
    image, mask = noise(1, 30, 32), middle(30, 32, 11, 12, 5, 6)
    grid = Grid.of(mask, mask)
    found = liveliness(image.masked_fill(mask, 0.), grid.known).view(grid.shape)[0]
    patch = image[0, :, 2:9, 20:27].mean(0)
    assert torch.isclose(found[2, 20], 7*patch.std(correction=0), atol=1e-4) and grid.known.view(grid.shape)[0, 2, 20]
    inside = found.flatten()[~grid.known]
    assert inside.min() >= found.flatten()[grid.known].min() - 1e-3
    assert inside.max() <= found.flatten()[grid.known].max() + 1e-3


def test_grid_numbers_and_places():
    mask = middle(20, 23, 5, 6, 4, 3).expand(2, -1, -1, -1)
    grid = Grid.of(mask, mask)
    assert grid.shape == (2, 14, 17) and len(grid.b) == 2*9*9  # rows 0 to 8 and columns 0 to 8
    y, x = grid.place(grid.number(grid.y, grid.x))
    assert torch.equal(y, grid.y) and torch.equal(x, grid.x)
    assert not grid.known[grid.number(grid.y, grid.x)].any() and int((~grid.known).sum()) == len(grid.b)
    assert torch.equal(grid.number(grid.y - 100, grid.x + 100)//17 % 14, torch.zeros_like(grid.y))


@pytest.mark.parametrize("budget", [2**24, 3000, 7])
def test_the_exact_matcher_is_brute_force(budget):
    grid, sources, targets = setting()
    found = exact(grid, sources, targets, budget)
    assert grid.known[found].all() and torch.equal(found//(grid.shape[1]*grid.shape[2]), grid.b)
    assert torch.allclose((sources[found] - targets).square().sum(1), brute(grid, sources, targets))


def test_patchmatch_never_worsens_and_comes_near():
    grid, sources, targets = setting()
    here, field, best = grid.number(grid.y, grid.x), scattered(grid), brute(grid, sources, targets)
    before, known = (sources[field[here]] - targets).square().sum(1), field.clone()
    for step in range(8):
        apart = patchmatch(grid, field, sources, targets, generator(step))
        assert torch.allclose(apart, (sources[field[here]] - targets).square().sum(1))
        assert (apart <= before + 1e-12).all() and grid.known[field[here]].all()
        assert torch.equal(field[here]//(grid.shape[1]*grid.shape[2]), grid.b), "a match in another picture"
        before = apart
    others = torch.ones(len(field), dtype=torch.bool).index_fill(0, here, False)
    assert torch.equal(field[others], known[others]), "a known patch's match is itself"
    assert before.mean() < 1.15*best.mean() and (before <= best*1.0001 + 1e-9).float().mean() > .5


def test_one_good_match_is_passed_on():
    """By propagation alone: where one offset is right for all, one patch that knows it tells the others."""
    image = noise(1, 6, 8).repeat(1, 1, 6, 6)
    mask = middle(36, 48, 12, 16, 10, 14)
    grid, sources = Grid.of(mask, mask), describe(image, cosines())
    here = grid.number(grid.y, grid.x)
    field = scattered(grid)
    y, x = grid.y + 18, grid.x
    right = grid.number(y, x)
    usable = grid.known[right]
    one = int(usable.nonzero()[0])
    field[here[one]] = right[one]
    search = module.Search(grid, field, sources, sources[here])
    for _ in range(4): search.propagate()
    assert (search.apart < 1e-6)[usable].float().mean() > .9


def test_votes_of_true_patches_are_the_picture():
    """A field that points to true copies gives the truth back, whatever the weights."""
    image = noise(2, 5, 6).repeat(1, 1, 8, 8)
    mask = torch.cat([middle(40, 48, 15, 18, 7, 8), middle(40, 48, 0, 40, 6, 8)])
    grid = Grid.of(mask, mask)
    sources = describe(image, cosines())
    field = torch.arange(len(grid.known))
    field[grid.number(grid.y, grid.x)] = exact(grid, sources, sources[grid.number(grid.y, grid.x)])
    weight = torch.rand(len(field), generator=generator(3))
    filled = vote(grid, field, weight, image.masked_fill(mask, 7.), mask)
    assert torch.allclose(filled, image, atol=1e-5)


def test_a_vote_is_the_weighted_mean():
    image, mask = noise(1, 24, 25), middle(24, 25, 5, 6, 1, 1)  # 18×19 patches, 6×7 of which touch
    grid = Grid.of(mask, mask)
    field, weight = torch.arange(len(grid.known)), torch.rand(len(grid.known), generator=generator(2))
    known = grid.known.nonzero()[:, 0]
    here = grid.number(grid.y, grid.x)
    field[here] = known[torch.randint(len(known), (len(here),), generator=generator(4))]
    total, weights = torch.zeros(3), 0.
    for number in here.tolist():
        y, x = number//19, number % 19
        qy, qx = int(field[number])//19, int(field[number]) % 19
        total += weight[number]*image[0, :, qy + 5 - y, qx + 6 - x]
        weights += weight[number]
    filled = vote(grid, field, weight, image.masked_fill(mask, torch.nan), mask)
    assert torch.allclose(filled[0, :, 5, 6], total/weights, atol=1e-5)


def test_weights_fall_with_depth_and_distance():
    mask = middle(40, 40, 10, 10, 20, 20)
    grid = Grid.of(mask, mask)
    rim = weigh(grid, mask).view(grid.shape)[0]
    assert torch.isclose(rim[17, 17], rim.min()) and float(rim[0, 0]) == 1 and rim[12, 17] > rim[17, 17]
    apart = torch.rand(len(grid.b), generator=generator(0))
    both = weigh(grid, mask, apart)[grid.number(grid.y, grid.x)]/rim.flatten()[grid.number(grid.y, grid.x)]
    assert torch.allclose(both, torch.exp(-3*apart/apart.mean()), atol=1e-4)


@pytest.mark.parametrize("size", [(71, 93), (128, 100), (65, 64), (30, 300)])
def test_the_pyramid_hides_what_saw_a_hidden_pixel(size):
    image, mask = noise(1, *size), middle(*size, 11, 17, 9, 13)
    scales = pyramid(image.masked_fill(mask, torch.nan), mask, mask, None)
    assert [s.missing.shape for s in scales] == [m.shape for m in halvings(mask)] and len(scales) > 1
    for fine, coarse in zip(scales, scales[1:]):
        height, width = fine.image.shape[2:]
        assert coarse.image.shape[2:] == (-(-height//2), -(-width//2))
        for y, x in ((0, 0), (5, 8), (7, 9), (coarse.image.shape[2] - 1, coarse.image.shape[3] - 1)):
            cell = fine.missing[0, 0, 2*y:2*y + 2, 2*x:2*x + 2]
            assert bool(coarse.missing[0, 0, y, x]) == bool(cell.any())
            mean = fine.image[0, :, 2*y:2*y + 2, 2*x:2*x + 2].mean((1, 2))
            if not cell.any(): assert torch.allclose(coarse.image[0, :, y, x], mean, atol=1e-5)
    assert not any(s.image.isnan().any() for s in scales), "hidden pixels were averaged in"


def test_a_doubled_field_goes_twice_as_far():
    for size in ((80, 96), (81, 95)):
        mask = middle(*size, 30, 34, 12, 15)
        small = F.max_pool2d(mask.float(), 2, ceil_mode=True) > 0
        coarse, grid = Grid.of(small, small), Grid.of(mask, mask)
        field = double(scattered(coarse), coarse, grid)
        here = grid.number(grid.y, grid.x)
        assert grid.known[field[here]].all(), "a doubled match touches the hole"
        rest = torch.ones(len(field), dtype=torch.bool).index_fill(0, here, False)
        assert torch.equal(field[rest], torch.arange(len(field))[rest])
    shift = torch.arange(len(coarse.known))
    shift[coarse.number(coarse.y, coarse.x)] = coarse.number(coarse.y - 2, coarse.x + 1)
    y, x = grid.place(double(shift, coarse, grid)[here])
    assert torch.equal(y, (grid.y - 4).clamp_min(0)) and torch.equal(x, (grid.x + 2).clamp_max(grid.shape[2] - 1))


TEXTURES = {"checkers": lambda y, x: (y//4 + x//4) % 2, "stripes": lambda y, x: (y//3) % 2 + 0*x,
            "slanted": lambda y, x: ((y + x)//4) % 2, "bars": lambda y, x: (x % 8)/8 + 0*y}


@pytest.mark.parametrize("name", TEXTURES)
def test_a_periodic_texture_is_continued(name):
    y, x = torch.meshgrid(torch.arange(64.), torch.arange(64.), indexing="ij")
    image = (TEXTURES[name](y, x)*.8 + .1)[None, None].expand(1, 3, -1, -1).contiguous()
    mask = middle(64, 64, 22, 25, 10, 11)
    filled = patches(image.masked_fill(mask, torch.nan), mask, generator=generator(0))
    assert (filled - image).abs().max() < .01


def test_copies_come_from_known_pixels_only():
    image, mask = load("samples", size=96).batch(range(3)), make_masks("object", 3, 96, .3, seed=4)
    for level in synthesise(image.masked_fill(mask, 0.), mask, generator=generator(0)):
        here = level.grid.number(level.grid.y, level.grid.x)
        assert level.grid.known[level.field[here]].all()
    origin = origins(level)
    hidden = mask[:, 0].flatten()
    assert not hidden[origin.flatten()].any(), "a pixel is copied from the hole"
    at = torch.arange(origin.numel()).view_as(origin)
    assert torch.equal(origin[~mask[:, 0]], at[~mask[:, 0]])
    assert torch.equal(origin//(96*96), at//(96*96)), "a pixel is copied from another picture"


def test_holes_of_others_are_not_copied():
    image, own = noise(1, 50, 60), middle(50, 60, 10, 12, 8, 8)
    other = middle(50, 60, 30, 30, 9, 20)
    poisoned = image.masked_fill(own | other, 0.)
    level = list(synthesise(poisoned, own, own | other, generator=generator(0)))[-1]
    assert not (own | other)[0, 0].flatten()[origins(level)[0][own[0, 0]]].any()
    filled = blend(poisoned, [level])
    assert (filled[own.expand_as(filled)] > -.5).all() and torch.equal(filled[..., 35, 35], poisoned[..., 35, 35])


def test_one_piece_has_no_seam_and_two_have():
    """Copied with one offset from a picture that differs by a constant, the constant is taken off."""
    left = noise(1, 40, 30)*.5
    image = torch.cat([left, left + .3], 3)
    mask = middle(40, 60, 12, 10, 9, 11)
    origin = torch.arange(40*60).view(1, 40, 60)
    origin[mask[:, 0]] += 30
    copy = image.permute(0, 2, 3, 1).reshape(-1, 3)[origin].permute(0, 3, 1, 2)
    assert (copy - image).abs().max() > .29
    assert torch.allclose(copy + seams(image, mask, origin), image, atol=3e-3)
    same = torch.arange(40*60).view(1, 40, 60)
    assert seams(image, mask, same).abs().max() < 1e-3


@pytest.mark.parametrize("kind", ["object", "brush", "region"])
def test_a_batch_is_its_pictures(kind):
    """Up to the tolerance of Poisson's equation, which is solved for the whole batch."""
    image, mask = load("samples", size=80).batch(range(4)), make_masks(kind, 4, 80, .3)
    mask[2] = False
    together = patches(image, mask, generator=generator(3))
    assert torch.equal(together[2], image[2])
    for i in (0, 1, 3):
        alone = patches(image[i:i + 1], mask[i:i + 1], generator=generator(3))
        apart = (together[i:i + 1] - alone).abs()[mask[i:i + 1].expand_as(alone)]
        assert apart.mean() < 2e-3 and (apart < .01).float().mean() > .97


def test_equal_generators_give_equal_fills():
    image, mask = load("samples", size=80).batch([1, 4]), make_masks("object", 2, 80, .4)
    first, again = (patches(image, mask, generator=generator(1)) for _ in range(2))
    assert torch.equal(first, again) and torch.equal(patches(image, mask), patches(image, mask))
    assert not torch.equal(first, patches(image, mask, generator=generator(2)))
    torch.manual_seed(0)
    state = torch.get_rng_state()
    patches(image, mask)
    assert torch.equal(torch.get_rng_state(), state), "the global generator was used"


def test_hidden_pixels_do_not_matter():
    image, mask = load("samples", size=81).batch([2])[..., :70, :], make_masks("region", 1, (70, 81), .3)
    want = patches(image, mask)
    for other in (torch.nan, 0., .9): assert torch.equal(patches(image.masked_fill(mask, other), mask), want)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("size", [(7, 8), (33, 47), (90, 9), (61, 128)])
def test_sizes_and_types(size, dtype):
    image, mask = noise(1, *size).to(dtype), torch.zeros(1, 1, *size, dtype=torch.bool)
    mask[..., -2:, -2:], mask[..., :1, :1] = True, True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        filled = patches(image, mask)
    at = mask.expand_as(image)
    assert filled.dtype == dtype and torch.equal(filled[~at], image[~at]) and filled.min() >= 0 and filled.max() <= 1
    assert patches(image[:0], mask[:0]).shape == (0, 3, *size)


def test_nothing_to_copy_is_heat_and_one_warning():
    image, mask = noise(2, 61, 70), torch.zeros(2, 1, 61, 70, dtype=torch.bool)
    mask[..., ::6, ::6] = True
    with pytest.warns(UserWarning, match="nothing to copy from: no 7×7 pixels") as caught: filled = patches(image, mask)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert torch.equal(filled, harmonic(image, mask))


def test_windows_fill_each_hidden_pixel_once_and_know_patches():
    rng = np.random.default_rng(0)
    dust = np.zeros((300, 400), bool)
    for y, x in zip(rng.integers(0, 295, 60), rng.integers(0, 395, 60)): dust[y:y + 4, x:x + 5] = True
    strokes, most = make_masks("brush", 1, (300, 400), .5), middle(300, 400, 0, 0, 290, 390)
    for missing in (dust, strokes[0, 0].numpy(), most[0, 0].numpy()):
        times = np.zeros(missing.shape, int)
        for window, hole in windows(missing):
            times[window] += hole
            assert copyable(missing[window], SIDE) or missing[window].size == missing.size
        assert np.array_equal(times, missing.astype(int))
    assert len(list(windows(dust))) > 20 and max(hole.size for _, hole in windows(dust)) < dust.size/4


def test_specks_cost_their_windows(monkeypatch):
    """Far from the hole nothing is looked at: with a photo four times as large the same windows are filled."""
    seen = []
    plain = module.synthesise
    monkeypatch.setattr(module, "synthesise", lambda image, *a, **k: seen.append(image.shape) or plain(image, *a, **k))
    image, mask = noise(1, 120, 160), torch.zeros(1, 1, 120, 160, dtype=torch.bool)
    mask[..., 20:24, 30:36] = mask[..., 80:83, 100:104] = True
    patches(image, mask)
    small, seen[:] = list(seen), []
    patches(F.pad(image, (0, 160, 0, 120), value=.5), F.pad(mask, (0, 160, 0, 120)))
    assert seen == small and max(s[2]*s[3] for s in small) < 50*50


def test_very_large_pictures_are_not_searched_at_the_finest_scale(monkeypatch):
    image, mask = load("samples", size=160).batch([3]), make_masks("center", 1, 160, .4)
    monkeypatch.setattr(module, "SEARCHED", 1500)
    levels = list(synthesise(image.masked_fill(mask, 0.), mask, generator=generator(0)))
    assert levels[-1].image is None and levels[0].image is not None
    filled = patches(image, mask)
    assert (filled - image)[mask.expand_as(image)].abs().mean() < .2


def test_patches_are_sharper_than_heat_on_texture():
    from context_inpaint.metrics import sharpness
    image, mask = load("samples", size=128).batch(range(7)), make_masks("object", 7, 128, .3)
    mine, heat = (sharpness(f(image, mask), image, mask).mean() for f in (patches, harmonic))
    assert mine > 1.3*heat and SIDE % 2 == 1
