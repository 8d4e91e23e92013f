"""Classical fills: the solver against a direct one, exactness, the contract of every method, scene completion's bank and distances."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from context_inpaint import classical
from context_inpaint.classical import (biharmonic, conjugate_gradients, harmonic, laplacian, navier_stokes, none, poisson, ring_mean, telea)
from context_inpaint.completion import bank_features, best_on_ring, candidates, contexts, DISTANCES, scene_completion
from context_inpaint.core import InputError, generator
from context_inpaint.data import Bank
from context_inpaint.masks import make_masks


def smooth(n, height, width, seed=0):
    coarse = torch.rand(n, 3, 5, 6, generator=generator(seed))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


def make_bank(n=24, size=32, seed=7):
    images = (smooth(n, size, size, seed)*255).round().byte()
    return Bank(images, torch.zeros(n, dtype=torch.long), ("x",), tuple(map(str, range(n))), f"test {n} {size} {seed}", "test")


BANK = make_bank()


def colour(image, mask, *, generator=None): return scene_completion(image, mask, bank=BANK, n_candidates=6)


def gradient(image, mask, *, generator=None): return scene_completion(image, mask, bank=BANK, distance="gradient", n_candidates=6)


METHODS = [none, ring_mean, harmonic, telea, navier_stokes, biharmonic, colour, gradient]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda f: f.__name__)


def square(height, width, *boxes):
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    for top, bottom, left, right in boxes: mask[..., top:bottom, left:right] = True
    return mask


SHAPES = {"middle": square(32, 32, (12, 20, 12, 20)), "one pixel": square(32, 32, (9, 10, 20, 21)), "corner": square(32, 32, (0, 9, 0, 7)),
          "last corner": square(32, 32, (27, 32, 22, 32)), "edge": square(32, 32, (10, 18, 26, 32)), "corner pixel": square(32, 32, (31, 32, 0, 1)),
          "two": square(32, 32, (3, 9, 4, 11), (20, 29, 18, 27)), "one pixel apart": square(32, 32, (10, 20, 8, 15), (10, 20, 16, 22)),
          "odd": square(37, 51, (10, 21, 30, 43)), "wide band": square(23, 90, (5, 14, 0, 90)), "all but a corner": ~square(21, 18, (0, 1, 0, 1)),
          "photo": square(90, 120, (40, 61, 50, 80)), "nothing": square(16, 16)}


def direct(image, mask, source=None):
    """The same equations, pixel by pixel, by a sparse direct solver."""
    out = image.double().clone()
    for b in range(len(image)):
        hidden = [tuple(p) for p in mask[b, 0].nonzero().tolist()]
        row, matrix, right = {p: i for i, p in enumerate(hidden)}, lil_matrix((len(hidden),)*2), np.zeros((len(hidden), 3))
        for (y, x), i in row.items():
            if source is not None: right[i] -= source[b, :, y, x].double().numpy()
            for q in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if not (0 <= q[0] < image.shape[2] and 0 <= q[1] < image.shape[3]): continue
                matrix[i, i] += 1
                if q in row: matrix[i, row[q]] = -1
                else: right[i] += image[b, :, q[0], q[1]].double().numpy()
        if hidden: out[b, :, mask[b, 0]] = torch.from_numpy(spsolve(matrix.tocsr(), right).reshape(-1, 3).T.copy())
    return out


# --- the contract, for every method

@every_method
@pytest.mark.parametrize("shape", SHAPES)
def test_contract(method, shape):
    mask = SHAPES[shape]
    image = smooth(1, *mask.shape[-2:])
    before, out = image.clone(), method(image, mask)
    assert out.shape == image.shape and out.dtype == image.dtype
    assert torch.equal(image, before), "the input was changed"
    hole = mask.expand_as(image)
    assert torch.equal(out[~hole], image[~hole])
    assert out.isfinite().all() and out.min() >= 0 and out.max() <= 1
    for hidden in (torch.full_like(image, torch.nan), torch.rand(image.shape, generator=generator(1)), torch.full_like(image, -torch.inf)):
        assert torch.equal(method(torch.where(mask, hidden, image), mask), out), "hidden pixels leak"


@every_method
@pytest.mark.parametrize("kind", ["center", "block", "region", "brush", "object"])
def test_batch_is_its_pictures(method, kind):
    image, mask = smooth(4, 33, 40), make_masks(kind, 4, (33, 40))
    mask[2] = False
    together = method(image, mask)
    assert torch.equal(together[2], image[2])
    for i in range(4): assert torch.allclose(together[i:i+1], method(image[i:i+1], mask[i:i+1]), atol=2e-3)


@every_method
def test_bad_input(method):
    image, mask = smooth(1, 16, 16), square(16, 16, (4, 8, 4, 8))
    for bad in ((image[0], mask), (image, mask.float()), (image*255, mask), (image, mask[..., :8]), (image, torch.ones_like(mask))):
        with pytest.raises(InputError): method(*bad)


@every_method
def test_empty_batch(method): assert method(torch.zeros(0, 3, 16, 16), torch.zeros(0, 1, 16, 16, dtype=torch.bool)).shape == (0, 3, 16, 16)


@pytest.mark.parametrize("method", [ring_mean, harmonic, telea, navier_stokes, biharmonic], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", SHAPES)
def test_flat_stays_flat(method, shape):
    mask = SHAPES[shape]
    flat = torch.tensor([.2, .4, .8]).view(1, 3, 1, 1).expand(1, 3, *mask.shape[-2:])
    assert torch.allclose(method(flat, mask), flat, atol=10/255 if method is telea else 1e-3)  # OpenCV's Telea drifts by 8-bit rounding


# --- none, ring mean

def test_none_is_black(): assert (none(smooth(1, 8, 8) + 0, square(8, 8, (2, 5, 2, 5)))[..., 2:5, 2:5] == 0).all()


@pytest.mark.parametrize("size,width", [(16, 1), (64, 2), (128, 4), (256, 8)])
def test_ring_is_a_32nd_of_the_side(size, width):
    mask, image = make_masks("center", 1, size), torch.zeros(1, 3, size, size)
    low, high = size*3//8 - width, size*5//8 + width
    image[..., low:high, low:high] = .5
    assert torch.allclose(ring_mean(image, mask)[mask.expand_as(image)], torch.tensor(.5))
    image[..., low, low] = 0
    assert (ring_mean(image, mask)[mask.expand_as(image)] < .5).all()


def test_each_hole_has_its_own_ring():
    image, mask = torch.zeros(1, 3, 32, 32), SHAPES["two"]
    image[..., 14:, :] = 1
    out = ring_mean(image, mask)
    assert (out[..., 3:9, 4:11] == 0).all() and (out[..., 20:29, 18:27] == 1).all()


def test_corners_connect():
    diagonal = np.eye(9, dtype=bool)
    assert len(list(classical.holes(diagonal))) == 1
    assert [box for _, box in classical.holes(SHAPES["one pixel apart"][0, 0].numpy())] == [(slice(10, 20), slice(8, 15)), (slice(10, 20), slice(16, 22))]


# --- the solver

@pytest.mark.parametrize("kind", ["center", "brush", "region", "object"])
def test_harmonic_against_a_direct_solver(kind):
    image, mask = torch.rand(3, 3, 33, 42, generator=generator(2)), make_masks(kind, 3, (33, 42))
    assert (harmonic(image, mask) - direct(image, mask)).abs().max() < 2e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_poisson_against_a_direct_solver(shape):
    mask = SHAPES[shape]
    image, donor = (torch.rand(1, 3, *mask.shape[-2:], generator=generator(s)) for s in (3, 4))
    assert (poisson(image, mask, laplacian(donor)) - direct(image, mask, laplacian(donor))).abs().max() < 1e-3


def test_large_hole_in_few_steps():
    mask = make_masks("center", 1, 300, .8)
    steps = sum(1 for _ in conjugate_gradients(torch.rand(1, 1, 300, 300, generator=generator(0)), mask))
    assert steps < 40


def test_every_picture_of_a_batch_converges():
    image, mask = smooth(3, 40, 40), make_masks("brush", 3, 40)
    image[1] *= 1e-3
    u = poisson(image, mask)
    assert (laplacian(u)*mask).abs().max() < 2e-4


def test_energy_gradient_is_minus_laplacian():
    u = torch.rand(1, 2, 5, 7, dtype=torch.float64, generator=generator(0)).requires_grad_()
    energy = ((u[..., 1:, :] - u[..., :-1, :])**2).sum()/2 + ((u[..., 1:] - u[..., :-1])**2).sum()/2
    assert torch.allclose(torch.autograd.grad(energy, u)[0], -laplacian(u))


@pytest.mark.parametrize("mask", [square(40, 31, (11, 25, 7, 20)), square(40, 31, (3, 9, 4, 9), (20, 36, 12, 28))])
def test_ramps_are_exact(mask):
    ramp = (.1 + .01*torch.arange(40)[:, None] + .008*torch.arange(31)).expand(1, 3, 40, 31)
    assert torch.allclose(harmonic(ramp, mask), ramp, atol=1e-4)


def test_one_pixel_is_the_mean_of_its_neighbours():
    image, mask = torch.rand(1, 3, 9, 9, generator=generator(0)), square(9, 9, (4, 5, 6, 7))
    want = (image[..., 3, 6] + image[..., 5, 6] + image[..., 4, 5] + image[..., 4, 7])/4
    assert torch.allclose(harmonic(image, mask)[..., 4, 6], want, atol=1e-6)
    corner = square(9, 9, (0, 1, 0, 1))
    assert torch.allclose(harmonic(image, corner)[..., 0, 0], (image[..., 1, 0] + image[..., 0, 1])/2, atol=1e-4)


def test_maximum_principle():
    image, mask = torch.rand(6, 3, 48, 48, generator=generator(5)), make_masks("object", 6, 48)
    rim = ((torch.nn.functional.max_pool2d(mask.float(), 3, 1, 1) > 0) & ~mask).expand_as(image)
    out, hole = harmonic(image, mask), mask.expand_as(image)
    assert (out.where(hole, -torch.inf).amax((2, 3)) <= image.where(rim, -torch.inf).amax((2, 3)) + 1e-4).all()
    assert (out.where(hole, torch.inf).amin((2, 3)) >= image.where(rim, torch.inf).amin((2, 3)) - 1e-4).all()


def test_biharmonic_continues_curvature():
    y = torch.linspace(-1, 1, 40)
    bowl = (.3 + .25*y[:, None]**2 + .2*y[None]**2).expand(1, 3, 40, 40)
    mask = square(40, 40, (4, 12, 24, 34))
    assert torch.allclose(biharmonic(bowl, mask), bowl, atol=1e-3)
    assert (harmonic(bowl, mask) - bowl).abs().max() > .01


# --- scene completion

def test_it_finds_the_picture_itself():
    image, mask = BANK.batch(range(5)), make_masks("object", 5, 32)
    for distance in DISTANCES:
        found = list(contexts(image, mask, (32, 32)))
        picks = candidates(found, BANK, distance, 3)
        assert [best_on_ring(c, BANK, k)[0] for c, k in zip(found, picks)] == [c.picture for c in found]
    assert torch.allclose(colour(image, mask), image, atol=1e-3)


def test_two_holes_two_donors():
    image = BANK.batch(range(3))
    for shape in ("two", "one pixel apart"): assert torch.allclose(colour(image, SHAPES[shape].expand(3, -1, -1, -1)), image, atol=1e-3)


def test_an_offset_is_forgiven_on_the_ring():
    image, mask = BANK.batch([0])*.6 + .1, make_masks("center", 1, 32)
    noisy = (image + .02*torch.randn(image.shape, generator=generator(3))).clamp(0, 1)
    bank = replace(BANK[:2], images=(torch.cat([noisy, image + .2])*255).round().byte())
    context, = contexts(image, mask, (32, 32))
    pick, misfit = best_on_ring(context, bank, torch.tensor([0, 1]))
    assert pick == 1 and misfit < .003


def test_partly_known_cells_keep_their_colour():
    photo, mask = torch.full((1, 3, 90, 120), .7), make_masks("brush", 1, (90, 120))
    for context in contexts(photo, mask, (32, 32)):
        assert ((context.known > 0) & (context.known < 1)).any()
        assert torch.allclose(context.image[(context.known > 0).expand(3, -1, -1)], torch.tensor(.7))
        feature, weight = DISTANCES["colour"](context.image[None], context.known[None])
        assert torch.allclose(feature[weight > 0], torch.tensor(.7), atol=1e-5)


def test_the_hole_is_no_edge():
    image, mask = torch.full((3, 3, 32, 32), .7), make_masks("object", 3, 32)
    feature, weight = DISTANCES["gradient"](image, (~mask).float())
    assert feature.abs().max() < 1e-5 and (weight < 1).any()


def test_a_brighter_copy_is_blended_in():
    image, mask = BANK.batch(range(4))*.8 + .1, make_masks("center", 4, 32)
    brighter = replace(BANK, images=((BANK.batch(range(24))*.8 + .15)*255).round().byte(), digest="brighter")
    assert torch.allclose(scene_completion(image, mask, bank=brighter, n_candidates=24), image, atol=.01)


def test_context_is_a_quarter_where_there_is_room():
    image, mask = smooth(1, 200, 300), square(200, 300, (90, 110, 140, 160))
    context, = contexts(image, mask, (64, 64))
    assert context.box == (slice(60, 140), slice(110, 190)) and context.image.shape == (3, 64, 64)
    edge, = contexts(image, square(200, 300, (190, 200, 0, 10)), (64, 64))
    assert edge.box == (slice(136, 200), slice(0, 64))


def test_distances_differ():
    found = list(contexts(smooth(6, 32, 32, 9), make_masks("center", 6, 32), (32, 32)))
    assert not torch.equal(*(candidates(found, BANK, name, 5) for name in ("colour", "gradient")))


def test_candidates_are_nearest_over_known_pixels():
    image, mask = smooth(2, 32, 32, 11), make_masks("object", 2, 32, .5)
    found = list(contexts(image, mask, (32, 32)))
    feature, weight = DISTANCES["colour"](torch.stack([c.image for c in found]), torch.stack([c.known for c in found]))
    distance = (weight[:, None]*(feature[:, None] - bank_features(BANK, "colour")[None])**2).sum(2)
    assert torch.equal(candidates(found, BANK, "colour", 24), distance.argsort(1))


def test_features_follow_the_digest(monkeypatch):
    monkeypatch.setattr(classical, "FEATURES", {})
    first = bank_features(BANK, "colour")
    assert bank_features(replace(BANK, spec="another name"), "colour") is first
    other = make_bank(seed=8)
    assert not torch.equal(bank_features(other, "colour"), first)
    assert bank_features(BANK, "gradient").shape != first.shape
    image, mask = smooth(2, 32, 32), make_masks("center", 2, 32, .5)
    assert not torch.equal(colour(image, mask), scene_completion(image, mask, bank=other, n_candidates=6))
    for i in range(12): bank_features(replace(BANK, digest=str(i)), "colour")
    assert len(classical.FEATURES) <= 8


def test_default_bank(monkeypatch):
    calls = []
    monkeypatch.setattr(classical, "load", lambda *a, **k: calls.append((a, k)) or BANK)
    classical.drawn_bank.cache_clear()
    image, mask = smooth(1, 32, 32), make_masks("center", 1, 32)
    try:
        for _ in range(2): scene_completion(image, mask, n_candidates=6)
    finally: classical.drawn_bank.cache_clear()
    assert calls == [(("drawn",), dict(size=64, limit=2000))], "the training seed, once"


def test_bank_too_small_or_unknown_distance():
    image, mask = smooth(1, 32, 32), make_masks("center", 1, 32)
    with pytest.raises(InputError, match="24"): scene_completion(image, mask, bank=BANK, n_candidates=25)
    with pytest.raises(InputError, match="n_candidates"): scene_completion(image, mask, bank=BANK, n_candidates=0)
    with pytest.raises(InputError, match="gradient"): scene_completion(image, mask, bank=BANK, distance="gradiant", n_candidates=2)
