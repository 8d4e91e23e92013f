"""Photo files in, filled photo files out: folders, several masks, growing, formats, and bad files in between."""
import numpy as np
import pytest
import torch
from PIL import Image

from context_inpaint.classical import telea
from context_inpaint.core import InputError
from context_inpaint.photos import read_image, write_image
from context_inpaint.retouch import bounding_box, box_mask, fill_folder, fill_photo, grow, hole_of, jobs

PHOTO = torch.rand(3, 60, 90, generator=torch.Generator().manual_seed(0)).mul(255).byte()


def save_mask(path, *box):
    mask = np.zeros((60, 90), np.uint8)
    mask[box[1]:box[1] + box[3], box[0]:box[0] + box[2]] = 255
    Image.fromarray(mask).save(path)


@pytest.fixture
def folder(tmp_path):
    """Three photos, two masks, a broken photo, a hidden file, and a place for results."""
    for name in ("photos", "masks"): (tmp_path/name).mkdir()
    for name in ("a.png", "b.jpg", "c.png"): write_image(tmp_path/"photos"/name, PHOTO, quality=95)
    (tmp_path/"photos"/"bad.png").write_text("no picture")
    (tmp_path/"photos"/"._a.png").write_text("a ghost of the file system")
    for name in ("a.png", "b.png", "bad.png"): save_mask(tmp_path/"masks"/name, 10, 20, 8, 9)
    return tmp_path


def fill(folder, **more):
    return fill_folder(list(jobs(folder/"photos", [folder/"masks"], folder/"out")), folder/"out", telea, **more)


def test_a_folder_is_filled_but_for_what_is_bad_and_each_bad_one_is_a_line(folder, capsys):
    assert fill(folder) is False
    said = capsys.readouterr()
    assert sorted(file.name for file in (folder/"out").iterdir()) == ["a.png", "b.jpg"]
    assert "2 photos filled, 2 could not be, 0 were there already" in said.out
    lines = [line for line in said.err.splitlines() if line.startswith("context-inpaint: ")]
    assert len(lines) == 2 and "bad.png: cannot read" in lines[0] and "c.png: no mask of the same name" in lines[1]
    known = torch.ones(3, 60, 90, dtype=torch.bool)
    known[:, 20:29, 10:18] = False
    filled = read_image(folder/"out"/"a.png")
    assert torch.equal(filled[known], PHOTO[known]) and not torch.equal(filled[~known], PHOTO[~known])
    before, after = (read_image(folder/place/"b.jpg")[known].int() for place in ("photos", "out"))
    assert 0 < (after - before).abs().max() < 60, "JPEG changes known pixels, but not much"


def test_an_interrupted_folder_goes_on_and_force_begins_anew(folder, capsys):
    fill(folder)
    (folder/"out"/"a.png").write_text("mine")
    (folder/"out"/"b.jpg").unlink()
    capsys.readouterr()
    fill(folder)
    assert "1 photos filled, 2 could not be, 1 were there already" in capsys.readouterr().out
    assert (folder/"out"/"a.png").read_text() == "mine" and (folder/"out"/"b.jpg").exists()
    fill(folder, force=True)
    assert read_image(folder/"out"/"a.png").shape == PHOTO.shape


def test_a_box_serves_every_photo_and_masks_add_up(folder):
    fill(folder, boxes=["40,5,10,10"])
    for name, hidden in (("a.png", [(10, 20, 8, 9), (40, 5, 10, 10)]), ("c.png", [(40, 5, 10, 10)])):
        changed = (read_image(folder/"out"/name) != PHOTO).any(0)
        wanted = torch.zeros(60, 90, dtype=torch.bool)
        for x, y, w, h in hidden: wanted[y:y + h, x:x + w] = True
        assert changed[wanted].float().mean() > .9 and not changed[~wanted].any()


def test_folders_that_hold_nothing_or_are_none(folder, tmp_path):
    with pytest.raises(InputError, match="no pictures"): list(jobs(folder/"masks"/"..", [folder/"masks"], tmp_path))
    with pytest.raises(InputError, match="must be one too"):
        list(jobs(folder/"photos", [folder/"masks"/"a.png"], tmp_path))


def test_growing_is_by_distance_and_stays_in_the_picture():
    mask = torch.zeros(1, 1, 30, 40, dtype=torch.bool)
    mask[..., 10, 20] = mask[..., 0, 0] = True
    grown = grow(mask, 3)
    y, x = torch.meshgrid(torch.arange(30), torch.arange(40), indexing="ij")
    disc = ((y - 10)**2 + (x - 20)**2 <= 9) | (y**2 + x**2 <= 9)
    assert torch.equal(grown[0, 0], disc) and mask.sum() == 2 and torch.equal(grow(mask, 0), mask)
    with pytest.raises(InputError, match="at least 0"): grow(mask, -1)


def test_holes_that_leave_nothing_are_refused(tmp_path):
    with pytest.raises(InputError, match="the box hides the whole picture"): hole_of(PHOTO, [], ["0,0,90,60"])
    with pytest.raises(InputError, match="the holes hide the whole"): hole_of(PHOTO, [], ["0,0,90,59"], by=1)
    for text, said in (("1,2,3", "four whole numbers"), ("1,1,0,5", "empty"), ("80,1,20,5", "outside the picture")):
        with pytest.raises(InputError, match=said): box_mask(text, 60, 90)


def test_only_what_surrounds_the_hole_is_looked_at_and_that_changes_nothing():
    photo = torch.rand(3, 700, 1900, generator=torch.Generator().manual_seed(1)).mul(255).byte()
    mask, sizes = torch.zeros(1, 1, 700, 1900, dtype=torch.bool), []
    mask[..., 300:340, 900:950] = True

    def watched(image, mask, *, generator=None):
        sizes.append(tuple(image.shape[-2:]))
        return telea(image, mask, generator=generator)

    filled, whole = fill_photo(photo, mask, watched), telea(photo[None].float()/255, mask)[0]
    assert sizes == [(700, 1074)] and torch.equal(filled, (whole*255).round().byte())
    assert bounding_box(mask, 0) == (slice(300, 340), slice(900, 950))
