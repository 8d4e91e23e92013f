"""What every inpainter that can run must do: a method added to the catalogue is tested here without a new test."""
import pytest
import torch

from context_inpaint.catalogue import METHODS, available, get_method
from context_inpaint.core import InputError, generator
from context_inpaint.data import load
from context_inpaint.masks import MASKS, make_masks

SIZE = 48


@pytest.fixture(scope="module")
def pictures():
    return load("drawn", size=SIZE, limit=3, split="test").batch(torch.arange(3))


def fill(name, image, mask): return get_method(name)(image, mask, generator=generator(5))


@pytest.mark.parametrize("name", available())
@pytest.mark.parametrize("kind", MASKS)
def test_known_pixels_come_back_and_hidden_ones_do_not_matter(name, kind, pictures):
    mask = make_masks(kind, 3, SIZE, seed=1)
    hidden, before = mask.expand_as(pictures), pictures.clone()
    output = fill(name, pictures, mask)
    assert torch.equal(pictures, before), "the input was changed"
    assert output.shape == pictures.shape and output.dtype == torch.float32
    assert torch.equal(output[~hidden], pictures[~hidden]), "a known pixel changed"
    assert output.min() >= 0 and output.max() <= 1
    for other in (torch.rand(pictures.shape, generator=generator(9)), torch.full_like(pictures, float("nan"))):
        assert torch.equal(fill(name, torch.where(mask, other, pictures), mask), output), "a hidden pixel leaked"


@pytest.mark.parametrize("name", available())
def test_every_hole_is_filled_at_any_size(name):
    for height, width in ((31, 50), (64, 40)):
        image = load("samples", size=64).batch(torch.tensor([0]))[..., :height, :width].clone()
        mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
        mask[..., :7, :9] = mask[..., -1:, -1:] = mask[..., 15:20, 30:36] = True
        output = fill(name, image, mask)
        assert torch.equal(output[~mask.expand_as(image)], image[~mask.expand_as(image)])
        if name != "none": assert ((output - image).abs()[mask.expand_as(image)]).mean() < .5
        if name != "none": assert (output[mask.expand_as(image)] > 0).float().mean() > .9, "a hole was left black"


@pytest.mark.parametrize("name", available())
def test_no_hole_means_no_change(name, pictures):
    assert torch.equal(fill(name, pictures, torch.zeros_like(pictures[:, :1], dtype=torch.bool)), pictures)


@pytest.mark.parametrize("name", available())
def test_bad_input_is_refused(name, pictures):
    mask = make_masks("center", 3, SIZE)
    for image, wrong in ((pictures, mask.float()), (pictures, ~torch.zeros_like(mask)), (pictures[0], mask),
                         (pictures*255, mask), (pictures, mask[..., :-1])):
        with pytest.raises(InputError): fill(name, image, wrong)


def test_every_method_is_named_and_described():
    assert set(available()) <= METHODS.keys()
    assert all(method.about.endswith(".") and "\n" not in method.about for method in METHODS.values())


def test_unknown_method_is_one_line():
    with pytest.raises(InputError, match="unknown method 'tela': did you mean 'telea'"): get_method("tela")
    with pytest.raises(InputError, match="record.json"): get_method("./nowhere")
