"""Scene completion: the contract, the bank, the distances, and many holes at once."""
from dataclasses import replace

import pytest
import torch

from context_inpaint import completion
from context_inpaint.completion import (
    DISTANCES,
    bank_features,
    best_on_ring,
    candidates,
    contexts,
    scene_completion,
)
from context_inpaint.core import InputError, generator
from context_inpaint.data import Bank
from context_inpaint.masks import make_masks


def smooth(n, height, width, seed=0):
    coarse = torch.rand(n, 3, 5, 6, generator=generator(seed))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


def make_bank(n=24, size=32, seed=7):
    images = (smooth(n, size, size, seed)*255).round().byte()
    names, digest = tuple(map(str, range(n))), f"test {n} {size} {seed}"
    return Bank(images, torch.zeros(n, dtype=torch.long), ("x",), names, digest, "test")


BANK = make_bank()


def by(distance):
    def fill(image, mask): return scene_completion(image, mask, bank=BANK, distance=distance, n_candidates=6)
    return fill


every_distance = pytest.mark.parametrize("distance", DISTANCES)


def square(height, width, *boxes):
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    for top, bottom, left, right in boxes: mask[..., top:bottom, left:right] = True
    return mask


SHAPES = {
    "middle": square(32, 32, (12, 20, 12, 20)), "one pixel": square(32, 32, (9, 10, 20, 21)),
    "corner": square(32, 32, (0, 9, 0, 7)), "edge": square(32, 32, (10, 18, 26, 32)),
    "two": square(32, 32, (3, 9, 4, 11), (20, 29, 18, 27)),
    "one pixel apart": square(32, 32, (10, 20, 8, 15), (10, 20, 16, 22)), "odd": square(37, 51, (10, 21, 30, 43)),
    "wide band": square(23, 90, (5, 14, 0, 90)), "all but a corner": ~square(21, 18, (0, 1, 0, 1)),
    "photo": square(90, 120, (40, 61, 50, 80)), "nothing": square(16, 16)}


@every_distance
@pytest.mark.parametrize("shape", SHAPES)
def test_contract(distance, shape):
    mask = SHAPES[shape]
    image = smooth(1, *mask.shape[-2:])
    before, out = image.clone(), by(distance)(image, mask)
    assert out.shape == image.shape and out.dtype == image.dtype and torch.equal(image, before)
    hole = mask.expand_as(image)
    assert torch.equal(out[~hole], image[~hole]) and out.min() >= 0 and out.max() <= 1
    for hidden in (torch.full_like(image, torch.nan), torch.rand(image.shape, generator=generator(1))):
        assert torch.equal(by(distance)(torch.where(mask, hidden, image), mask), out), "hidden pixels leak"


@every_distance
@pytest.mark.parametrize("kind", ["center", "block", "region", "brush", "object"])
def test_batch_is_its_pictures(distance, kind):
    image, mask = smooth(4, 33, 40), make_masks(kind, 4, (33, 40))
    mask[2] = False
    together = by(distance)(image, mask)
    assert torch.equal(together[2], image[2])
    for i in range(4):
        assert torch.allclose(together[i:i+1], by(distance)(image[i:i+1], mask[i:i+1]), atol=2e-3)


def test_bad_input_and_empty_batches():
    image, mask = smooth(1, 16, 16), square(16, 16, (4, 8, 4, 8))
    for bad in ((image[0], mask), (image, mask.float()), (image*255, mask), (image, torch.ones_like(mask))):
        with pytest.raises(InputError): by("colour")(*bad)
    empty = torch.zeros(0, 1, 16, 16, dtype=torch.bool)
    assert by("colour")(torch.zeros(0, 3, 16, 16), empty).shape == (0, 3, 16, 16)


def test_more_holes_than_are_looked_up_at_once(monkeypatch):
    """Hundreds of specks: each gets the fill that it gets when all are looked up together."""
    mask = torch.zeros(1, 1, 120, 150, dtype=torch.bool)
    mask[..., 2::6, 3::7] = True
    image = smooth(1, 120, 150)
    assert mask.sum() > 400
    parts = by("colour")(image, mask)
    monkeypatch.setattr(completion, "islice", lambda holes, n: list(holes))
    assert torch.allclose(parts, by("colour")(image, mask), atol=1e-5)


def test_it_finds_the_picture_itself():
    image, mask = BANK.batch(range(5)), make_masks("object", 5, 32)
    for distance in DISTANCES:
        found = list(contexts(image, mask, (32, 32)))
        picks = candidates(found, BANK, distance, 3)
        assert [best_on_ring(c, BANK, k)[0] for c, k in zip(found, picks)] == [c.picture for c in found]
    assert torch.allclose(by("colour")(image, mask), image, atol=1e-3)


def test_two_holes_two_donors():
    image = BANK.batch(range(3))
    for shape in ("two", "one pixel apart"):
        assert torch.allclose(by("colour")(image, SHAPES[shape].expand(3, -1, -1, -1)), image, atol=1e-3)


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
    monkeypatch.setattr(completion, "FEATURES", {})
    first = bank_features(BANK, "colour")
    assert bank_features(replace(BANK, spec="another name"), "colour") is first
    other = make_bank(seed=8)
    assert not torch.equal(bank_features(other, "colour"), first)
    assert bank_features(BANK, "gradient").shape != first.shape
    image, mask = smooth(2, 32, 32), make_masks("center", 2, 32, .5)
    assert not torch.equal(by("colour")(image, mask), scene_completion(image, mask, bank=other, n_candidates=6))
    for i in range(12): bank_features(replace(BANK, digest=str(i)), "colour")
    assert len(completion.FEATURES) <= 8


def test_default_bank(monkeypatch):
    calls = []
    monkeypatch.setattr(completion, "load", lambda *a, **k: calls.append((a, k)) or BANK)
    completion.drawn_bank.cache_clear()
    image, mask = smooth(1, 32, 32), make_masks("center", 1, 32)
    try:
        for _ in range(2): scene_completion(image, mask, n_candidates=6)
    finally: completion.drawn_bank.cache_clear()
    assert calls == [(("drawn",), dict(size=64, limit=2000))], "the training seed, once"


def test_bank_too_small_or_unknown_distance():
    image, mask = smooth(1, 32, 32), make_masks("center", 1, 32)
    with pytest.raises(InputError, match="24"): scene_completion(image, mask, bank=BANK, n_candidates=25)
    with pytest.raises(InputError, match="n_candidates"): scene_completion(image, mask, bank=BANK, n_candidates=0)
    with pytest.raises(InputError, match="gradient"):
        scene_completion(image, mask, bank=BANK, distance="gradiant", n_candidates=2)
