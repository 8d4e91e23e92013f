"""Image files in and out: every kind is understood, masks mean what was painted, what is written comes back exactly."""
import numpy as np
import pytest
import torch
from PIL import Image

from context_inpaint.core import InputError
from context_inpaint.photos import LOSSLESS, decode, read_image, read_mask, sample_files, sample_photos, write_image


def pixels(seed=0, height=24, width=24):
    """Smooth colours, unlike for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def array(path): return read_image(path).permute(1, 2, 0).numpy().astype(int)


def one_line(error): return "\n" not in str(error.value) and 20 < len(str(error.value)) < 400


def test_the_samples_are_the_seven_at_full_size():
    photos = sample_photos()
    assert list(photos) == list(sample_files()) == ["astronaut", "chelsea", "china", "coffee", "flower", "motorcycle",
                                                    "rocket"]
    assert all(p.dtype == torch.uint8 and p.shape[0] == 3 and min(p.shape[1:]) >= 300 for p in photos.values())


@pytest.mark.parametrize("tag", range(1, 9))
def test_exif_orientation(tmp_path, tag):
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :12] = 255, 0, 0
    upright[8:, 12:] = 0, 0, 255
    # Pillow's Transpose that the tag asks the viewer to invert
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[tag]
    stored = Image.fromarray(upright)
    if undo is not None: stored = stored.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x112] = tag
    for name in ("a.png", "a.webp", "a.tiff"):
        stored.save(tmp_path/name, exif=exif, **({"lossless": True} if name.endswith("webp") else {}))
        assert (array(tmp_path/name) == upright).all(), name
    stored.save(tmp_path/"p.jpg", exif=exif, quality=95, subsampling=0)
    assert np.abs(array(tmp_path/"p.jpg") - upright).mean() < 3


def test_modes(tmp_path):
    grey = np.arange(0, 256, dtype=np.uint8).reshape(16, 16)
    rgb = np.repeat(grey[..., None], 3, 2)
    half = np.dstack([np.full((16, 16, 3), 200, np.uint8), grey])
    over_white = np.repeat(np.round(255 - 55*(grey[..., None]/255)), 3, 2)
    palette = Image.fromarray(pixels(1)).quantize(16)
    files = {"grey.png": (Image.fromarray(grey), rgb),
             "sixteen.png": (Image.fromarray(grey.astype(np.uint16)*257), rgb),
             "sixteen.tiff": (Image.fromarray(grey.astype(np.uint16)*257), rgb),
             "thirtytwo.tiff": (Image.fromarray(grey.astype(np.int32)*257), rgb),
             "eight_in_thirtytwo.tiff": (Image.fromarray(grey.astype(np.int32)), rgb),
             "bits.png": (Image.fromarray(grey).point(lambda v: 255*(v > 99), "1"), np.where(rgb > 99, 255, 0)),
             "palette.png": (palette, np.asarray(palette.convert("RGB"))),
             "alpha.png": (Image.fromarray(half), over_white),
             "grey_alpha.png": (Image.fromarray(half[..., 2:], "LA"), over_white),
             "cmyk.tiff": (Image.fromarray(rgb).convert("CMYK"), rgb)}
    for name, (image, expected) in files.items():
        image.save(tmp_path/name)
        assert read_image(tmp_path/name).dtype == torch.uint8
        assert np.abs(array(tmp_path/name) - expected).max() <= 1, name
    clear = palette.copy()
    clear.save(tmp_path/"clear.png", transparency=clear.getpixel((0, 0)))
    assert read_image(tmp_path/"clear.png")[:, 0, 0].tolist() == [255]*3
    Image.fromarray(rgb).convert("CMYK").save(tmp_path/"cmyk.jpg", quality=95)
    assert np.abs(array(tmp_path/"cmyk.jpg") - rgb).mean() < 4


def test_floats_have_no_range(tmp_path):
    Image.fromarray(np.zeros((9, 9), np.float32)).save(tmp_path/"f.tiff")
    with pytest.raises(InputError, match=r"f\.tiff: .*float"): read_image(tmp_path/"f.tiff")


def test_a_damaged_file_is_one_line_with_its_reason(tmp_path):
    Image.fromarray(pixels(7, 64, 64)).save(tmp_path/"whole.jpg")
    whole = (tmp_path/"whole.jpg").read_bytes()
    (tmp_path/"cut.jpg").write_bytes(whole[:len(whole)//2])
    (tmp_path/"empty.png").touch()
    (tmp_path/"page.jpg").write_text("<html>404 Not Found</html>")
    for name, reason in {"cut.jpg": "truncated", "empty.png": "it is empty", "page.jpg": "no JPEG, PNG",
                         "never.png": "there is no such file"}.items():
        with pytest.raises(InputError, match=f"cannot read .*{name}: .*{reason}") as error: read_image(tmp_path/name)
        assert one_line(error)
        with pytest.raises(InputError, match=reason) as error: decode(tmp_path/name)
        assert name not in str(error.value), "who asks for many files says himself which one it was"


def test_decoding_at_a_size_takes_the_middle_square_and_says_whether_it_was_enlarged(tmp_path):
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 30:70] = 255
    Image.fromarray(wide).save(tmp_path/"wide.png")
    for size in (8, 40, 64):
        image = decode(tmp_path/"wide.png", size)
        assert image.size == (size, size) and image.info["enlarged"] == (size > 40) and np.asarray(image).min() == 255


def test_masks(tmp_path):
    grey = np.zeros((10, 14), np.uint8)
    grey[2:5, 3:9], grey[2, 3], grey[4, 8] = 255, 127, 128
    expected = torch.from_numpy(grey >= 128)[None, None]
    half = np.dstack([np.full_like(grey, 255)]*3 + [grey])
    image = Image.fromarray(grey)
    files = {"l.png": image, "rgb.png": image.convert("RGB"), "16.png": Image.fromarray(grey.astype(np.uint16)*257),
             "1.png": image.point(lambda v: 255*(v > 127), "1"), "clear.png": Image.fromarray(half)}
    for name, image in files.items():
        image.save(tmp_path/name)
        mask = read_mask(tmp_path/name, (10, 14))
        assert mask.dtype == torch.bool and mask.shape == (1, 1, 10, 14) and (mask == expected).all(), name
    assert (read_mask(tmp_path/"l.png") == expected).all()
    with pytest.raises(InputError, match="14×10 .* 10×14"): read_mask(tmp_path/"l.png", (14, 10))
    for value, said in ((0, "hides nothing: white is the hole"), (255, "hides everything")):
        Image.fromarray(np.full((10, 14), value, np.uint8)).save(tmp_path/"flat.png")
        with pytest.raises(InputError, match=said): read_mask(tmp_path/"flat.png", (10, 14))
    with pytest.raises(InputError, match="no such file"): read_mask(tmp_path/"none.png", (10, 14))


@pytest.mark.parametrize("ending", [*LOSSLESS, ".PNG"])
def test_written_pictures_come_back_exactly(tmp_path, ending):
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 9, 13), dtype=np.uint8))
    for i, version in enumerate((image, image.float()/255, image[None].double()/255)):
        write_image(tmp_path/f"{i}{ending}", version)
        assert (read_image(tmp_path/f"{i}{ending}") == image).all()


def test_writing_rounds(tmp_path):
    write_image(tmp_path/"a.png", torch.full((3, 2, 2), 99.7/255))
    assert (read_image(tmp_path/"a.png") == 100).all()


@pytest.mark.parametrize("name, spoil, said", [
    ("a.jpg", lambda x: x, r"known pixels .*\.png"), ("a", lambda x: x, "known pixels"),
    ("a.png", lambda x: x[:1], r"\[3, H, W\]"), ("a.png", lambda x: x + 2, "float in"),
    ("a.png", lambda x: x*float("nan"), "float in"), ("a.png", lambda x: x.long(), "uint8"),
    ("no/a.png", lambda x: x, "no folder")])
def test_writing_refuses_what_could_not_come_back(tmp_path, name, spoil, said):
    with pytest.raises(InputError, match=said) as error: write_image(tmp_path/name, spoil(torch.zeros(3, 4, 4)))
    assert one_line(error) and not list(tmp_path.iterdir())


def test_nothing_is_overwritten_unasked(tmp_path):
    write_image(tmp_path/"a.png", torch.zeros(3, 4, 4))
    with pytest.raises(InputError, match="exists"): write_image(tmp_path/"a.png", torch.ones(3, 4, 4))
    assert read_image(tmp_path/"a.png").max() == 0
    write_image(tmp_path/"a.png", torch.ones(3, 4, 4), force=True)
    assert read_image(tmp_path/"a.png").min() == 255 and [p.name for p in tmp_path.iterdir()] == ["a.png"]
