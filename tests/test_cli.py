"""The command line as people use it: every command in a process of its own; every bad input is one line and status 2."""
import csv
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from context_inpaint.cli import main


def run(*args, cwd=None, **env):
    return subprocess.run([sys.executable, "-c", "from context_inpaint.cli import main; main()", *map(str, args)], cwd=cwd,
                          env=os.environ | {"CONTEXT_INPAINT_PRESET": "tiny"} | env, capture_output=True, text=True, timeout=300)


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(pixels[::10, ::10]).resize((90, 60), Image.Resampling.BICUBIC))
    Image.fromarray(pixels).save(tmp_path/"photo.png")
    hole = np.zeros((60, 90), np.uint8)
    hole[5:20, 10:30] = hole[40:60, 80:90] = 255
    Image.fromarray(hole).save(tmp_path/"mask.png")
    return tmp_path


def test_inpaint_keeps_known_pixels_and_fills_two_holes(photo):
    done = run("inpaint", "photo.png", "--mask", "mask.png", "-o", "out.png", cwd=photo)
    assert done.returncode == 0 and done.stdout == "out.png\n", done.stderr
    before, after = (np.asarray(Image.open(photo/name)) for name in ("photo.png", "out.png"))
    hole = np.asarray(Image.open(photo/"mask.png")) > 127
    assert (before[~hole] == after[~hole]).all() and (before[hole] != after[hole]).any()


def test_inpaint_a_box_with_a_named_method_and_bank(photo):
    done = run("inpaint", "photo.png", "--box", "10,5,20,15", "--method", "scene-completion", "--bank", "samples", "-o", "out.png", cwd=photo)
    assert done.returncode == 0, done.stderr
    before, after = (np.asarray(Image.open(photo/name)) for name in ("photo.png", "out.png"))
    changed = (before != after).any(-1).nonzero()
    assert changed[0].min() >= 5 and changed[0].max() < 20 and changed[1].min() >= 10 and changed[1].max() < 30


def test_evaluate_writes_json_and_csv_and_table_reads_them(tmp_path):
    for name in ("a.json", "a.csv"):
        done = run("evaluate", "--data", "drawn", "--methods", "none,telea", "--limit", 5, "--mask", "brush", "--size", 32, "--hole", .4, "--out", name, cwd=tmp_path)
        assert done.returncode == 0 and "telea" in done.stdout and "evaluate: 10/10" in done.stderr, done.stderr
    record = json.loads((tmp_path/"a.json").read_text())
    assert (record["n"], record["mask"], record["size"], record["hole"]) == (5, "brush", 32, .4)
    assert record["command"].startswith("context-inpaint evaluate --data drawn")
    assert {"method", "psnr", "psnr_ci", "psnr_of_mean", "l1", "l2", "sum", "ssim", "seam", "sharpness", "seconds_per_image"} <= record["rows"][0].keys()
    assert [row["method"] for row in csv.DictReader((tmp_path/"a.csv").open())] == ["none", "telea"]
    assert "| telea |" in run("table", "scoreboard", "--results", ".", "--markdown", cwd=tmp_path).stdout
    assert run("table", "scoreboard", "--results", ".", "--csv", cwd=tmp_path).stdout.startswith("data,")


def test_methods_doctor_and_course(tmp_path):
    assert {"none", "ring-mean", "telea"} <= set(json.loads(run("methods", "--json").stdout))
    assert "preset tiny" in run("doctor", CONTEXT_INPAINT_HOME=str(tmp_path/"home")).stdout
    done = run("course", "mine", cwd=tmp_path)
    lessons = list((tmp_path/"mine").rglob("*.ipynb"))
    assert done.returncode == 0 and len(lessons) >= 8, done.stderr
    text = "".join(lesson.read_text() for lesson in lessons)
    assert "<summary>Solution" not in text and "NotImplementedError" in text and '"image/jpeg"' not in text
    again = run("course", "mine", cwd=tmp_path)
    assert again.returncode == 2 and "--force" in again.stderr


FAULTS = {
    "missing file": ("inpaint gone.png --box 1,1,5,5 -o o.png", "gone.png"),
    "directory for a photo": ("inpaint folder --box 1,1,5,5 -o o.png", "folder"),
    "text named .jpg": ("inpaint text.jpg --box 1,1,5,5 -o o.png", "text.jpg"),
    "truncated JPEG": ("inpaint cut.jpg --box 1,1,5,5 -o o.png", "cut.jpg"),
    "0-byte PNG": ("inpaint empty.png --box 1,1,5,5 -o o.png", "empty.png"),
    "mask of another size": ("inpaint photo.png --mask small.png -o o.png", "small.png"),
    "empty mask": ("inpaint photo.png --mask black.png -o o.png", "black.png"),
    "all-hole mask": ("inpaint photo.png --mask white.png -o o.png", "white.png"),
    "box outside": ("inpaint photo.png --box 80,50,20,20 -o o.png", "90 wide and 60 high"),
    "box of everything": ("inpaint photo.png --box 0,0,90,60 -o o.png", "whole picture"),
    "malformed box": ("inpaint photo.png --box 1,2,3 -o o.png", "X,Y,W,H"),
    "no hole": ("inpaint photo.png -o o.png", "--mask FILE"),
    "unknown method": ("inpaint photo.png --box 1,1,5,5 --method tela -o o.png", "did you mean 'telea'"),
    "no such run": ("inpaint photo.png --box 1,1,5,5 --weights ./none -o o.png", "record.json"),
    "output in no folder": ("inpaint photo.png --box 1,1,5,5 -o no/o.png", "create it first"),
    "unwritable output": ("inpaint photo.png --box 1,1,5,5 -o /proc/o.png", "/proc"),
    "output of unknown kind": ("inpaint photo.png --box 1,1,5,5 -o o.xyz", "o.xyz"),
    "lossy output": ("inpaint photo.png --box 1,1,5,5 -o o.jpg", "o.jpg"),
    "existing output": ("inpaint photo.png --box 1,1,5,5 -o photo.png", "--force"),
    "folder with no pictures": ("evaluate --data folder:folder", "folder"),
    "missing folder": ("evaluate --data folder:gone", "gone"),
    "malformed data spec": ("evaluate --data folder", "folder"),
    "unknown data spec": ("evaluate --data drwn", "did you mean 'drawn'"),
    "unknown mask": ("evaluate --data drawn --limit 2 --mask centre", "did you mean 'center'"),
    "hole too large": ("evaluate --data drawn --limit 2 --methods none --hole 1.5", "between 0 and 1"),
    "no pictures wanted": ("evaluate --data drawn --limit 0 --methods none", "limit"),
    "record of unknown kind": ("evaluate --data drawn --limit 2 --methods none --out a.xml", ".json"),
    "the scored pictures as bank": ("evaluate --data samples --bank samples --methods scene-completion", "--bank"),
    "unknown table": ("table scorebord", "did you mean 'scoreboard'"),
    "no records": ("table scoreboard --results folder", "context-inpaint evaluate"),
    "course into a file": ("course text.jpg", "text.jpg"),
    "demo into a file": ("demo --out text.jpg", "text.jpg")}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_input_is_one_line_and_status_2(fault, photo, monkeypatch, capfd):
    command, says = FAULTS[fault]
    (photo/"folder").mkdir()
    (photo/"text.jpg").write_text("no picture")
    (photo/"empty.png").touch()
    Image.open(photo/"photo.png").save(photo/"whole.jpg")
    (photo/"cut.jpg").write_bytes((photo/"whole.jpg").read_bytes()[:900])
    Image.new("L", (9, 9), 255).save(photo/"small.png")
    for name, grey in (("black.png", 0), ("white.png", 255)): Image.new("L", (90, 60), grey).save(photo/name)
    before = sorted(os.listdir(photo))
    monkeypatch.chdir(photo)
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
    monkeypatch.setattr(sys, "argv", ["context-inpaint", *command.split()])
    with pytest.raises(SystemExit) as done: main()
    printed, said = capfd.readouterr()
    assert done.value.code == 2, (printed, said)
    assert said.count("\n") == 1 and said.startswith("context-inpaint: ") and says in said, said
    assert printed == "" and sorted(os.listdir(photo)) == before, "something was left behind"


def test_misspelt_preset_is_one_line():
    done = run("evaluate", "--data", "drawn", "--limit", 2, CONTEXT_INPAINT_PRESET="latop")
    assert done.returncode == 2 and "did you mean 'laptop'" in done.stderr and done.stderr.count("\n") == 1


def test_help_and_import_are_quick_and_need_no_notebook_tools():
    code = "import sys, context_inpaint, context_inpaint.cli; print([m for m in ('torch', 'numpy', 'nbdev', 'fastcore', 'IPython') if m in sys.modules])"
    start = time.perf_counter()
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
    assert run("--help").returncode == 0
    assert time.perf_counter() - start < 5, "two starts of the bare command line: each takes a fraction of a second unless torch is imported"


def test_pictures_that_are_scored_leave_the_bank(tmp_path):
    for i, folder in enumerate(("test", "bank", "bank", "bank")):
        (tmp_path/folder).mkdir(exist_ok=True)
        pixels = np.random.default_rng(max(i - 1, 0)).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST).save(tmp_path/folder/f"{i}.png")
    done = run("evaluate", "--data", "folder:test", "--bank", "folder:bank", "--methods", "scene-completion", "--size", 64, cwd=tmp_path)
    assert done.returncode == 0 and "left out of the bank: 1 " in done.stderr, done.stderr
