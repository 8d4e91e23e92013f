"""What all lessons stand on: errors, presets, files, pictures, progress. What fails must say what to do and harm nothing."""
import io
import json
import os
import stat
import sys

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from context_inpaint import core
from context_inpaint.core import cost, device, generator, home, InputError, one_of, preset, PRESETS, write_aside
from context_inpaint.figures import as_picture, grid, Live, Picture, to_numpy


@pytest.mark.parametrize("value, message", [
    ("talea", "unknown method 'talea': did you mean 'telea'? choose from ring-mean, telea"),
    ("zzz", "unknown method 'zzz': choose from ring-mean, telea"),
    ("", "unknown method '': choose from ring-mean, telea"),
    (7, "unknown method 7: choose from ring-mean, telea")])
def test_one_of_names_the_nearest_and_all(value, message):
    with pytest.raises(InputError) as e: one_of(value, ["ring-mean", "telea"], "method")
    assert str(e.value) == message and isinstance(e.value, ValueError)


def test_one_of_returns_what_is_there():
    assert [one_of(name, PRESETS, "preset") for name in PRESETS] == list(PRESETS) == ["tiny", "laptop", "gpu", "paper"]


def test_presets_keep_the_papers_proportions():
    for p in PRESETS.values():
        assert 4*p.hole_px == p.size and p.size % 32 == 0 and list(p.bottlenecks) == sorted(p.bottlenecks)
        assert [round(b/(3*p.hole_px**2), 2) for b in p.bottlenecks] == pytest.approx([.04, .16, .33], abs=.011), p.name
    assert PRESETS["paper"].bottlenecks == (500, 2000, 4000) and 3*PRESETS["paper"].hole_px**2 == 12288
    with pytest.raises(AttributeError): PRESETS["tiny"].size = 64


def test_preset_comes_from_name_then_environment_then_machine(monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
    assert preset().name == "tiny" and preset("paper").name == "paper"
    monkeypatch.delenv("CONTEXT_INPAINT_PRESET")
    for name, expected in (("cpu", "laptop"), ("cuda", "gpu"), ("cuda:1", "gpu"), ("mps", "laptop")):
        monkeypatch.setenv("CONTEXT_INPAINT_DEVICE", name)
        assert preset().name == expected and device() == torch.device(name)
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "labtop")
    with pytest.raises(InputError, match="unknown preset 'labtop': did you mean 'laptop'. choose from tiny, laptop, gpu, paper"): preset()
    monkeypatch.setenv("CONTEXT_INPAINT_DEVICE", "gpu")
    with pytest.raises(InputError, match="CONTEXT_INPAINT_DEVICE is 'gpu': set it to cpu, cuda"): device()


def test_a_generator_is_undisturbed_and_disturbs_nothing():
    state = torch.random.get_rng_state()
    a = torch.rand(5, generator=generator(3))
    assert torch.equal(state, torch.random.get_rng_state())
    torch.rand(1)
    assert torch.equal(a, torch.rand(5, generator=generator(3))) and not torch.equal(a, torch.rand(5, generator=generator(4)))


def test_home_is_made_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"a"/"b"))
    assert home() == tmp_path/"a"/"b" and home().is_dir()
    monkeypatch.delenv("CONTEXT_INPAINT_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path/".context-inpaint" and home().is_dir()


@settings(deadline=None, max_examples=20)
@given(old=st.none() | st.binary(max_size=40), new=st.binary(max_size=40), crash=st.sampled_from([None, ValueError, KeyboardInterrupt, SystemExit, InputError]))
def test_a_file_is_the_old_one_or_the_new_one(tmp_path_factory, old, new, crash):
    file = tmp_path_factory.mktemp("f")/"x.bin"
    if old is not None: file.write_bytes(old)
    try:
        with write_aside(file) as temporary:
            assert temporary.parent == file.parent and temporary.suffix == ".bin" and temporary != file
            temporary.write_bytes(new)
            if crash: raise crash
    except (crash or ()): pass
    wanted = old if crash else new
    assert (file.read_bytes() if file.exists() else None) == wanted
    assert [f.name for f in file.parent.iterdir()] == ([] if wanted is None else ["x.bin"])


def test_the_error_of_the_writer_gets_through(tmp_path):
    with pytest.raises(ZeroDivisionError), write_aside(tmp_path/"x"): 1/0
    with pytest.raises(FileNotFoundError), write_aside(tmp_path/"x") as temporary: temporary.unlink()  # nothing left to rename
    assert not list(tmp_path.iterdir())


def test_a_new_file_has_ordinary_permissions(tmp_path):
    old = os.umask(0o027)
    try:
        with write_aside(tmp_path/"x") as temporary: temporary.write_text("")
    finally: assert os.umask(old) == 0o027
    assert stat.S_IMODE((tmp_path/"x").stat().st_mode) == 0o640


def refusal(*args):
    with pytest.raises(InputError) as e, write_aside(*args): pytest.fail("it went ahead")
    return str(e.value)


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    (tmp_path/"x").write_text("old")
    assert refusal(tmp_path/"x", False) == f"{tmp_path}/x exists: choose another name, or overwrite it with --force"
    assert refusal(tmp_path) == f"{tmp_path} is a folder: name a file in it"
    assert refusal(tmp_path/"no"/"x") == f"no folder {tmp_path}/no: create it first"
    def denied(**_): raise PermissionError(13, "Permission denied")
    monkeypatch.setattr(core.tempfile, "mkstemp", denied)
    assert refusal(tmp_path/"y") == f"cannot write in {tmp_path}: Permission denied"
    assert (tmp_path/"x").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_cost_tells_version_device_preset_and_price(capsys, monkeypatch, tmp_path):
    (tmp_path/"costs.json").write_text(json.dumps({"01_masks": {"tiny": [7.6, 0.84]}}))
    monkeypatch.setattr(core.importlib.resources, "files", lambda package: tmp_path)
    monkeypatch.setenv("CONTEXT_INPAINT_DEVICE", "cpu")
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
    cost("01_masks"), cost("02_scenes")
    first, second, third, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"context-inpaint {core.context_inpaint.__version__} · Python ") and f"torch {torch.__version__}" in first
    assert second.startswith("device cpu, ") and second.endswith("preset tiny: 32×32 pictures, 8×8 hole")
    assert third.startswith("this lesson: about 8 s and 0.8 GB of memory · to change: set CONTEXT_INPAINT_PRESET to tiny, laptop, gpu, paper")
    assert last.startswith("this lesson: not measured yet at this preset · ")


def test_the_shipped_costs_can_be_read(capsys):
    cost("27_core")
    assert capsys.readouterr().out.count("\n") == 3


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
        assert not plt.fignum_exists(figure.number) and opened(picture).size == (400, 400) and opened(picture).format == "JPEG"
        sizes.append(len(picture.data))
        assert sizes[-1] <= limit
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("make, white", [
    (lambda x: x.float(), 1.), (lambda x: (255*x).byte(), 1.), (lambda x: x.bool(), 1.), (lambda x: 3*x.double() - 1, 1.), (lambda x: (255*x).byte().numpy(), 1.)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_image_is_drawn_alike(make, white, channels):
    x = torch.tensor([[0., 1.], [1., 0.]]).expand(channels, 2, 2)
    drawn = to_numpy(make(x))
    assert drawn.shape == ((2, 2, 3) if channels == 3 else (2, 2)) and drawn.min() == 0 and drawn.max() == white
    assert np.array_equal(drawn if channels == 1 else drawn[..., 0], [[0, 1], [1, 0]])


def test_a_grid_has_a_place_for_each_picture_and_gaps():
    red, mask = torch.tensor([1., 0, 0])[:, None, None].expand(3, 9, 9), torch.ones(1, 9, 9, dtype=torch.bool)
    image = np.asarray(opened(grid([[red, None], [None, mask.logical_not()]], side=1.)), int)
    h, w = image.shape[0]//2, image.shape[1]//2
    def is_red(part): return ((part[..., 0] > 200) & (part[..., 1] < 60)).mean()
    assert is_red(image[:h, :w]) > .7 and is_red(image[:h, w:]) == is_red(image[h:]) == 0
    assert (image[h:, w:] < 60).all(-1).mean() > .7 and (image[h:, :w] > 200).all()
    assert not plt.get_fignums()
    assert len(grid({"row": [torch.rand(3, 64, 64, generator=generator(0))]*5}, list("abcde"), alt="five", limit=20_000).data) <= 20_000


class Terminal(io.StringIO):
    def isatty(self): return True


def run(live):
    drawn = []
    for step in range(1, 11): live.update(step, lambda: drawn.append(step), loss=1/step)
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
    assert len(lines) == 11 and lines[0] == "" and lines[-1] == "training: 10/10 · loss 0.1\n" and terminal.getvalue().count("\n") == 1
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
    def display(bundle, raw, display_id): shown.append(("display", bundle)); return Handle()
    module = type(sys)("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    live = Live(3, "training", every=0)
    live.notebook = True
    live.update(1), live.update(2, Picture(b"p"), loss=2.), live.update(3, loss=1.)
    assert [kind for kind, _ in shown] == ["display", "update", "update"]
    assert list(shown[0][1]) == ["text/plain"] and shown[2][1] == {"image/jpeg": b"p", "text/plain": "training: 3/3 · loss 1"}
