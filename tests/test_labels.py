"""Pictures from labels: what the network converges to, what its inpainter must never do, what a description knows."""
import pytest
import torch
import torch.nn.functional as F

from context_inpaint.core import InputError, generator
from context_inpaint.labels import fit_to_labels, label_decoder, label_inpainter, tile_colours
from context_inpaint.masks import MASKS, make_masks


def pictures(n, height, width=None, seed=0): return torch.rand(n, 3, height, width or height, generator=generator(seed))


def drawer(inputs, size=16, seed=0):
    torch.manual_seed(seed)
    return label_decoder(inputs, size, width=16)


@pytest.mark.parametrize("size", [8, 16, 64, 256])
@pytest.mark.parametrize("inputs", [1, 8, 56])
def test_the_network_draws_any_power_of_two(size, inputs):
    assert drawer(inputs, size)(torch.rand(2, inputs)).shape == (2, 3, size, size)


@pytest.mark.parametrize("inputs, size", [(0, 32), (8, 4), (8, 48), (8, 0), (8, -8)])
def test_impossible_networks_are_refused(inputs, size):
    with pytest.raises(InputError): label_decoder(inputs, size)


def two_kinds():
    """Bright and dark noise, 32 pictures of each, and their labels."""
    labels = torch.arange(64) % 2
    images = (255*(.4*pictures(64, 16) + .5*labels.view(-1, 1, 1, 1))).to(torch.uint8)
    return F.one_hot(labels, 2).float(), images


def test_what_it_learns_is_the_mean_of_each_kind():
    labels, images = two_kinds()
    net = drawer(2)
    losses = fit_to_labels(net, labels, images, 300)
    means = torch.stack([images[labels[:, k] == 1].float().mean(0)/255 for k in (0, 1)])
    floor = ((images/255 - means[labels.argmax(1)])**2).mean()
    drawn = (net(torch.eye(2)) + 1)/2
    assert (drawn - means).square().mean() < .1*floor
    assert len(losses) == 300
    assert abs(sum(losses[-20:])/20 - floor) < .1*floor, "the loss stops at the variance within kinds"


def test_training_twice_gives_the_same_weights():
    labels, images = two_kinds()
    nets = [drawer(2), drawer(2)]
    curves = [fit_to_labels(net, labels, images, 5, seed=3) for net in nets]
    assert curves[0] == curves[1]
    assert all(torch.equal(a, b) for a, b in zip(nets[0].parameters(), nets[1].parameters()))
    assert fit_to_labels(drawer(2), labels, images, 5, seed=4) != curves[0]


@pytest.mark.parametrize("steps, batch_size", [(1, 1), (2, 1), (1, 200)])
def test_short_training_and_large_batches_work(steps, batch_size):
    losses = fit_to_labels(drawer(2), *two_kinds(), steps, batch_size)
    assert len(losses) == steps and all(loss == loss for loss in losses)


def test_bad_training_input_is_refused():
    labels, images = two_kinds()
    for bad in ((labels[:-1], images, 5), (labels[:, 0], images, 5), (labels, images/255, 5), (labels, images, 0),
                (labels, images, 5, 0)):
        with pytest.raises(InputError): fit_to_labels(drawer(2), *bad)


def fillers(n, size=16):
    """Both ways to give labels: supplied, and computed from the context."""
    return {"supplied": label_inpainter(drawer(4), torch.rand(n, 4, generator=generator(1))),
            "computed": label_inpainter(drawer(3*2*2), lambda context, mask: tile_colours(context, mask, 2))}


@pytest.mark.parametrize("how", ["supplied", "computed"])
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("height, width", [(16, 16), (31, 50), (64, 40)])
def test_known_pixels_come_back_and_hidden_ones_do_not_matter(how, kind, height, width):
    image, mask = pictures(3, height, width), make_masks(kind, 3, (height, width), .4, seed=1)
    fill, hidden, before = fillers(3)[how], mask.expand(-1, 3, -1, -1), image.clone()
    output = fill(image, mask, generator=generator(0))
    assert torch.equal(image, before) and output.shape == image.shape and output.dtype == torch.float32
    assert torch.equal(output[~hidden], image[~hidden])
    assert output.min() >= 0 and output.max() <= 1
    for other in (pictures(3, height, width, seed=7), torch.full_like(image, torch.nan)):
        assert torch.equal(fill(torch.where(mask, other, image), mask), output)


def test_a_careless_description_cannot_peek():
    image, mask = pictures(2, 16), make_masks("center", 2, 16, .5)
    peek = label_inpainter(drawer(3), lambda context, mask: (context*mask).sum((2, 3)))
    assert torch.equal(peek(image, mask), peek(torch.where(mask, 1 - image, image), mask))


def test_a_supplied_label_gives_one_fill_whatever_surrounds_it():
    fill, mask = label_inpainter(drawer(2), torch.tensor([[1., 0], [1, 0]])), make_masks("center", 2, 16, .5)
    output = fill(pictures(2, 16), mask)
    assert torch.equal(output[0][mask[0].expand(3, -1, -1)], output[1][mask[1].expand(3, -1, -1)])


def test_at_native_size_it_pastes_the_drawing_itself():
    net, mask = drawer(2), make_masks("region", 1, 16)
    drawn = ((net(torch.eye(2)[:1]) + 1)/2).clamp(0, 1)
    output = label_inpainter(net, torch.eye(2)[:1])(pictures(1, 16), mask)
    assert torch.equal(output[mask.expand_as(drawn)], drawn[mask.expand_as(drawn)])


def test_a_picture_that_is_not_square_gets_the_middle_of_the_drawing():
    net, label = drawer(2), torch.eye(2)[:1]
    square, wide = make_masks("center", 1, 32, .5), make_masks("center", 1, (16, 32), .5)
    whole = label_inpainter(net, label)(torch.zeros(1, 3, 32, 32), square)
    part = label_inpainter(net, label)(torch.zeros(1, 3, 16, 32), wide)
    assert torch.equal(part[:, :, 4:12, 8:24], whole[:, :, 12:20, 8:24])


@pytest.mark.parametrize("how", ["supplied", "computed"])
def test_no_hole_means_no_change(how):
    image = pictures(3, 16)
    assert torch.equal(fillers(3)[how](image, torch.zeros(3, 1, 16, 16, dtype=torch.bool)), image)


def test_labels_that_do_not_fit_are_refused_in_one_line():
    image, mask = pictures(3, 16), make_masks("center", 3, 16)
    for labels in (torch.rand(2, 4), torch.rand(3, 5), torch.rand(4), lambda context, mask: torch.rand(3, 5)):
        with pytest.raises(InputError, match="labels must be"): label_inpainter(drawer(4), labels)(image, mask)
    for bad in ((image*255, mask), (image, mask.float()), (image, torch.ones_like(mask)), (image[0], mask)):
        with pytest.raises(InputError): label_inpainter(drawer(4), torch.rand(3, 4))(*bad)


def test_tile_colours_are_means_of_tiles():
    image = pictures(2, 8)
    by_hand = 2*image.view(2, 3, 2, 4, 2, 4).mean((3, 5)).flatten(1) - 1
    torch.testing.assert_close(tile_colours(image, tiles=2), by_hand)
    torch.testing.assert_close(tile_colours(image, torch.zeros(2, 1, 8, 8, dtype=torch.bool), 2), by_hand)


@pytest.mark.parametrize("tiles", [1, 2, 3, 4, 8])
def test_known_tiles_know_nothing_hidden(tiles):
    image, mask = pictures(2, 16), make_masks("block", 2, 16, .6)
    colours = tile_colours(image, mask, tiles)
    assert colours.shape == (2, 3*tiles**2) and colours.isfinite().all() and colours.abs().max() <= 1
    assert torch.equal(colours, tile_colours(image.masked_fill(mask, torch.nan), mask, tiles))
    assert not torch.equal(colours, tile_colours(image, None, tiles))


def test_known_tiles_by_hand():
    image, mask = pictures(1, 8), torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    mask[..., :4, :4] = mask[..., 4, 4] = True
    colours = tile_colours(image, mask, 2).view(3, 2, 2)
    known = image[0, :, ~mask[0, 0]]
    torch.testing.assert_close(colours[:, 0, 0], 2*known.mean(1) - 1)  # a tile that is wholly hidden
    inside = torch.ones(4, 4, dtype=torch.bool)
    inside[0, 0] = False
    torch.testing.assert_close(colours[:, 1, 1], 2*image[0, :, 4:, 4:][:, inside].mean(1) - 1)


def test_bad_descriptions_are_refused():
    image = pictures(1, 8)
    for bad in ((image, None, 0), (image, None, 9), (image*255, None, 2), (image*torch.nan, None, 2),
                (image[0], None, 2), (image, torch.ones(1, 1, 8, 8, dtype=torch.bool), 2)):
        with pytest.raises(InputError): tile_colours(*bad)
