"""The command line as people use it: commands in processes of their own; every bad input is one line and status 2."""
import csv
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from context_inpaint.cli import main

NBS = Path(__file__).resolve().parent.parent/"nbs"


def run(*args, cwd=None, **env):
    return subprocess.run([sys.executable, "-c", "from context_inpaint.cli import main; main()", *map(str, args)],
                          cwd=cwd,
                          env=os.environ | {"CONTEXT_INPAINT_PRESET": "tiny"} | env, capture_output=True, text=True,
                          timeout=300)


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
    done = run("inpaint", "photo.png", "--box", "10,5,20,15", "--method", "scene-completion", "--bank", "samples", "-o",
               "out.png", cwd=photo)
    assert done.returncode == 0, done.stderr
    before, after = (np.asarray(Image.open(photo/name)) for name in ("photo.png", "out.png"))
    changed = (before != after).any(-1).nonzero()
    assert changed[0].min() >= 5 and changed[0].max() < 20 and changed[1].min() >= 10 and changed[1].max() < 30


@pytest.fixture
def here(monkeypatch, capfd):
    """Run the command line in this process; return status, stdout and stderr."""
    def call(*args):
        monkeypatch.setattr(sys, "argv", ["context-inpaint", *map(str, args)])
        with pytest.raises(SystemExit) as done: main()
        return done.value.code or 0, *capfd.readouterr()
    return call


def test_inpaint_without_a_method_uses_the_shipped_network(photo, here):
    for out, method in (("plain.png", []), ("unet.png", ["--method", "unet"]), ("telea.png", ["--method", "telea"])):
        assert here("inpaint", photo/"photo.png", "--mask", photo/"mask.png", *method, "-o", photo/out)[0] == 0
    plain, unet, telea = (np.asarray(Image.open(photo/name)) for name in ("plain.png", "unet.png", "telea.png"))
    assert (plain == unet).all() and (plain != telea).any()


def test_progress_lists_the_exercises_of_a_copy(tmp_path, here, monkeypatch):
    home, mine = tmp_path/"home", tmp_path/"mine"
    home.mkdir()
    done = {"guesses": {"masks-x": 1, "lesson-share": 25}, "exercises": {"lesson-1": True, "lesson-2": False}}
    (home/"progress.json").write_text(json.dumps(done))
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(home))
    assert here("course", mine)[0] == 0
    for folder in ([mine], []):
        status, printed, _ = here("progress", *folder)
        assert status == 0 and re.search(r"^00_how_to +guesses 1 of 2 +✓ lesson-1 +✗ lesson-2 +· lesson-3$", printed,
                                         re.M), printed
        assert re.search(r"^1 of \d\d+ exercises solved, 1 tried; 1 of \d\d+ guesses stored$", printed.splitlines()[-1])
    (mine/"4_beyond"/"x.ipynb").write_text("{}")
    for folder, says in ((home, "context-inpaint course"), (tmp_path/"gone", "gone"), (mine, "x.ipynb")):
        status, printed, said = here("progress", folder)
        assert status == 2 and said.count("\n") == 1 and says in said and not printed


def test_evaluate_writes_json_and_csv_and_table_reads_them(tmp_path):
    for name in ("a.json", "a.csv"):
        done = run("evaluate", "--data", "drawn", "--methods", "none,telea", "--limit", 5, "--mask", "brush", "--size",
                   32, "--hole", .4, "--out", name, cwd=tmp_path)
        assert done.returncode == 0 and "telea" in done.stdout and "evaluate: 10/10" in done.stderr, done.stderr
    record = json.loads((tmp_path/"a.json").read_text())
    assert (record["n"], record["mask"], record["size"], record["hole"]) == (5, "brush", 32, .4)
    assert record["command"].startswith("context-inpaint evaluate --data drawn")
    assert {"method", "psnr", "psnr_ci", "psnr_of_mean", "l1", "l2", "sum", "ssim", "seam", "sharpness",
            "seconds_per_image"} <= record["rows"][0].keys()
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
    for lesson in lessons:
        mine, whole = (" ".join("".join(cell["source"])
                                for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "markdown")
                       for path in (lesson, NBS/lesson.relative_to(tmp_path/"mine")))
        whole = re.sub(r"<details>.*?</details>", "", whole, flags=re.S)
        assert mine.split() == whole.split(), f"{lesson.name} lost more than solutions"
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
    "output of no picture": ("inpaint photo.png --box 1,1,5,5 -o o.txt", "o.txt"),
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
    code = ("import sys, context_inpaint, context_inpaint.cli; "
            "print([m for m in ('torch', 'numpy', 'nbdev', 'fastcore', 'IPython') if m in sys.modules])")
    start = time.perf_counter()
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
    assert run("--help").returncode == 0
    assert time.perf_counter() - start < 5, "two starts without torch take a fraction of a second each"


def test_pictures_that_are_scored_leave_the_bank(tmp_path):
    for i, folder in enumerate(("test", "bank", "bank", "bank")):
        (tmp_path/folder).mkdir(exist_ok=True)
        pixels = np.random.default_rng(max(i - 1, 0)).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST).save(tmp_path/folder/f"{i}.png")
    done = run("evaluate", "--data", "folder:test", "--bank", "folder:bank", "--methods", "scene-completion", "--size",
               64, cwd=tmp_path)
    assert done.returncode == 0 and "left out of the bank: 1 " in done.stderr, done.stderr


SMALL = "--data drawn --limit 40 --size 32 --width 32 --bottleneck 16 --epochs 1 --batch-size 12"


@pytest.fixture
def call(monkeypatch, capfd):
    """The command line in this process: its exit status, stdout and stderr."""
    def enter(command):
        monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
        monkeypatch.setattr(sys, "argv", ["context-inpaint", *command.split()])
        with pytest.raises(SystemExit) as done: main()
        return done.value.code or 0, *capfd.readouterr()

    return enter


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the run `vae`, made by a process of its own."""
    folder = tmp_path_factory.mktemp("runs")
    done = run("train", *SMALL.split(), "--objective", "vae", "--out", "vae", cwd=folder)
    assert done.returncode == 0 and done.stdout.startswith("vae: hole PSNR "), done.stderr
    assert "train vae: 3/3" in done.stderr
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == [
        "vae/model.safetensors", "vae/record.json", "vae/samples.jpg", "vae/state/last.safetensors"]
    return folder


def test_a_trained_run_fills_a_photograph(trained, photo, call):
    def fill(name, *options):
        command = f"inpaint {photo}/photo.png --mask {photo}/mask.png -o {photo}/{name} {' '.join(options)}"
        assert call(command) == (0, f"{photo}/{name}\n", "")
        return np.asarray(Image.open(photo/name))

    before, hole = np.asarray(Image.open(photo/"photo.png")), np.asarray(Image.open(photo/"mask.png")) > 127
    one, again, other = (fill(f"{i}.png", f"--weights {trained}/vae:sample --seed {seed}") for i,
                         seed in enumerate((1, 1, 2)))
    mean, same = (fill(f"mean{seed}.png", f"--weights {trained}/vae --seed {seed}") for seed in (1, 2))
    assert (one == again).all() and (mean == same).all()
    for a, b in ((one, other), (one, mean), (mean, before)): assert (a != b)[hole].any() and (a == b)[~hole].all()


def test_a_trained_run_is_scored_beside_telea(trained, tmp_path, call):
    status, table, _ = call("evaluate --data drawn --limit 5 --size 32 "
                            f"--methods telea,{trained}/vae,{trained}/vae:sample --out {tmp_path}/x.json")
    record = json.loads((tmp_path/"x.json").read_text())
    rows = {row["method"]: row for row in record["rows"]}
    assert status == 0 and list(rows) == ["telea", f"{trained}/vae",
                                          f"{trained}/vae:sample"] and all(name in table for name in rows)
    assert len({row["psnr"] for row in rows.values()}) == 3 and "gain_over_telea_ci" in rows[f"{trained}/vae:sample"]


def test_a_finished_run_resumed_is_left_alone(trained, monkeypatch, call):
    monkeypatch.chdir(trained)
    before = load_file("vae/model.safetensors")
    status, says, _ = call(f"train {SMALL} --objective vae --out vae --resume")
    assert status == 0 and says.startswith("vae: hole PSNR ")
    assert all((value == before[name]).all() for name, value in load_file("vae/model.safetensors").items())


TRAINING = {
    "no bottleneck": ("--bottleneck 0", "bottleneck must be at least 1"),
    "unknown encoder": ("--encoder alexnt", "did you mean 'alexnet'"),
    "unknown objective": ("--objective gam", "did you mean 'gan'"),
    "unknown preset": ("--preset latop", "did you mean 'laptop'"),
    "fewer pictures than a batch": ("--limit 12", "fewer than a batch of 12"),
    "no pictures": ("--limit 0", "limit must be at least 1"),
    "hole larger than the picture": ("--hole 1.5", "hole must be a fraction of the side between 0 and 1, got 1.5"),
    "hole of no number": ("--hole nan", "between 0 and 1, got nan"),
    "hole that leaves no context": ("--hole .99", "does not fit pictures of 32"),
    "size the encoder does not take": ("--size 48", "takes pictures of 32, 64, 128, 256 pixels, not 48"),
    "negative size": ("--size -32", "size must be at least 1"),
    "negative seed": ("--seed -1", "seed must be at least 0"),
    "negative beta": ("--objective vae --beta -1", "beta must be at least 0"),
    "negative lambda": ("--objective gan --lambda-adv -1", "lambda_adv must be at least 0"),
    "band wider than the picture": ("--objective gan --overlap 13", "overlap must be 0 to 12 pixels"),
    "a damaged picture": ("--data folder:pictures --limit 30", "17.png"),
    "test pictures missing": ("--test-data folder:gone", "no folder gone"),
    "run in /proc": ("--out /proc/run", "/proc/run")}


@pytest.mark.parametrize("fault", TRAINING)
def test_bad_training_is_one_line_and_status_2(fault, tmp_path, monkeypatch, call):
    options, says = TRAINING[fault]
    (tmp_path/"pictures").mkdir()
    for i in range(30): Image.new("RGB", (40, 40), (8*i, 0, 0)).save(tmp_path/"pictures"/f"{i:02d}.png")
    whole = (tmp_path/"pictures"/"17.png").read_bytes()
    (tmp_path/"pictures"/"17.png").write_bytes(whole[:len(whole)//2])
    monkeypatch.chdir(tmp_path)
    status, printed, said = call(f"train {SMALL} --out run {options}")
    assert (status, printed, said.count("\n")) == (2, "", 1)
    assert said.startswith("context-inpaint: ") and says in said, said
    assert os.listdir() == ["pictures"], "something was left behind"


def test_a_taken_run_folder_is_one_line(trained, monkeypatch, call):
    monkeypatch.chdir(trained)
    before = {path: path.stat().st_mtime_ns for path in Path("vae").rglob("*")}
    for options, says in {"--objective vae": "vae exists: name another folder, or continue the run in it with --resume",
                          "--objective vae --resume --lr .01 --seed 3":
                              "lr is 0.002 there and 0.01 here; seed is 0 there and 3 here",
                          "--resume": "objective is 'vae' there and 'reconstruction' here"}.items():
        if "there" in says: says = f"cannot resume vae with another configuration: {says}"
        assert call(f"train {SMALL} {options} --out vae")[::2] == (2, f"context-inpaint: {says}\n")
    assert {path: path.stat().st_mtime_ns for path in Path("vae").rglob("*")} == before


def test_weights_of_another_architecture_are_one_line(trained, photo, monkeypatch, call):
    shutil.copytree(trained/"vae", photo/"run")
    record = json.loads((photo/"run"/"record.json").read_text())
    record["config"] |= {"width": 64}
    (photo/"run"/"record.json").write_text(json.dumps(record))
    monkeypatch.chdir(photo)
    for command in ("inpaint photo.png --mask mask.png --weights run -o out.png",
                    "evaluate --data drawn --limit 2 --size 32 --methods run --out out.json"):
        status, printed, said = call(command)
        assert (status, printed, said.count("\n")) == (2, "", 1)
        assert "run/model.safetensors holds another architecture" in said, said
    assert not list(photo.glob("out.*"))


@pytest.mark.parametrize("nth", [1, 2])
def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(nth, tmp_path, monkeypatch, call):
    real, calls = Path.write_bytes, []

    def full(self, data):
        calls.append(self)
        if len(calls) < nth: return real(self, data)
        real(self, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        status, printed, said = call(f"train {SMALL} --out run")
    full_disk = "context-inpaint: cannot write run/state/last.safetensors: No space left on device"
    assert (status, printed, said.splitlines()[-1]) == (2, "", full_disk)
    assert [line for line in said.splitlines() if not line.startswith("train run: ")] == said.splitlines()[-1:]
    assert [p.name for p in Path("run").rglob("*") if p.is_file()] == ["last.safetensors"]*(nth - 1)
    assert "--resume" in call(f"train {SMALL} --out run")[2]
    status, printed, _ = call(f"train {SMALL} --out run --resume")
    assert status == 0 and printed.startswith("run: hole PSNR ")


@pytest.mark.parametrize("words, says",
                         [(["train", "--epochs", "x"], "'--epochs'"), (["nonsense"], "No such command 'nonsense'"),
                          (["inpaint"], "PHOTO")])
def test_wrong_usage_is_one_line(words, says):
    result = run(*words)
    assert result.returncode == 2 and not result.stdout
    assert len(result.stderr.splitlines()) == 1 and says in result.stderr and "--help" in result.stderr
