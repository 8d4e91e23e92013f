"""Guided patches: what the guide decides, and what it cannot."""
import pytest
import torch

from context_inpaint.classical import harmonic
from context_inpaint.core import InputError, generator
from context_inpaint.data import load
from context_inpaint.exemplar import exemplar
from context_inpaint.guided import guided
from context_inpaint.masks import composite, make_masks
from context_inpaint.metrics import l2, psnr, sharpness
from context_inpaint.patches import patches

PHOTOS = load("samples", size=96).batch(range(7))
MASKS = make_masks("object", 7, 96, .35, seed=2)


def constant(fill):
    """An inpainter that returns given pictures."""
    def inpaint(image, mask, *, generator=None): return composite(image, fill.to(image), mask)
    return inpaint


def test_more_weight_is_nearer_to_the_guide():
    wish = composite(PHOTOS, 1 - harmonic(PHOTOS, MASKS), MASKS)  # what these photos would not do by themselves
    fills = [guided(PHOTOS, MASKS, guide=constant(wish), weight=w) for w in (0., .2, .5, 1., 2.)]
    apart = [float(l2(fill, wish, MASKS).mean()) for fill in fills]
    assert apart == sorted(apart, reverse=True) and apart[-1] < .85*apart[0], apart


def test_the_truth_as_guide_is_the_best_guide():
    by = {name: psnr(guided(PHOTOS, MASKS, guide=guide), PHOTOS, MASKS).mean()
          for name, guide in (("truth", constant(PHOTOS)), ("heat", harmonic))}
    assert by["truth"] > by["heat"] + 2
    assert by["heat"] > psnr(patches(PHOTOS, MASKS), PHOTOS, MASKS).mean() - .3


def test_texture_comes_back():
    fill = guided(PHOTOS, MASKS, guide=harmonic)
    assert sharpness(fill, PHOTOS, MASKS).mean() > 1.3*sharpness(harmonic(PHOTOS, MASKS), PHOTOS, MASKS).mean()


def test_known_pixels_hidden_pixels_and_seeds():
    at = MASKS.expand_as(PHOTOS)
    fill = guided(PHOTOS, MASKS, guide=harmonic, generator=generator(1))
    assert torch.equal(fill[~at], PHOTOS[~at]) and fill.min() >= 0 and fill.max() <= 1
    poisoned = PHOTOS.masked_fill(MASKS, torch.nan)
    assert torch.equal(guided(poisoned, MASKS, guide=harmonic, generator=generator(1)), fill)
    assert not torch.equal(guided(PHOTOS, MASKS, guide=harmonic, generator=generator(2)), fill)
    assert torch.equal(*(guided(PHOTOS[:2], MASKS[:2], guide=harmonic) for _ in range(2)))


def test_the_guide_gets_the_generator_and_draws_first():
    seen = []

    def drawing(image, mask, *, generator=None):
        seen.append(generator)
        return composite(image, torch.rand(image.shape, generator=generator), mask)

    given = generator(5)
    first = guided(PHOTOS[:1], MASKS[:1], guide=drawing, generator=given)
    assert seen == [given]
    assert torch.equal(first, guided(PHOTOS[:1], MASKS[:1], guide=drawing, generator=generator(5)))


def test_a_batch_is_its_pictures():
    wish = harmonic(PHOTOS, MASKS)  # itself solved for the whole batch
    together = guided(PHOTOS[:3], MASKS[:3], guide=constant(wish[:3]), generator=generator(3))
    for i in range(3):
        one = slice(i, i + 1)
        alone = guided(PHOTOS[one], MASKS[one], guide=constant(wish[one]), generator=generator(3))
        apart = (together[one] - alone).abs()[MASKS[one].expand_as(alone)]
        assert apart.mean() < 2e-3 and (apart < .01).float().mean() > .97


def test_nothing_to_copy_is_the_guide_and_one_warning():
    image, mask = PHOTOS[:2], torch.zeros(2, 1, 96, 96, dtype=torch.bool)
    mask[..., ::6, ::6] = True
    wish = torch.full_like(image, .25)
    with pytest.warns(UserWarning, match="the guide fills the hole instead") as caught:
        fill = guided(image, mask, guide=constant(wish))
    assert len(caught) == 1 and caught[0].filename == __file__
    assert torch.equal(fill, composite(image, wish, mask))


@pytest.mark.parametrize("size", [(61, 75), (40, 33)])
def test_sizes_and_double_precision(size):
    image, mask = PHOTOS[:1, :, :size[0], :size[1]].double(), make_masks("brush", 1, size, .4)
    fill, at = guided(image, mask, guide=harmonic), mask.expand_as(image)
    assert fill.dtype == torch.float64 and torch.equal(fill[~at], image[~at])
    single = guided(image.float(), mask, guide=harmonic)
    assert (fill - single).abs()[at].mean() < .02


def test_the_guide_is_required_and_any_inpainter_will_do():
    with pytest.raises(TypeError): guided(PHOTOS, MASKS)
    with pytest.raises(InputError): guided(PHOTOS, MASKS.float(), guide=harmonic)
    fill = guided(PHOTOS[:1], MASKS[:1], guide=exemplar)
    assert fill.shape == PHOTOS[:1].shape and fill.isfinite().all()
