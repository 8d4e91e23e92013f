"""Metrics: closed forms, brute-force twins, other libraries; nothing but the hole, and no neighbour in the batch,
changes a number."""
import inspect
import math
from urllib.error import URLError

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from torch import nn
from torchmetrics.functional.image import structural_similarity_index_measure

from context_inpaint import metrics
from context_inpaint.core import InputError, generator
from context_inpaint.masks import MASKS, composite, make_masks
from context_inpaint.metrics import (
    METRICS,
    REPORT_SUM,
    all_metrics,
    best_of_k,
    diversity,
    interval,
    loss_to_psnr,
    paired_interval,
    psnr_of_mean,
    psnr_whole,
)

EVERY = {**METRICS, "psnr_whole": psnr_whole}
PERFECT = {"psnr": 100, "l1": 0, "l2": 0, "sum": 0, "ssim": 1, "seam": 0, "sharpness": 1, "spectrum": 0,
           "psnr_whole": 100}
CENTER = make_masks("center", 1, 24, .5)


def pictures(n=6, height=24, width=28, seed=0):
    """Random pictures, smooth on the left and rough on the right, and masks of every shape: one pixel, corners,
    several holes, all kinds."""
    rng = generator(seed)
    rough, smooth = torch.rand(2, n, 3, height, width, generator=rng)
    target = torch.where(torch.arange(width) < width//2, .3 + smooth/9, rough)
    odd = torch.rand(n, 1, height, width, generator=rng) < .2
    odd[0] = False
    odd[0, 0, 5, 7] = True
    kinds = torch.cat([make_masks(kind, 1, (height, width), .4, seed) for kind in MASKS])
    mask = torch.cat([odd[:2], kinds, odd[2:]])[:n]
    return torch.rand(n, 3, height, width, generator=rng), target, mask


def full(value, n=1, side=24): return torch.full((n, 3, side, side), float(value))


# Nothing but the hole, and no neighbour in the batch.

@given(st.integers(0, 99), st.permutations(range(7)), st.integers(1, 7))
@settings(max_examples=8, deadline=None)
def test_batch_size_and_order_change_nothing(seed, order, batch):
    output, target, mask = pictures(7, seed=seed)
    for name, metric in EVERY.items():
        whole = metric(output, target, mask)
        parts = torch.cat([metric(output[i], target[i], mask[i]) for i in torch.tensor(order).split(batch)])
        assert torch.equal(parts, whole[order]), name


def test_pieces_change_nothing(monkeypatch):
    batch = pictures()
    whole = all_metrics(*batch)
    monkeypatch.setattr(metrics._pieces, "__defaults__", (1,))
    assert all(torch.equal(value, whole[name]) for name, value in all_metrics(*batch).items())


@pytest.mark.parametrize("name", METRICS)
def test_known_pixels_of_the_output_do_not_matter(name):
    output, target, mask = pictures()
    without = METRICS[name](output.where(mask, torch.nan), target, mask)
    assert torch.equal(without, METRICS[name](composite(target, output, mask), target, mask))


@pytest.mark.parametrize("name", METRICS)
def test_every_hidden_pixel_matters(name):
    torch.manual_seed(0)
    _, target, mask = pictures()
    if name == "seam": mask = make_masks("center", 6, (24, 28), .08)  # every pixel of so small a hole is on its rim
    if name == "sharpness": mask = make_masks("center", 6, (24, 28), .4)  # a lonely hidden pixel has no step
    output = torch.rand(target.shape)
    before = METRICS[name](output, target, mask)
    for b in range(1, len(mask)):
        y, x = mask[b, 0].nonzero()[int(torch.randint(int(mask[b].sum()), ()))]
        changed = output.clone()
        changed[b, :, y, x] = 1 - changed[b, :, y, x].round()
        after = METRICS[name](changed, target, mask)
        assert after[b] != before[b] or name == "seam" and before[b] == 0, b
        assert torch.equal(after[torch.arange(6) != b], before[torch.arange(6) != b])


@pytest.mark.parametrize("name", EVERY)
def test_a_perfect_fill(name):
    _, target, mask = pictures()
    assert torch.allclose(EVERY[name](target, target, mask), torch.tensor(float(PERFECT[name])), atol=1e-6)
    if name in ("sharpness", "spectrum", "seam"): return  # a negative is as sharp as the truth
    assert (EVERY[name](1 - target, target, mask) - PERFECT[name]).abs().min() > 1e-3


def test_shapes_types_and_all_metrics():
    output, target, mask = pictures()
    every = all_metrics(output, target, mask)
    assert list(every) == ["psnr", "l1", "l2", "sum", "ssim", "seam", "sharpness", "spectrum"] == list(METRICS)
    for name, values in every.items():
        assert values.shape == (6,) and values.dtype == torch.float32 and values.isfinite().all()
        assert torch.equal(values, METRICS[name](output, target, mask))
        assert inspect.getdoc(METRICS[name]).startswith("Return")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_agrees():
    batch = pictures()
    there = all_metrics(*(x.cuda() for x in batch))
    for name, values in all_metrics(*batch).items():
        assert there[name].is_cuda and torch.allclose(there[name].cpu(), values, rtol=1e-5, atol=1e-6), name


# Errors and decibels.

@given(st.floats(1e-4, .5), st.sampled_from(sorted(MASKS)))
@settings(max_examples=25, deadline=None)
def test_constant_error(c, kind):
    target, mask = full(.25), make_masks(kind, 1, 24, .4)
    got = all_metrics(target + c, target, mask)
    c = float(np.float32(.25) + np.float32(c)) - .25
    assert got["l1"].item() == pytest.approx(c, rel=1e-5)
    assert got["l2"].item() == pytest.approx(c*c, rel=1e-5)
    assert got["sum"].item() == pytest.approx(64*64*3*c*c, rel=1e-5)
    assert got["psnr"].item() == pytest.approx(-20*math.log10(c), abs=1e-4)
    assert got["seam"].item() == pytest.approx(c, rel=1e-5)


def test_mean_over_pixels_and_channels():
    mask = torch.zeros(1, 1, 24, 24, dtype=torch.bool)
    mask[0, 0, 3, 3:7] = True
    output = full(.5)
    output[0, 0, 3, 3], output[0, 2, 3, 6] = .9, .3  # 2 of 4 × 3 values are wrong
    assert metrics.l1(output, full(.5), mask).item() == pytest.approx((.4 + .2)/12)
    assert metrics.l2(output, full(.5), mask).item() == pytest.approx((.16 + .04)/12)


def test_psnr_is_capped_and_whole_picture_flatters():
    output, target, mask = pictures()
    assert metrics.psnr(full(.5) + 1e-6, full(.5), CENTER).item() == 100
    share = mask.flatten(1).float().mean(1)
    gift = psnr_whole(composite(target, output, mask), target, mask) - metrics.psnr(output, target, mask)
    assert torch.allclose(gift, -10*share.log10(), atol=1e-4)


def test_whole_picture_sees_known_pixels():
    output = full(.5)
    output[0, 0, 0, 0] = .6
    assert metrics.psnr(output, full(.5), CENTER).item() == 100 > psnr_whole(output, full(.5), CENTER).item()
    with pytest.raises(InputError, match="output runs from 0.5 to 1.6"):
        psnr_whole(output + (output > .5), full(.5), CENTER)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=20))
def test_psnr_of_mean_is_at_most_the_mean_of_psnr(errors):
    assert psnr_of_mean(errors) == pytest.approx(-10*math.log10(sum(errors)/len(errors)))
    assert psnr_of_mean(torch.tensor(errors)) <= sum(-10*math.log10(e) for e in errors)/len(errors) + 1e-4


def test_the_report_unit_in_decibels():
    output, target, mask = pictures()
    losses = metrics.report_sum(output, target, mask)
    assert loss_to_psnr(float(losses.mean())) == pytest.approx(psnr_of_mean(metrics.l2(output, target, mask)), abs=1e-4)
    assert loss_to_psnr(REPORT_SUM/100) == pytest.approx(20) and loss_to_psnr(0) == 100


def test_a_plausible_answer_costs_three_decibels_more_than_the_mean():
    phases = torch.rand(2, 4000, 1, 1, 1, generator=generator(0))
    truth, answer = .5 + .4*torch.sin(2*torch.pi*(torch.arange(8).expand(4000, 3, 8, 8)/8 + phases))
    hole = make_masks("center", 4000, 8, .5)
    gap = psnr_of_mean(metrics.l2(0*truth + .5, truth, hole)) - psnr_of_mean(metrics.l2(answer, truth, hole))
    assert gap == pytest.approx(10*math.log10(2), abs=.1)


# SSIM.

SETTINGS = {"channel_axis": 0, "data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.mark.parametrize("top,left,height,width", [(6, 5, 9, 12), (5, 5, 1, 1), (8, 10, 3, 13)])
def test_ssim_is_that_of_scikit_image_on_the_widened_box(top, left, height, width):
    output, target, _ = pictures(3)
    mask = torch.zeros(3, 1, 24, 28, dtype=torch.bool)
    mask[:, :, top:top + height, left:left + width] = True
    box = slice(top - 5, top + height + 5), slice(left - 5, left + width + 5)
    boxes = ([z[:, *box].double().numpy() for z in images] for images in zip(composite(target, output, mask), target))
    theirs = [structural_similarity(x, y, **SETTINGS) for x, y in boxes]
    assert np.allclose(metrics.ssim(output, target, mask), theirs, atol=1e-6)


def test_ssim_is_the_mean_of_torchmetrics_map_over_any_hole():
    output, target, mask = pictures()
    pasted = composite(target, output, mask)
    _, similar = structural_similarity_index_measure(pasted.double(), target.double(), data_range=1.,
                                                     reduction="none", return_full_image=True)
    theirs = [similar[b][mask[b].expand(3, -1, -1)].mean() for b in range(6)]
    assert np.allclose(metrics.ssim(output, target, mask), theirs, atol=1e-6)


def test_ssim_of_a_negative_is_negative_and_of_tiny_pictures_refused():
    _, target, _ = pictures(1, 24, 24)
    target = target[..., 12:].repeat(1, 1, 1, 2)
    assert metrics.ssim(1 - target, target, CENTER).item() < -.3
    with pytest.raises(InputError, match="at least 6 × 6"):
        metrics.ssim(full(.5, side=5), full(.5, side=5), make_masks("center", 1, 5, .5))


# Seam, sharpness, spectrum, against plain loops.

def pairs(mask):
    """All neighbouring pairs of pixels of a mask `[H, W]`, each once: `(p, q, both hidden, one hidden)`."""
    for y, x in np.ndindex(*mask.shape):
        for q in ((y + 1, x), (y, x + 1)):
            if q[0] >= mask.shape[0] or q[1] >= mask.shape[1]: continue
            yield (y, x), q, mask[y, x] and mask[q], mask[y, x] != mask[q]


def step(z, p, q): return np.abs(z[:, *p] - z[:, *q])


def test_seam_and_sharpness_are_those_of_plain_loops():
    output, target, mask = pictures()
    for b in range(6):
        x, y, hole = (z.double().numpy() for z in (composite(target, output, mask)[b], target[b], mask[b, 0].bool()))
        across = [(step(x, p, q), step(y, p, q)) for p, q, _, border in pairs(hole > 0) if border]
        inside = [(step(x, p, q)**2, step(y, p, q)**2) for p, q, hidden, _ in pairs(hole > 0) if hidden]
        mine, true = np.array(across).mean((0, 2))
        assert metrics.seam(output, target, mask)[b].item() == pytest.approx(max(0, mine - true), abs=1e-6)
        mine, true = np.array(inside).mean((0, 2)) if inside else (0, 0)
        ratio = math.sqrt((mine + 255**-2)/(true + 255**-2))
        assert metrics.sharpness(output, target, mask)[b].item() == pytest.approx(ratio, rel=1e-5)


def test_a_frame_of_truth_has_no_seam_nor_has_a_smoother_fill():
    _, target, _ = pictures(1, 24, 24)
    framed = target.clone()
    framed[..., 7:17, 7:17] = 0
    assert metrics.seam(framed, target, CENTER).item() == 0
    rough = full(.5)
    rough[..., 6:18, 6:18] = (torch.arange(12)[:, None] + torch.arange(12)) % 2
    assert metrics.seam(full(.5), rough, CENTER).item() == 0 < metrics.seam(rough, full(.5), CENTER).item()


def test_noise_and_contrast_have_the_sharpness_they_should():
    target = (.5 + .05*torch.randn(1, 3, 200, 200, generator=generator(1))).clamp(0, 1)
    mask, noise = make_masks("center", 1, 200, .9), .03*torch.randn(target.shape, generator=generator(2))
    def sharpness(output, truth=target): return metrics.sharpness(output, truth, mask).item()

    assert sharpness(.5 + (target - .5)/2) == pytest.approx(.5, abs=.005)
    assert sharpness((target + noise).clamp(0, 1)) == pytest.approx(math.sqrt(1 + .03**2/.05**2), abs=.01)
    assert sharpness(target, 0*target + .5) == pytest.approx(255*.05*math.sqrt(2), rel=.03)  # nothing divides by zero


def radial_spectrum(image, first, last, shape, n=16):
    """The metric's spectrum of one picture by the definition: a plain double-sided transform, one frequency after the
    other."""
    def bell(a, b): return np.cos(np.pi*(np.arange(a, b + 1) - (a + b)/2)/(b - a + 2))**2

    (top, left), (bottom, right) = first, last
    window = bell(top, bottom)[:, None]*bell(left, right)
    image = image[:, top:bottom + 1, left:right + 1]
    image = window*(image - (window*image).sum((1, 2), keepdims=True)/window.sum())
    power = (np.abs(np.fft.fft2(image, s=shape))**2).mean(0)/(window**2).sum()
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1]))
    edges = np.arange(n + 1)/(2*n) + 1e-9
    rings = [power[(radius > low) & (radius <= high)].mean() for low, high in zip(edges, edges[1:])]
    return 10*np.log10(np.array(rings) + 1/(12*255**2))


def test_spectrum_is_that_of_the_definition():
    output, target, mask = pictures()
    pasted, ours = composite(target, output, mask), metrics.spectrum(output, target, mask)
    for b in range(6):
        where = mask[b, 0].nonzero().numpy()
        x, y = (radial_spectrum(z[b].double().numpy(), where.min(0), where.max(0), (32, 32)) for z in (pasted, target))
        assert ours[b].item() == pytest.approx(math.sqrt(((x - y)**2).mean()), abs=1e-4), b


def test_spectrum_knows_amounts_but_not_places():
    _, target, mask = pictures(1, 24, 24, seed=3)
    target, mask = target.repeat(4, 1, 1, 1), CENTER.expand(4, -1, -1, -1)
    assert metrics.spectrum(target.flip(2, 3), target, mask).max() < 1e-4  # half a turn of a central hole
    assert metrics.spectrum(.5 + (target - .5)/2, target, mask)[0].item() == pytest.approx(20*math.log10(2), abs=.15)
    assert metrics.spectrum(target.mean((2, 3), keepdim=True).expand_as(target), target, mask).min() > 15
    assert metrics.spectrum(target + (1 - target.amax()), target, mask).max() < 1e-3  # brightness is not its business


# Many answers.

def test_diversity_is_the_distance_of_two_answers():
    samples, (_, _, mask) = torch.stack([pictures(seed=s)[0] for s in range(4)]), pictures()
    distances = torch.stack([metrics.l2(samples[i], samples[j], mask) for i in range(4) for j in range(i)])
    assert torch.allclose(diversity(samples, mask), distances.mean(0).sqrt(), atol=1e-6)
    assert diversity(samples[:1].expand(3, -1, -1, -1, -1), mask).max() < 1e-6
    with pytest.raises(InputError, match="at least two samples"): diversity(samples[:1], mask)


@pytest.mark.parametrize("name", METRICS)
def test_best_of_k_is_nearest_to_perfect_and_stands_beside_one(name):
    samples, (_, target, mask) = torch.stack([pictures(seed=s)[0]*(s + 1)/5 for s in range(4)]), pictures()
    metric, each = METRICS[name], torch.stack([METRICS[name](s, target, mask) for s in samples])
    best, one = best_of_k(samples, target, mask, metric)
    assert torch.allclose(one, each.mean(0))
    assert torch.equal((best - PERFECT[name]).abs(), (each - PERFECT[name]).abs().amin(0))
    assert all(torch.equal(x, each[0]) for x in best_of_k(samples[:1], target, mask, metric))
    with pytest.raises(InputError, match="at least one sample"): best_of_k(samples[:0], target, mask)


# Intervals.

@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.sampled_from([.5, .9, .95, .99]))
def test_interval_is_students(values, level):
    low, high = interval(values, level)
    if np.std(values) < 1e-9:
        assert low == pytest.approx(high) == pytest.approx(np.mean(values))
        return
    theirs = scipy.stats.t.interval(level, len(values) - 1, np.mean(values), scipy.stats.sem(values))
    assert (low, high) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("n", [3, 10, 60])
def test_interval_covers_what_it_promises(n):
    sets = 20 + 4*torch.randn(1500, n, generator=generator(n))
    covered = np.mean([low <= 20 <= high for low, high in map(interval, sets)])
    assert covered == pytest.approx(.95, abs=.017)  # three standard errors


def test_pairing_narrows_and_order_matters():
    hardness, rng = 6*torch.randn(50, generator=generator(0)), generator(1)
    a, b = (20 + hardness + torch.randn(50, generator=rng) for _ in range(2))
    low, high = paired_interval(a, b)
    assert (low, high) == pytest.approx(interval(a - b)) and paired_interval(b, a) == pytest.approx((-high, -low))
    assert paired_interval(a, b, .5) == pytest.approx(interval(a - b, .5)) != pytest.approx((low, high))
    assert high - low < .5*(paired_interval(a, b.flip(0))[1] - paired_interval(a, b.flip(0))[0])
    with pytest.raises(InputError, match="same pictures"): paired_interval(a, b[:49])


def test_interval_of_few_and_of_nonsense():
    assert all(map(math.isnan, interval([3.]))) and all(map(math.isnan, paired_interval([3.], [2.])))
    assert interval([2., 2., 2.]) == (2, 2)
    for values, level, words in (([], .95, "a list of values"), ([1., math.nan], .95, "value 1 of 2 is not finite"),
                                 ([math.inf], .95, "not finite"), ([1., 2.], 95, "between 0 and 1"),
                                 (torch.ones(2, 2), .95, "a list of values")):
        with pytest.raises(InputError, match=words): interval(values, level)


# What is refused.

BAD = {"output is not finite in picture 0": (full(math.nan), full(.5), CENTER),
       "output runs from -1 to -1 in picture 0": (full(-1), full(.5), CENTER),
       "output must be .* like the target": (full(.5, 2), full(.5), CENTER),
       "output must be float": (full(1).byte(), full(.5), CENTER),
       "target is not finite": (full(.5), full(.5).masked_fill(CENTER, math.inf), CENTER),
       "target runs from .* to 2 in": (full(.5), full(.5).masked_fill(CENTER, 2), CENTER),
       "known pixels lie outside": (full(.5), full(2), CENTER),
       "mask must be bool": (full(.5), full(.5), CENTER.float()),
       "hides nothing": (full(.5), full(.5), CENTER & False),
       "hides its whole picture": (full(.5), full(.5), CENTER | True),
       "no pictures": (full(.5)[:0], full(.5)[:0], CENTER[:0])}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_named(words):
    for metric in (*EVERY.values(), all_metrics, metrics.lpips, metrics.fid):
        with pytest.raises(InputError, match=words) as caught: metric(*BAD[words])
        assert "\n" not in str(caught.value)


def test_the_offending_picture_is_named():
    output, target, mask = pictures()
    output[4, :, mask[4, 0]] += 1
    with pytest.raises(InputError, match="in picture 4"): all_metrics(output, target, mask)


# Networks as judges: their weights cannot be had here, so the paths around them are tested.

def test_lpips_without_weights_is_one_line(monkeypatch):
    def fail(*_, **__): raise URLError("no network")
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with pytest.raises(InputError, match="LPIPS needs torchvision's AlexNet weights.*no network") as caught:
        metrics.lpips(full(.4, side=64), full(.5, side=64), make_masks("center", 1, 64))
    assert "\n" not in str(caught.value) and caught.value.__suppress_context__


def test_lpips_per_picture_of_the_composite(monkeypatch):
    import torchvision
    features = torchvision.models.alexnet().features
    monkeypatch.setattr("torchvision.models.alexnet", lambda weights: type("Net", (), {"features": features}))
    output, target, mask = pictures(3, 64, 64)
    values = metrics.lpips(output.where(mask, torch.nan), target, mask)
    assert values.shape == (3,) and (values > 0).all() and metrics.lpips(target, target, mask).abs().max() == 0
    assert torch.allclose(metrics.lpips(output[2:], target[2:], mask[2:]), values[2:], atol=1e-6)


def test_fid_without_its_package_is_one_line(monkeypatch):
    monkeypatch.setattr("torchmetrics.image.fid._TORCH_FIDELITY_AVAILABLE", False)
    two = full(.4, 2), full(.5, 2), CENTER.expand(2, -1, -1, -1)
    with pytest.raises(InputError, match="FID needs torch-fidelity .*context-inpaint\\[fid\\]") as caught:
        metrics.fid(*two)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="at least two"): metrics.fid(*(x[:1] for x in two))


class Colours(nn.Module):
    num_features = 3
    def forward(self, image): return image.mean((2, 3))


def test_fid_compares_composites_with_truths(monkeypatch):
    from torchmetrics.image.fid import FrechetInceptionDistance
    def colours(normalize): return FrechetInceptionDistance(Colours(), normalize=normalize)

    monkeypatch.setattr("torchmetrics.image.fid.FrechetInceptionDistance", colours)
    target, mask = torch.rand(40, 3, 24, 24, generator=generator(0)), CENTER.expand(40, -1, -1, -1)
    assert metrics.fid(target.where(mask, torch.nan), target, mask) == pytest.approx(0, abs=1e-6)
    lighter = (target + .2).clamp(0, 1)
    assert metrics.fid(lighter, target, mask) == pytest.approx(3*(.25*(lighter - target).mean().item())**2, rel=.1)
