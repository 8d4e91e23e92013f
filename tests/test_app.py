"""The painter without a browser: what Python keeps, what it tells the browser, what happens when the browser speaks."""
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import context_inpaint
from context_inpaint import app, catalogue
from context_inpaint.app import Browser, Painter, from_png, to_png
from context_inpaint.core import InputError
from context_inpaint.masks import make_masks

METHODS = catalogue.get_methods(["ring-mean", "telea"])
PHOTO = torch.rand(3, 40, 56, generator=torch.Generator().manual_seed(0)).mul(255).byte()


@pytest.fixture
def live(monkeypatch):
    """A painter as a notebook in a browser has it."""
    pytest.importorskip("anywidget")
    for name in ("IN_TEST", "CONTEXT_INPAINT_STATIC"): monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("IPython.display.display", lambda data, **how: None)
    painter = catalogue.painter(PHOTO, chosen=("ring-mean", "telea"))
    painter._ipython_display_()
    return painter, painter.browser.widget


def painted(mask):
    """Return what a browser sends: a PNG, coloured where painted, with the alpha of soft edges."""
    alpha = mask if isinstance(mask, np.ndarray) else (255*mask[0, 0].numpy()).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([np.full_like(alpha, v) for v in (242, 77, 153)] + [alpha])).save(buffer, "PNG")
    return memoryview(buffer.getvalue())


def test_a_photo_comes_from_a_file_upright_or_from_a_tensor(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    Image.fromarray(PHOTO.permute(1, 2, 0).numpy()).save(tmp_path/"lying.jpg", exif=exif)
    assert Painter(tmp_path/"lying.jpg", METHODS).image.shape == (1, 3, 56, 40)
    for image in (PHOTO, PHOTO[None], PHOTO/255, (PHOTO/255)[None]):
        assert torch.equal(Painter(image, METHODS).image, PHOTO[None]/255)


@pytest.mark.parametrize("image, says",
                         [("gone.jpg", "gone.jpg"), (torch.zeros(2, 3, 8, 8), "one photo"),
                          (torch.zeros(8, 8), "one photo"), (None, "file or a tensor"),
                          (torch.full((3, 8, 8), 2.), "0, 1")])
def test_a_bad_photo_is_one_line(image, says):
    with pytest.raises(InputError, match=says): Painter(image, METHODS)


def test_the_mask_is_at_the_photos_size_and_refused_if_it_is_not(tmp_path):
    painter = Painter(PHOTO, METHODS)
    assert painter.mask.shape == (1, 1, 40, 56) and painter.mask.dtype == torch.bool and painter.mask.any()
    hole = make_masks("brush", 1, (40, 56), seed=1)
    Image.fromarray((255*hole[0, 0].numpy()).astype(np.uint8)).save(tmp_path/"mask.png")
    for given in (hole, hole[0, 0], tmp_path/"mask.png"): assert torch.equal(Painter(PHOTO, METHODS, given).mask, hole)
    for wrong, says in ((hole[..., 1:], "mask must be"), (hole.float(), "bool"), (hole | True, "whole picture"),
                        (tmp_path/"gone.png", "gone.png")):
        with pytest.raises(InputError, match=says): painter.mask = wrong
    assert torch.equal(painter.mask, Painter(PHOTO, METHODS).mask), "a refused mask has left a trace"


def test_masks_go_through_png_and_back_at_any_scale():
    hole = make_masks("region", 1, (40, 56), seed=2)
    assert torch.equal(from_png(to_png(hole), (40, 56)), hole)
    assert torch.equal(from_png(to_png(hole), (80, 112)), hole.repeat_interleave(2, 2).repeat_interleave(2, 3))
    soft = np.array([[0, 127, 128, 255]], np.uint8)
    assert from_png(bytes(painted(soft)), (1, 4)).flatten().tolist() == [False, False, True, True]


def test_fill_keeps_known_pixels_and_is_what_the_file_holds(tmp_path):
    painter = Painter(PHOTO, METHODS, make_masks("object", 1, (40, 56), seed=3))
    with pytest.raises(InputError, match="fill first"): painter.save(tmp_path/"a.png")
    filled = painter.fill("telea")
    known, before = (x.masked_fill(painter.mask, 0) for x in (filled, painter.image))
    assert torch.equal(known, before) and not torch.equal(filled, painter.image)
    painter.fill("ring-mean")
    painter.save(tmp_path/"a.png", "telea")
    painter.save(tmp_path/"latest.png")
    stored, latest = (torch.from_numpy(np.array(Image.open(tmp_path/name))).permute(2, 0, 1)
                      for name in ("a.png", "latest.png"))
    assert torch.equal(stored/255, filled[0]) and torch.equal(latest/255, painter.results["ring-mean"][0])
    for path, name, says in (("a.png", None, "exists"), ("a.jpg", None, "a.jpg"), ("b.png", "unet", "unknown fill")):
        with pytest.raises(InputError, match=says): painter.save(tmp_path/path, name)


def test_nothing_to_fill_and_unknown_methods_are_one_line():
    painter = Painter(PHOTO, METHODS, torch.zeros(40, 56, dtype=torch.bool))
    with pytest.raises(InputError, match="no hole yet"): painter.fill("telea")
    for wrong in (lambda: Painter(PHOTO, METHODS, chosen=["tela"]), lambda: painter.fill("tela"),
                  lambda: catalogue.painter(PHOTO, chosen=["tela"])):
        with pytest.raises(InputError, match="did you mean 'telea'"): wrong()


@pytest.mark.parametrize("reason", ["IN_TEST", "CONTEXT_INPAINT_STATIC", "no anywidget"])
def test_without_a_browser_there_is_a_picture(reason, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append(data))
    for name in ("IN_TEST", "CONTEXT_INPAINT_STATIC"): monkeypatch.delenv(name, raising=False)
    if reason == "no anywidget":
        monkeypatch.setitem(sys.modules, "anywidget", None)
        app._widget_class.cache_clear()
    else: monkeypatch.setenv(reason, "1")
    Painter(PHOTO, METHODS)._ipython_display_()
    app._widget_class.cache_clear()
    assert set(shown[0]) == {"image/jpeg", "text/plain"} and len(shown[0]["image/jpeg"]) < 40_000
    said = capsys.readouterr().out
    assert said.count("\n") == (reason == "no anywidget") and ("pip install" in said) == (reason == "no anywidget")


def test_the_module_needs_neither_anywidget_nor_ipython():
    code = "import sys; sys.modules['anywidget'] = None; import context_inpaint.app; print('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_in_a_browser_there_is_a_widget_and_the_picture_too(live, monkeypatch):
    painter, widget = live
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append(data))
    painter._ipython_display_()
    assert {"application/vnd.jupyter.widget-view+json", "image/jpeg"} <= set(shown[0])
    assert painter.browser.widget is widget, "shown again it is another widget"
    assert widget.size == [56, 40] and widget.chosen == ["ring-mean", "telea"]
    assert "unet" in widget.methods and "none" not in widget.methods
    assert Image.open(io.BytesIO(widget.photo)).size == (56, 40)
    assert torch.equal(from_png(widget.mask, (40, 56)), painter.mask)


def test_what_is_painted_is_the_mask(live):
    painter, widget = live
    hole = make_masks("brush", 1, (40, 56), seed=4)
    widget.set_state({"mask": painted(hole)})  # as it arrives: a memoryview
    assert torch.equal(painter.mask, hole)
    painter.mask = ~hole
    assert torch.equal(from_png(widget.mask, (40, 56)), ~hole)


def test_wishes_are_done_and_failures_are_said_in_words(live, monkeypatch):
    painter, widget = live
    sent = []
    def ask(buffers=(), **wish): widget._handle_custom_msg(wish, list(buffers))
    monkeypatch.setattr(type(widget), "send", lambda self, content, buffers=None: sent.append((content, buffers)))
    ask(do="fill", methods=["ring-mean", "telea"])
    assert [r["name"] for r in widget.results] == ["ring-mean", "telea"] == list(painter.results)
    assert "known pixels are unchanged" in widget.status and not widget.busy and widget.progress == 0
    ask(do="save", name="telea")
    saved = np.array(Image.open(io.BytesIO(sent[-1][1][0])))
    assert torch.equal(torch.from_numpy(saved).permute(2, 0, 1)/255, painter.results["telea"][0])
    ask(do="fill", methods=[])
    assert "tick" in widget.status
    widget.set_state({"mask": painted(torch.zeros(1, 1, 40, 56))})
    ask(do="fill", methods=["telea"])
    assert "paint one first" in widget.status and len(widget.results) == len(painter.results) == 2
    widget.set_state({"mask": painted(torch.ones(1, 1, 40, 56))})
    ask(do="fill", methods=["telea"])
    assert "whole picture" in widget.status
    ask(do="open", name="no.jpg", left=0, buffers=[b"no picture"])
    assert widget.status.startswith("cannot read no.jpg") and painter.image.shape[-2:] == (40, 56)
    ask(do="fly")
    assert "KeyError" in widget.status and not widget.busy


def test_opening_another_photo_begins_anew(live):
    painter, widget = live
    painter.fill("ring-mean")
    buffer = io.BytesIO()
    Image.new("RGB", (20, 30), "red").save(buffer, "PNG")
    for left, part in ((2, slice(0, 9)), (1, slice(9, 20)), (0, slice(20, None))):
        assert painter.image.shape == (1, 3, 40, 56)
        widget._handle_custom_msg({"do": "open", "name": "../up/red.png", "left": left},
                                  [memoryview(buffer.getvalue())[part]])
    assert painter.image.shape == (1, 3, 30, 20) and painter.mask.shape == (1, 1, 30, 20) and not painter.results
    assert widget.size == [20, 30] and widget.results == [] and widget.status == "../up/red.png: 20×30 pixels"


def test_browser_and_python_speak_of_the_same_things():
    script = (Path(context_inpaint.__file__).parent/"app.js").read_text(encoding="utf-8")
    pytest.importorskip("anywidget")
    traits = set(app._widget_class().class_own_traits(sync=True))
    assert set(re.findall(r'model\.get\("(\w+)"\)', script)) == traits - {"_esm", "_css", "_anywidget_id"}
    assert set(re.findall(r'do: "(\w+)"', script)) - {"cancel"} == set(app.WISHES)


def test_the_widget_is_one_module_of_javascript():
    script = app.widget_script()
    assert not re.search(r"^import ", script, re.M), "a widget's module cannot import its neighbours"
    assert script.count("export default") == 1 and not re.search(r"^export (?!default)", script, re.M)
    assert "createPainter" in script and Browser.__doc__
