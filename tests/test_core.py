"""What all lessons stand on: errors, presets, files. What fails must say what to do and harm nothing."""
import contextlib
import json
import os
import stat

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from context_inpaint import core
from context_inpaint.core import PRESETS, InputError, cost, device, generator, home, one_of, preset, write_aside


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
    with pytest.raises(InputError, match="did you mean 'laptop'. choose from tiny, laptop, gpu, paper"): preset()
    monkeypatch.setenv("CONTEXT_INPAINT_DEVICE", "gpu")
    with pytest.raises(InputError, match="CONTEXT_INPAINT_DEVICE is 'gpu': set it to cpu, cuda"): device()


def test_a_generator_is_undisturbed_and_disturbs_nothing():
    state = torch.random.get_rng_state()
    a = torch.rand(5, generator=generator(3))
    assert torch.equal(state, torch.random.get_rng_state())
    torch.rand(1)
    assert torch.equal(a, torch.rand(5, generator=generator(3)))
    assert not torch.equal(a, torch.rand(5, generator=generator(4)))


def test_home_is_made_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"a"/"b"))
    assert home() == tmp_path/"a"/"b" and home().is_dir()
    monkeypatch.delenv("CONTEXT_INPAINT_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path/".context-inpaint" and home().is_dir()


@settings(deadline=None, max_examples=20)
@given(old=st.none() | st.binary(max_size=40), new=st.binary(max_size=40),
       crash=st.sampled_from([None, ValueError, KeyboardInterrupt, SystemExit, InputError]))
def test_a_file_is_the_old_one_or_the_new_one(tmp_path_factory, old, new, crash):
    file = tmp_path_factory.mktemp("f")/"x.bin"
    if old is not None: file.write_bytes(old)
    with contextlib.suppress(*[crash] if crash else []), write_aside(file) as temporary:
        assert temporary.parent == file.parent and temporary.suffix == ".bin" and temporary != file
        temporary.write_bytes(new)
        if crash: raise crash
    wanted = old if crash else new
    assert (file.read_bytes() if file.exists() else None) == wanted
    assert [f.name for f in file.parent.iterdir()] == ([] if wanted is None else ["x.bin"])


def test_the_error_of_the_writer_gets_through(tmp_path):
    with pytest.raises(ZeroDivisionError), write_aside(tmp_path/"x"): raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_what_the_disk_refuses_is_one_line(tmp_path):
    with pytest.raises(InputError, match="cannot write .*x: No such file"), write_aside(tmp_path/"x") as temporary:
        temporary.unlink()  # nothing left to rename
    with pytest.raises(InputError, match="cannot write .*x: No space left on device"), write_aside(tmp_path/"x"):
        raise OSError(28, "No space left on device")
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
    cost("01_masks")
    cost("02_scenes")
    first, second, third, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"context-inpaint {core.context_inpaint.__version__} · Python ")
    assert f"torch {torch.__version__}" in first
    assert second.startswith("device cpu, ") and second.endswith("preset tiny: 32×32 pictures, 8×8 hole")
    assert third.startswith("this lesson: about 8 s and 0.8 GB of memory · to change: set CONTEXT_INPAINT_PRESET to "
                            "tiny, laptop, gpu, paper")
    assert last.startswith("this lesson: not measured yet at this preset · ")


def test_the_shipped_costs_can_be_read(capsys):
    cost("31_core")
    assert capsys.readouterr().out.count("\n") == 3
