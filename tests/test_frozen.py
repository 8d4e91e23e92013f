"""What users saw on the day this was recorded, and must see still: fills, scores, old run folders, recorded results,
and what each command prints.

Expected values lie in `tests/frozen`; `tests/frozen/make.py` wrote them with the functions below. Only the adapter
names parts of the package; all else goes through the command line.
"""
import contextlib
import functools
import hashlib
import importlib
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FROZEN = ROOT/"tests"/"frozen"
METHODS = ("none", "ring-mean", "harmonic", "telea", "navier-stokes", "biharmonic", "scene-completion", "unet")
RUNS = ("reconstruction", "vae", "vae:sample", "gan", "block")
KINDS = ("center", "block", "region", "brush", "object", "mixed")


# The adapter: every name of the package that this file uses. Each is looked for in the modules listed, in order.
def part(name, *modules):
    for module in modules:
        with contextlib.suppress(ModuleNotFoundError, AttributeError):
            return getattr(importlib.import_module(f"context_inpaint.{module}"), name)
    raise ImportError(f"no {name} in {', '.join(modules)}: tell the adapter of tests/test_frozen.py where it is now")


def command_line(): return part("main", "cli")()
def inpainter(name): return part("get_method", "scoreboard", "catalogue")(name)
def available(): return part("available", "scoreboard", "catalogue")()
def make_masks(kind, n, size, seed): return part("make_masks", "masks")(kind, n, size, seed=seed)
def bank(spec, size, n): return part("load", "data")(spec, size=size, limit=n, split="test").batch(range(n))
def weights_file(name): return Path(part("__file__", "cli")).parent/"weights"/f"{name}.safetensors"


# Inputs.
def pool(images): return (torch.nn.functional.adaptive_avg_pool2d(images, 8)*255).round().byte().numpy()


def pictures():
    """8×8 averages of the pictures that everything else is measured on, uint8."""
    wanted = (("samples", 64, 7), ("samples", 200, 7), ("drawn", 32, 8))
    return {f"{spec}-{size}": pool(bank(spec, size, n)) for spec, size, n in wanted}


def masks():
    """Masks of every kind, as packed bits."""
    return {f"{kind}-{size[0]}x{size[1]}": np.packbits(make_masks(kind, n, size, seed=3).numpy())
            for kind in KINDS for n, size in ((7, (32, 32)), (7, (64, 64)), (2, (150, 200)))}


def stored_mask(kind, side):
    bits = np.load(FROZEN/"inputs.npz")[f"masks/{kind}-{side}x{side}"]
    return torch.from_numpy(np.unpackbits(bits, count=7*side*side).astype(bool).reshape(7, 1, side, side))


def holes():
    """Several holes, bool `[1, 1, 150, 200]`: inside, in a corner, at the border, thin, one pixel, slanting."""
    mask = torch.zeros(1, 1, 150, 200, dtype=torch.bool)
    mask[..., 20:50, 30:70] = mask[..., :12, 180:] = mask[..., 95:135, 188:] = True
    mask[..., 80:83, 10:60] = mask[..., 140, 90] = True
    for i in range(50): mask[..., 70 + i, 100 + i:106 + i] = True
    return mask


def scene(name, case):
    """Return pictures and masks of a case, for a method at 64 pixels and for a run at 32, its own size."""
    if case == "photo": return bank("samples", 200, 7)[1:2, :, 25:175], holes()
    side = 64 if name in METHODS else 32
    return bank("samples", side, 7), stored_mask(case, side)


@functools.cache
def fill(name, case, folder=FROZEN/"runs"):
    """Return what an inpainter puts in the holes, every third value, uint8, and each picture's PSNR in the hole, dB."""
    image, mask = scene(name, case)
    inpaint = inpainter(name if name in METHODS else f"{folder}/{name}")
    fill = inpaint(image, mask, generator=torch.Generator().manual_seed(5))
    inside = mask.expand_as(image)
    assert torch.equal(fill[~inside], image[~inside]), "a known pixel changed"
    psnr = [-10*math.log10(float((a - b)[m].square().mean())) for a, b, m in zip(fill.double(), image.double(), inside)]
    return (fill[inside]*255).round().byte().numpy()[::3], psnr


# Outputs: fills as bytes, numbers and texts.
def same_bytes(now, then, most=2, mean=.05):
    """Compare uint8 values. Sums in another order turn less than one rounding in a thousand (measured with other
    threads and other convolutions); a change of method moves far more."""
    assert now.shape == then.shape
    apart = np.abs(now.astype(int) - then.astype(int))
    assert apart.max(initial=0) <= most and apart.mean() <= mean, (
        f"differs by {apart.max()}/255 at most, {apart.mean():.3f}/255 in the mean")


def same_values(now, then, where="", relative=1e-4, absolute=1e-5):
    """Compare what JSON holds: all that was there must be there, numbers nearly equal; there may be more.

    Noise is 5e-6; harmonic's solver stops where no pixel can be off by a level of 255, which moves means by up to 5e-5.
    """
    if isinstance(then, dict):
        for key in then:
            assert key in now, f"{where} lacks {key}"
            same_values(now[key], then[key], f"{where}/{key}", relative, absolute)
    elif isinstance(then, list):
        assert len(now) == len(then), where
        for i, (a, b) in enumerate(zip(now, then)): same_values(a, b, f"{where}/{i}", relative, absolute)
    elif isinstance(then, float):
        near = 5e-3 if re.search(r"psnr|gain", where) else absolute
        share = 5*relative if "_ci/" in where else relative  # an interval's end is a difference
        assert now == then or abs(now - then) <= max(share*abs(then), near), f"{where}: {then} became {now}"
    else: assert now == then, f"{where}: {then!r} became {now!r}"


def same_text(now, then, tolerance=None):
    """Compare texts, where a decimal number may differ by one in its last place, or every number by a share
    `tolerance`; spaces do not count."""
    a, b = (re.split(r"(-?\b\d+(?:\.\d+)?)", " ".join(text.split())) for text in (now, then))
    assert a[::2] == b[::2], f"{then}\nbecame\n{now}"
    for x, y in zip(a[1::2], b[1::2]):
        slack = 1.01*10.**-len(y.partition(".")[2]) if "." in y else 0
        if tolerance: slack = max(slack, tolerance*abs(float(y)))
        assert x == y or abs(float(x) - float(y)) <= slack, f"{y} became {x} in\n{now}"


def without(record, *keys):
    """Drop what depends on machine and day."""
    if isinstance(record, list): return [without(part, *keys) for part in record]
    if not isinstance(record, dict): return record
    return {key: without(value, *keys) for key, value in record.items() if key not in keys}


def untimed(text):
    """Drop the column of milliseconds from a table."""
    lines = text.splitlines()
    if not any(re.search(r"\bms( \|)?$", line) for line in lines): return text
    ends = re.compile(r"\s+\S*(?:\d|–|ms)( \|)?$")
    return "\n".join(ends.sub(r" …\1", line) for line in lines)


# The command line, in a folder with all that the commands name.
def draw_world(folder):
    y, x = np.mgrid[:60, :90]
    photo = np.stack([x*2 + y, 255 - y*3, (x//12 + y//10) % 2*90 + x + y], 2) % 256
    Image.fromarray(photo.astype(np.uint8)).save(folder/"photo.png")
    hole = np.zeros((60, 90), np.uint8)
    hole[5:20, 10:30], hole[40:60, 80:90], hole[30:40, 40:60], hole[25:28, 5:9] = 255, 255, 128, 127
    for name, pixels in {"mask": hole, "small": hole[:9, :20], "black": 0*hole, "white": 0*hole + 255}.items():
        Image.fromarray(pixels).save(folder/f"{name}.png")
    for name in ("taken.png", "taken.json", "taken.onnx"): (folder/name).write_text("taken")
    (folder/"text.jpg").write_text("no picture")
    (folder/"empty.png").touch()
    whole = (folder/"photo.png").read_bytes()
    (folder/"cut.png").write_bytes(whole[:len(whole)//2])
    for name in ("folder", "lessons"): (folder/name).mkdir()
    for name in ("runs", "results"): shutil.copytree(FROZEN/name, folder/name)
    if (folder/"runs"/"unfinished").exists(): shutil.copytree(folder/"runs"/"unfinished", folder/"runs"/"half")
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": [line]}
             for line in ('guess("a-one", 3)', 'guess("a-two")', *(f'with exercise("a-{i}") as e:' for i in (1, 2, 3)))]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder/"lessons"/"01_first.ipynb").write_text(json.dumps(notebook))
    (folder/"home").mkdir()
    (folder/"home"/"progress.json").write_text('{"guesses": {"a-one": 3}, "exercises": {"a-1": true, "a-2": false}}')


@contextlib.contextmanager
def world():
    """Go into a new folder with all that the commands of this file name."""
    settings = {"CONTEXT_INPAINT_PRESET": "tiny", "CONTEXT_INPAINT_DEVICE": "cpu", "COLUMNS": "300"}
    before, here = {key: os.environ.get(key) for key in (*settings, "CONTEXT_INPAINT_HOME")}, os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        draw_world(Path(folder))
        os.chdir(folder)
        os.environ.update(settings | {"CONTEXT_INPAINT_HOME": f"{folder}/home"})
        try: yield Path(folder)
        finally:
            os.chdir(here)
            for key, value in before.items():
                if value is None: del os.environ[key]
                else: os.environ[key] = value


def call(command):
    """Run one command in this process; return its exit status, what it printed and the last line of what it said."""
    out, err, argv, show = io.StringIO(), io.StringIO(), sys.argv, warnings.showwarning
    sys.argv = ["context-inpaint", *command.split()]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err): command_line()
    except SystemExit as done: status = done.code or 0
    finally: sys.argv, warnings.showwarning = argv, show
    return status, out.getvalue(), (err.getvalue().splitlines() or [""])[-1]


TRAIN = "train --data drawn --limit 60 --width 4 --bottleneck 4 --batch-size 12 --epochs 1 --objective vae --out fresh"
HALF = ("train --preset tiny --data drawn --limit 200 --width 4 --bottleneck 8 --batch-size 10 --epochs 3 "
        "--objective gan --lr .005 --out runs/half --resume")  # a run that was stopped in its second epoch
COMMANDS = json.loads((FROZEN/"commands.json").read_text(encoding="utf-8"))
FILLING, PRINTING, SCORING, USAGE = (COMMANDS[kind] for kind in ("filling", "printing", "scoring", "usage"))



def printed(name):
    Path("o.png").unlink(missing_ok=True)
    status, out, last = call(PRINTING[name])
    assert not (status and (Path("o.png").exists() or Path("new").exists())), "something was left behind"
    return {"status": status, "out": out, "last": last if status else ""}


def filled(name):
    """Return what `inpaint` puts in the hole, every fourth value, uint8."""
    Path("o.png").unlink(missing_ok=True)
    status, out, last = call(f"inpaint photo.png {FILLING[name]} -o o.png")
    assert status == 0, last
    before, after = (np.asarray(Image.open(f"{name}.png").convert("RGB")) for name in ("photo", "o"))
    hole = np.asarray(Image.open("mask.png")) >= 128
    if box := re.search(r"--box ([\d,]+)", FILLING[name]):
        x, y, w, h = map(int, box[1].split(","))
        hole = np.zeros_like(hole)
        hole[y:y + h, x:x + w] = True
    assert out == "o.png\n" and (before == after)[~hole].all(), "a known pixel changed"
    return after[hole].ravel()[::4]  # of three colours in turn


def scored(name):
    """Return the table that `evaluate` prints, the record and the CSV it writes."""
    command = f"{SCORING[name]} --out scores.json --force"
    status, out, last = call(command)
    assert status == 0, last
    record = json.loads(Path("scores.json").read_text())
    assert record["command"] == f"context-inpaint {command}" and record["environment"]["torch"] == torch.__version__
    return {"table": untimed(out), "record": without(record, "command", "environment", "seconds_per_image")}


def scores_csv():
    assert call(f"{SCORING['brush']} --out scores.csv --force")[0] == 0
    head, *rows = [line.split(",") for line in Path("scores.csv").read_text().splitlines()]
    assert "seconds_per_image" in head
    return [{key: value for key, value in zip(head, row, strict=True) if key != "seconds_per_image"} for row in rows]


def trained(command, folder):
    """Return what `train` printed, which files it left, and the scores it recorded."""
    status, out, last = call(command)
    assert status == 0, last
    record = json.loads(Path(folder, "record.json").read_text())
    files = sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())
    return {"out": out, "files": files, "steps": record["steps"], "parameters": record["parameters"],
            "curve": without(record["curve"], "seconds"),
            **{split: record[split] for split in ("train", "validation", "test")}}


def exported():
    """Return what `export` printed, the file's bytes, and what the graph makes of a picture, on 8×8."""
    import onnxruntime
    status, out, last = call("export runs/vae --onnx vae.onnx --force")
    assert status == 0, last
    session = onnxruntime.InferenceSession("vae.onnx", providers=["CPUExecutionProvider"])
    y, x = np.mgrid[:32, :32]
    seen = np.stack([x, y, x + y])[None].astype(np.float32)/31 - 1
    drawn, = session.run(None, {"seen": seen})
    return {"out": out, "last": last, "bytes": Path("vae.onnx").stat().st_size, "shape": list(drawn.shape),
            "drawn": drawn.ravel().tolist()}


def options():
    """Return the options of each command."""
    commands = re.findall(r"^  ([a-z]+) ", call("--help")[1].partition("Commands:")[2], re.M)
    helps = {command: call(f"{command} --help")[1].partition("Options:")[2] for command in commands}
    return {command: sorted(set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))) for command, text in helps.items()}


def own_results():
    """Return a digest of all recorded results of the course, and one of each table made of them."""
    def digest(*parts): return hashlib.sha256(b"\0".join(parts)).hexdigest()

    tables = {}
    for which in ("vae-encoders", "gan-encoders", "bottleneck", "scoreboard"):
        for style in ("", "--markdown", "--csv"):
            status, out, last = call(f"table {which} {style}")
            assert status == 0 and out, last
            tables[f"{which}{style}"] = digest(out.encode())
    files = sorted((ROOT/"data"/"results").rglob("*.json"))
    return {"records": digest(*(file.read_bytes() for file in files)), "tables": tables}


# The tests.
@pytest.fixture(scope="module", autouse=True)
def folder():
    with world() as path: yield path


@functools.cache
def expected(): return json.loads((FROZEN/"expected.json").read_text())


@functools.cache
def stored(): return dict(np.load(FROZEN/"fills.npz"))


def test_inputs_are_what_they_were():
    assert set(METHODS) <= set(available())  # there may be more
    inputs = dict(np.load(FROZEN/"inputs.npz"))
    for name, bits in masks().items(): assert np.array_equal(bits, inputs[f"masks/{name}"]), f"masks {name} changed"
    for name, small in pictures().items(): same_bytes(small, inputs[f"pictures/{name}"], 1)


def test_shipped_weights_are_what_they_were():
    assert hashlib.sha256(weights_file("unet").read_bytes()).hexdigest() == expected()["weights"]


@pytest.mark.parametrize("case", ["center", "object", "photo"])
@pytest.mark.parametrize("name", [*METHODS, *RUNS])
def test_fill(name, case):
    values, psnr = fill(name, case)
    same_bytes(values, stored()[f"{name}/{case}"])
    assert np.allclose(psnr, expected()["psnr"][f"{name}/{case}"], rtol=0, atol=.01)


def test_a_run_whose_record_lacks_later_settings_fills_alike():
    shutil.copytree("runs/reconstruction", "runs/older")
    record = json.loads(Path("runs/older/record.json").read_text())
    for key in ("pretrained", "loss", "beta", "error", "lambda_adv", "overlap"): del record["config"][key]
    Path("runs/older/record.json").write_text(json.dumps(record))
    same_bytes(fill("older", "photo", "runs")[0], stored()["reconstruction/photo"])


@pytest.mark.parametrize("name", FILLING)
def test_inpaint(name): same_bytes(filled(name), stored()[f"inpaint/{name}"])


@pytest.mark.parametrize("name", PRINTING)
def test_printed(name):
    now, then = printed(name), expected()["printed"][name]
    assert (now["status"], now["out"]) == (then["status"], then["out"])
    if name in ("method-unknown", "evaluate-method"):  # after this come the names of all methods
        assert now["last"].startswith(then["last"] + " choose from none, ring-mean, ")
    else: assert now["last"] == then["last"]


@pytest.mark.parametrize("command", USAGE)
def test_wrong_usage(command):
    status, out, last = call(command)
    says = rf"context-inpaint: .*{re.escape(USAGE[command])}.* \(see context-inpaint --help\)"
    assert (status, out) == (2, "") and re.fullmatch(says, last), last


@pytest.mark.parametrize("name", SCORING)
def test_evaluate(name):
    now, then = scored(name), expected()["scores"][name]
    same_text(now["table"], then["table"])
    same_values(now["record"], then["record"])


def test_evaluate_csv():
    now, then = scores_csv(), expected()["csv"]
    assert [list(row) for row in now] == [list(row) for row in then]
    def number(text): return float(text) if re.fullmatch(r"-?[\d.]+(e-?\d+)?|inf", text) else text

    same_values(*([[number(text) for text in row.values()] for row in rows] for rows in (now, then)))


def same_training(now, then, tolerance):
    same_text(now["out"], then["out"], tolerance)
    assert now["files"] == then["files"]
    now, then = (without(run, "out", "files", "digest") for run in (now, then))
    same_values(now, then, relative=tolerance, absolute=tolerance)


def test_train_and_resume_when_finished():
    now = trained(TRAIN, "fresh")
    same_training(now, expected()["trained"], .01)
    weights = Path("fresh/model.safetensors").read_bytes()
    assert trained(f"{TRAIN} --resume", "fresh") == now
    assert Path("fresh/model.safetensors").read_bytes() == weights


def test_a_run_stopped_before_the_change_goes_on_to_the_weights_it_would_have_had():
    same_training(trained(HALF, "runs/half"), expected()["whole"], .005)
    for case in ("center", "photo"): same_bytes(fill("half", case, "runs")[0], stored()[f"whole/{case}"], 2, .3)


def test_experiment():
    status, out, _ = call("experiment vae-encoders --data drawn --out experiment --preset tiny")
    assert status == 0
    same_text(out, expected()["experiment"], .02)
    assert sorted(os.listdir("experiment")) == ["vae-alexnet-64-0", "vae-resnet-64-0", "vae-vgg-64-0"]
    assert call("experiment vae-encoders --data drawn --out experiment --preset tiny")[:2] == (0, out)
    assert call("table vae-encoders --results experiment")[:2] == (0, out)


def test_export():
    for package in ("onnx", "onnxscript", "onnxruntime"): pytest.importorskip(package)
    now, then = exported(), expected()["exported"]
    assert (now["out"], now["shape"]) == (then["out"], then["shape"])
    says = r"0\.02 MB; in onnxruntime its output, in \[-1, 1\], differs from PyTorch's by at most \d\.\de-\d\d"
    assert re.fullmatch(says, now["last"]), now["last"]
    assert abs(now["bytes"]/then["bytes"] - 1) < .1
    same_values(now["drawn"], then["drawn"], absolute=1e-3)


def test_course_and_its_progress(folder):
    status, out, _ = call("course mine")
    assert status == 0 and re.fullmatch(r"\d+ lessons in mine: open it with `jupyter lab mine`\n", out)
    lessons = list((folder/"mine").rglob("*.ipynb"))
    assert len(lessons) == int(out.split()[0]) >= expected()["lessons"]
    for lesson in lessons:
        cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
        assert not any("<summary>Solution" in "".join(cell["source"]) for cell in cells)
    status, out, last = call("course mine")
    says = r"context-inpaint: mine/\S+ exists: choose another folder, or overwrite your work with --force"
    assert (status, out) == (2, "") and re.fullmatch(says, last), last
    assert call("course mine --force")[0] == 0
    for where in ("", "mine"):
        *lines, last = call(f"progress {where}")[1].splitlines()
        assert re.fullmatch(r"0 of \d+ exercises solved, 0 tried; 0 of \d+ guesses stored", last)
        assert len(lines) >= 15
        for line in lines: assert re.fullmatch(r"\S+ +guesses 0 of \d+   (· [\w-]+(   )?)*", line), line


def test_doctor():
    status, out, _ = call("doctor")
    *lines, last = out.splitlines()
    assert status == 0 and [line.split()[0] for line in lines] == expected()["doctor"]
    assert re.fullmatch(r"device cpu, preset tiny, cache \S+ \(\d+ GB free\)", last)


def test_every_option_is_still_there():
    now = options()
    for command, names in expected()["options"].items(): assert set(names) <= set(now[command]), command


def test_the_courses_own_results_still_load():
    now, then = own_results(), expected()["results"]
    if now["records"] != then["records"]: pytest.skip("the records are others than on the day of recording")
    assert now["tables"] == then["tables"]


def test_a_process_of_its_own():
    command = [sys.executable, "-c", "from context_inpaint.cli import main; main()", *PRINTING["box-outside"].split()]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected()["printed"]["box-outside"]["last"] + "\n")
