"""Photo files in, filled photo files out: one photo or a folder of them, holes from masks and boxes."""
from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from context_inpaint.core import InputError
from context_inpaint.photos import LOSSLESS, LOSSY, read_image, read_mask, write_image

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from context_inpaint.masks import Inpainter

ENDINGS = LOSSLESS + LOSSY
QUALITY = 95  # of JPEG; known pixels change by a few grey levels


def box_mask(text: str, height: int, width: int) -> Tensor:
    """Return the mask, bool `[1, 1, height, width]`, of a box `X,Y,W,H` in pixels: left, top, width, height."""
    import torch
    try: x, y, w, h = map(int, text.split(","))
    except ValueError:
        raise InputError(f"box {text!r} is not four whole numbers: write --box X,Y,W,H in pixels") from None
    if w < 1 or h < 1: raise InputError(f"box {text!r} is empty: width and height must be at least 1")
    if x < 0 or y < 0 or x + w > width or y + h > height:
        raise InputError(f"box {text!r} lies outside the picture, which is {width} wide and {height} high")
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    mask[..., y:y + h, x:x + w] = True
    return mask


def bounding_box(mask: Tensor, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of the box around all holes of a mask `[..., H, W]`, widened by `margin` pixels."""
    sides = []
    for lines in (mask.flatten(0, -3).any(0).any(1), mask.flatten(0, -3).any(0).any(0)):
        found = lines.nonzero()
        sides.append(slice(max(0, int(found[0]) - margin), int(found[-1]) + 1 + margin))
    return sides[0], sides[1]


def grow(mask: Tensor, by: int) -> Tensor:
    """Return a mask `[1, 1, H, W]` with all pixels within `by` pixels of its holes: for shadows and halos."""
    import torch
    from scipy.ndimage import distance_transform_edt
    if by < 0: raise InputError(f"grow must be at least 0 pixels, got {by}")
    if not by or not mask.any(): return mask
    room, grown = (..., *bounding_box(mask, by)), mask.clone()
    grown[room] = torch.from_numpy(distance_transform_edt(~mask[room][0, 0].numpy()) <= by)
    return grown


def hole_of(photo: Tensor, masks: Sequence[Path], boxes: Sequence[str] = (), by: int = 0) -> Tensor:
    """Return the hole that mask files and boxes make together on a photo `[3, H, W]`, grown by `by` pixels.

    Raises
    ------
    InputError
        If a file or a box does not fit, or nothing is left to fill from.
    """
    import torch
    height, width = photo.shape[1:]
    parts = [read_mask(file, (height, width)) for file in masks] + [box_mask(text, height, width) for text in boxes]
    mask = grow(torch.stack(parts).any(0), by)
    if mask.all():
        what = "the box hides" if not masks and len(boxes) == 1 and not by else "the holes hide"
        raise InputError(f"{what} the whole picture: leave something to fill it from")
    return mask


def fill_photo(photo: Tensor, mask: Tensor, inpainter: Inpainter, generator: torch.Generator | None = None) -> Tensor:
    """Return a photo, uint8 `[3, H, W]`, with its holes filled; only what surrounds them is turned into floats.

    The inpainter gets the box around all holes, widened by twice the longer side of the box, at least 512 pixels: more
    than any method looks at.
    """
    import torch
    height, width = (side.stop - side.start for side in bounding_box(mask, 0))
    rows, columns = bounding_box(mask, max(512, 2*max(height, width)))
    part, missing = photo[None, :, rows, columns], mask[..., rows, columns]
    filled = inpainter(part.float()/255, missing, generator=generator)
    out = photo.clone()
    out[:, rows, columns] = torch.where(missing[0], (filled[0]*255).round().clamp(0, 255).to(photo.dtype), part[0])
    return out


def write_photo(path: Path, photo: Tensor, force: bool = False) -> None:
    """Write a photo in the format of its ending; say on stderr where that changes known pixels."""
    lossy = path.suffix.lower() in LOSSY
    write_image(path, photo, force, quality=QUALITY if lossy else None)
    if lossy:
        print(f"{path}: JPEG stores every pixel anew, known ones change a little; name a .png to keep them exact",
              file=sys.stderr)


class Job(NamedTuple):
    """One photo to fill: its file, its masks, and the file to write."""
    photo: Path
    masks: list[Path]
    out: Path


def jobs(photos: Path, masks: Sequence[Path], out: Path) -> Iterator[Job]:
    """Yield what there is to do in a folder of photos: each goes with the mask of the same name in every mask folder.

    Raises
    ------
    InputError
        If there are no photos, or a mask is no folder.
    """
    for folder in masks:
        if not folder.is_dir():
            raise InputError(f"{photos} is a folder, so {folder} must be one too, with masks of the same names")
    files = _pictures(photos)
    if not files: raise InputError(f"no pictures in {photos}: looked for {', '.join(ENDINGS)}")
    named = [{file.stem: file for file in _pictures(folder)} for folder in masks]
    for file in files:
        yield Job(file, [found[file.stem] for found in named if file.stem in found], out/file.name)


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS and file.name[0] != ".")


def fill_folder(todo: Sequence[Job], out: Path, inpainter: Inpainter, boxes: Sequence[str] = (), by: int = 0,
                seed: int = 0, force: bool = False) -> bool:
    """Fill the photos of a folder into the folder `out`, say how it went, and return whether all went well.

    Photos whose result is there already are left out unless `force`, so that an interrupted folder goes on where it
    stopped; one bad file does not stop the rest: each is a line on stderr.

    Parameters
    ----------
    todo : sequence of Job
    out : path
        Made if it is missing.
    inpainter : Inpainter
    boxes, by
        As in `hole_of`, for every photo.
    seed : int
        For inpainters that draw at random: each photo is drawn with it afresh.
    force : bool
        Overwrite.
    """
    from context_inpaint.figures import Live
    out.mkdir(parents=True, exist_ok=True)
    left = [job for job in todo if force or not job.out.exists()]
    wrong, live = [], Live(len(left), "filling photos")
    for done, job in enumerate(left, 1):
        try: _fill_job(job, inpainter, boxes, by, seed, force)
        except InputError as error: wrong.append(f"context-inpaint: {job.photo}: {error}")
        live.update(done)
    for line in wrong: print(line, file=sys.stderr)
    print(f"{out}: {len(left) - len(wrong)} photos filled, {len(wrong)} could not be, "
          f"{len(todo) - len(left)} were there already")
    return not wrong


def _fill_job(job: Job, inpainter: Inpainter, boxes: Sequence[str], by: int, seed: int, force: bool) -> None:
    from context_inpaint.core import generator
    if not job.masks and not boxes: raise InputError("no mask of the same name")
    photo = read_image(job.photo)
    mask = hole_of(photo, job.masks, boxes, by)
    write_photo(job.out, fill_photo(photo, mask, inpainter, generator(seed)), force)
