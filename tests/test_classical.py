"""Classical fills: the solver against a direct one, exactness, the contract of every method, thousands of specks."""
import cv2
import numpy as np
import pytest
import torch
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from context_inpaint import classical
from context_inpaint.classical import (
    Multigrid,
    biharmonic,
    conjugate_gradients,
    equations,
    harmonic,
    laplacian,
    navier_stokes,
    none,
    poisson,
    ring_mean,
    telea,
)
from context_inpaint.core import InputError, generator
from context_inpaint.masks import make_masks
from context_inpaint.photos import sample_photos


def smooth(n, height, width, seed=0):
    coarse = torch.rand(n, 3, 5, 6, generator=generator(seed))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


METHODS = [none, ring_mean, harmonic, telea, navier_stokes, biharmonic]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda f: f.__name__)


def square(height, width, *boxes):
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    for top, bottom, left, right in boxes: mask[..., top:bottom, left:right] = True
    return mask


SHAPES = {
    "middle": square(32, 32, (12, 20, 12, 20)), "one pixel": square(32, 32, (9, 10, 20, 21)),
    "corner": square(32, 32, (0, 9, 0, 7)), "last corner": square(32, 32, (27, 32, 22, 32)),
    "edge": square(32, 32, (10, 18, 26, 32)), "corner pixel": square(32, 32, (31, 32, 0, 1)),
    "two": square(32, 32, (3, 9, 4, 11), (20, 29, 18, 27)),
    "one pixel apart": square(32, 32, (10, 20, 8, 15), (10, 20, 16, 22)), "odd": square(37, 51, (10, 21, 30, 43)),
    "wide band": square(23, 90, (5, 14, 0, 90)), "all but a corner": ~square(21, 18, (0, 1, 0, 1)),
    "photo": square(90, 120, (40, 61, 50, 80)), "nothing": square(16, 16)}


def direct(image, mask, source=None):
    """The same equations, pixel by pixel, by a sparse direct solver."""
    out = image.double().clone()
    for b in range(len(image)):
        hidden = [tuple(p) for p in mask[b, 0].nonzero().tolist()]
        row, matrix = {p: i for i, p in enumerate(hidden)}, lil_matrix((len(hidden),)*2)
        right = np.zeros((len(hidden), 3))
        for (y, x), i in row.items():
            if source is not None: right[i] -= source[b, :, y, x].double().numpy()
            for q in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if not (0 <= q[0] < image.shape[2] and 0 <= q[1] < image.shape[3]): continue
                matrix[i, i] += 1
                if q in row: matrix[i, row[q]] = -1
                else: right[i] += image[b, :, q[0], q[1]].double().numpy()
        if not hidden: continue
        out[b, :, mask[b, 0]] = torch.from_numpy(spsolve(matrix.tocsr(), right).reshape(-1, 3).T.copy())
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
    noise = torch.rand(image.shape, generator=generator(1))
    for hidden in (torch.full_like(image, torch.nan), noise, torch.full_like(image, -torch.inf)):
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
    for bad in ((image[0], mask), (image, mask.float()), (image*255, mask), (image, mask[..., :8]),
                (image, torch.ones_like(mask))):
        with pytest.raises(InputError): method(*bad)


@every_method
def test_empty_batch(method):
    empty = torch.zeros(0, 1, 16, 16, dtype=torch.bool)
    assert method(torch.zeros(0, 3, 16, 16), empty).shape == (0, 3, 16, 16)


@pytest.mark.parametrize("method", [ring_mean, harmonic, telea, navier_stokes, biharmonic], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", SHAPES)
def test_flat_stays_flat(method, shape):
    mask = SHAPES[shape]
    flat = torch.tensor([.2, .4, .8]).view(1, 3, 1, 1).expand(1, 3, *mask.shape[-2:])
    drift = 10/255 if method is telea else 1e-3  # OpenCV's Telea drifts by 8-bit rounding
    assert torch.allclose(method(flat, mask), flat, atol=drift)


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


def test_equations_are_minus_the_laplacian():
    mask = torch.cat([SHAPES[name] for name in ("corner", "two", "one pixel", "edge", "one pixel apart")])
    u = torch.where(mask, torch.rand(mask.shape, generator=generator(0), dtype=torch.float64), 0.)
    theirs = -laplacian(u)[mask].numpy()
    assert np.allclose(equations(mask[:, 0].numpy(), np.float64) @ u[mask].numpy(), theirs)


def steps(mask, precondition=None, tol=1e-4):
    matrix = equations(mask)
    right = np.random.default_rng(0).random((matrix.shape[0], 3), np.float32)
    *_, last = enumerate(conjugate_gradients(matrix, right, tol, precondition))
    return last[0]


@pytest.mark.parametrize("kind", ["center", "brush", "object", "region"])
def test_few_steps_whatever_the_size(kind):
    for size in (50, 400):
        mask = make_masks(kind, 1, size, .8)[:, 0].numpy()
        assert steps(mask, Multigrid(mask)) <= 9


def test_lattices_and_walls_are_solved_too():
    """Holes in which no coarse pixel, or only wrong ones, can be hidden."""
    lattice = torch.ones(1, 1, 60, 70, dtype=torch.bool)
    lattice[..., ::2, ::2] = False
    walls = torch.ones(1, 1, 60, 70, dtype=torch.bool)
    walls[..., ::11] = False
    scratches = torch.zeros(1, 1, 60, 70, dtype=torch.bool)
    scratches[..., 1::2] = True
    image = torch.rand(1, 3, 60, 70, generator=generator(4))
    for mask in (lattice, walls, scratches):
        assert (harmonic(image, mask) - direct(image, mask)).abs().max() < 5e-4


def specks(height, width, n, seed=0):
    rng, mask = np.random.default_rng(seed), torch.zeros(1, 1, height, width, dtype=torch.bool)
    for top, left, side in zip(rng.integers(0, height - 9, n), rng.integers(0, width - 9, n), rng.integers(3, 10, n)):
        mask[..., top:top + side, left:left + side] = True
    return mask


@pytest.mark.parametrize("method, flag", [(telea, cv2.INPAINT_TELEA), (navier_stokes, cv2.INPAINT_NS)])
def test_groups_of_holes_are_filled_as_in_the_whole_photo(method, flag):
    photo = sample_photos()["china"][None, :, :200, :300].float()/255
    masks = [make_masks(kind, 1, (200, 300), .3, seed=1) for kind in ("brush", "object", "block")]
    for mask in (specks(200, 300, 40), *masks):
        photo8 = (none(photo, mask)[0]*255).round().byte().permute(1, 2, 0).numpy().copy()
        whole = cv2.inpaint(photo8, mask[0, 0].byte().numpy(), 3, flag)
        want = torch.where(mask, torch.from_numpy(whole).permute(2, 0, 1)[None].float()/255, photo)
        assert torch.equal(method(photo, mask), want)


def test_specks_are_solved_like_any_hole():
    mask = specks(120, 160, 60)
    image = torch.rand(1, 3, 120, 160, generator=generator(6))
    assert (harmonic(image, mask) - direct(image, mask)).abs().max() < 3e-4


def test_biharmonic_refuses_what_would_not_fit_in_memory(monkeypatch):
    monkeypatch.setattr(classical, "MOST_BIHARMONIC", 99)
    image = smooth(1, 32, 32)
    biharmonic(image, square(32, 32, (2, 11, 2, 13), (20, 29, 18, 29)))  # two holes of 99 are solved one by one
    with pytest.raises(InputError, match="at most 99 hidden pixels in one place, here are 100: use harmonic"):
        biharmonic(image, square(32, 32, (2, 12, 2, 12)))


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
