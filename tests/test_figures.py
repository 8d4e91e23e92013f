"""Pictures in notebooks and progress that does not litter: small, alike for every kind of image, one output."""
import io
import sys

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from context_inpaint.core import generator
from context_inpaint.figures import PINK, Live, Picture, as_picture, grid, show_hole, to_numpy

matplotlib.use("Agg")


def opened(picture): return Image.open(io.BytesIO(picture.data))


def test_a_picture_is_what_notebooks_show_and_save_writes(tmp_path):
    p = Picture(b"bytes", alt="a cat")
    assert p._repr_mimebundle_() == {"image/jpeg": b"bytes", "text/plain": "a cat"}
    p.save(tmp_path/"x.jpg")
    assert (tmp_path/"x.jpg").read_bytes() == b"bytes"


def test_as_picture_keeps_the_limit_by_lowering_the_quality_and_closes_the_figure():
    sizes = []
    for limit in (1_000_000, 60_000, 25_000):
        figure, ax = plt.subplots(figsize=(4, 4))
        ax.imshow(np.random.default_rng(0).random((200, 200, 3)))
        picture = as_picture(figure, "noise", limit)
        assert not plt.fignum_exists(figure.number)
        assert opened(picture).size == (400, 400) and opened(picture).format == "JPEG"
        sizes.append(len(picture.data))
        assert sizes[-1] <= limit
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("make", [
    lambda x: x.float(), lambda x: (255*x).byte(), lambda x: x.bool(), lambda x: 3*x.double() - 1,
    lambda x: (255*x).byte().numpy()])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_image_is_drawn_alike(make, channels):
    x = torch.tensor([[0., 1.], [1., 0.]]).expand(channels, 2, 2)
    drawn = to_numpy(make(x))
    assert drawn.shape == ((2, 2, 3) if channels == 3 else (2, 2)) and drawn.min() == 0 and drawn.max() == 1
    assert np.array_equal(drawn if channels == 1 else drawn[..., 0], [[0, 1], [1, 0]])


def test_a_grid_has_a_place_for_each_picture_and_gaps():
    plt.close("all")  # what other tests have left open
    red = torch.tensor([1., 0, 0])[:, None, None].expand(3, 9, 9)
    mask = torch.ones(1, 9, 9, dtype=torch.bool)
    image = np.asarray(opened(grid([[red, None], [None, mask.logical_not()]], side=1.)), int)
    h, w = image.shape[0]//2, image.shape[1]//2
    def is_red(part): return ((part[..., 0] > 200) & (part[..., 1] < 60)).mean()
    assert is_red(image[:h, :w]) > .7 and is_red(image[:h, w:]) == is_red(image[h:]) == 0
    assert (image[h:, w:] < 60).all(-1).mean() > .7 and (image[h:, :w] > 200).all()
    assert not plt.get_fignums()
    noise = torch.rand(3, 64, 64, generator=generator(0))
    assert len(grid({"row": [noise]*5}, list("abcde"), alt="five", limit=20_000).data) <= 20_000


def test_a_hole_is_shown_in_pink_and_nothing_else_changes():
    image, mask = torch.rand(2, 3, 4, 5, generator=generator(0)), torch.zeros(2, 1, 4, 5, dtype=torch.bool)
    mask[0, 0, 1, 2] = mask[1, 0, 3] = True
    shown = show_hole(image, mask)
    assert torch.allclose(shown[0, :, 1, 2], torch.tensor(PINK))
    assert torch.equal(shown.masked_fill(mask, 0), image.masked_fill(mask, 0))


class Terminal(io.StringIO):
    def isatty(self): return True


def run(live):
    drawn = []
    for step in range(1, 11): live.update(step, lambda step=step: drawn.append(step), loss=1/step)
    return drawn


def test_live_in_a_pipe_is_one_last_line(capsys):
    assert run(Live(10, "training", every=0)) == [], "a picture was drawn for nobody"
    out, err = capsys.readouterr()
    assert out == "" and err == "training: 10/10 · loss 0.1\n"
    Live(10, "training").update(4)
    assert capsys.readouterr().err == ""


def test_live_in_a_terminal_rewrites_one_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert run(Live(10, "training", every=0)) == []
    lines = terminal.getvalue().split("\r\033[K")
    assert len(lines) == 11 and lines[0] == "" and lines[-1] == "training: 10/10 · loss 0.1\n"
    assert terminal.getvalue().count("\n") == 1
    assert lines[5].startswith("training: 5/10 · loss 0.2 · ") and lines[5].endswith(" s left")


def test_live_shows_seldom_and_always_the_end(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    run(Live(10, "training", every=60))
    assert terminal.getvalue().count("\r") == 2 and "1/10" in terminal.getvalue() and "10/10" in terminal.getvalue()


def test_live_of_nothing_does_not_divide_by_zero(capsys):
    Live(0, "nothing").update(0)
    assert capsys.readouterr().err == "nothing: 0/0\n"


def test_live_in_a_notebook_replaces_one_output_and_keeps_its_picture(monkeypatch):
    shown = []
    class Handle:
        def update(self, bundle, raw): shown.append(("update", bundle))
    def display(bundle, raw, display_id):
        shown.append(("display", bundle))
        return Handle()
    module = type(sys)("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    live = Live(3, "training", every=0)
    live.notebook = True
    live.update(1)
    live.update(2, Picture(b"p"), loss=2.)
    live.update(3, loss=1.)
    assert [kind for kind, _ in shown] == ["display", "update", "update"]
    assert list(shown[0][1]) == ["text/plain"]
    assert shown[2][1] == {"image/jpeg": b"p", "text/plain": "training: 3/3 · loss 1"}
