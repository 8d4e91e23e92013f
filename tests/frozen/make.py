"""Record what the package does today, for tests/test_frozen.py: python tests/frozen/make.py [--force] [--inputs]

Without --force it writes only where nothing is. With it, expected fills, scores and outputs are measured anew: do so only when a change was meant, and say
in the commit which. The run folders, records and masks they are measured with stay, since they stand for what users have on their disks; --inputs makes
those anew too.
"""
import argparse
import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent.parent)]
import numpy as np  # noqa: E402
import test_frozen as t  # noqa: E402
from safetensors import safe_open  # noqa: E402

BASE = "train --preset tiny --data drawn --limit 400 --width 4 --bottleneck 8 --batch-size 10 --epochs 6 --lr .005"
TRAINED = {"reconstruction": "", "vae": "--objective vae", "gan": "--objective gan --overlap 2", "block": "--mask block"}
RECORDS = {"runs": ("vae-alexnet-250-0", "vae-alexnet-250-1", "vae-alexnet-250-0-norm", "vae-vgg-250-0", "vae-resnet-128-0", "gan-alexnet-250-0",
                    "gan-alexnet-250-2", "gan-alexnet-250-0-overlap2", "gan-alexnet-250-0-block", "gan-resnet-32-0"),
           ".": ("reconstruction-small", "scoreboard-any-hole-brush-64", "scoreboard-center-64", "training-speed")}


def interrupt(file: Path) -> None:
    """Press Ctrl-C soon after the second checkpoint: one is written at the start, one after each epoch."""
    seen = set()
    while len(seen) < 2:
        if file.exists(): seen.add(file.stat().st_mtime_ns)
        time.sleep(.002)
    time.sleep(.05)
    os.kill(os.getpid(), signal.SIGINT)


def stop_in_the_middle() -> dict:
    """Leave runs/half as a run that was stopped in its second epoch; return what its checkpoint says."""
    file = Path("runs/half/state/last.safetensors")
    for _ in range(5):
        shutil.rmtree("runs/half", ignore_errors=True)
        threading.Thread(target=interrupt, args=(file,), daemon=True).start()
        status = t.call(t.HALF)[0]
        with safe_open(file, "np") as opened: state = json.loads(opened.metadata()["state"])
        if status == 130 and len(state["curve"]) == 1 and state["log"]: return state
    raise SystemExit("the run could not be stopped in its second epoch: try again")


def make_inputs() -> None:
    for name in ("runs", "results"):
        shutil.rmtree(t.FROZEN/name, ignore_errors=True)
        (t.FROZEN/name).mkdir()
    for folder, names in RECORDS.items():
        (t.FROZEN/"results"/folder).mkdir(exist_ok=True)
        for name in names: shutil.copy(t.ROOT/"data"/"results"/folder/f"{name}.json", t.FROZEN/"results"/folder)
    with t.world():
        for name, settings in TRAINED.items():
            assert t.call(f"{BASE} {settings} --out runs/{name}")[0] == 0
            (t.FROZEN/"runs"/name).mkdir()
            for file in ("record.json", "model.safetensors"): shutil.copy(f"runs/{name}/{file}", t.FROZEN/"runs"/name)
        print(f"stopped after {stop_in_the_middle()['step']} steps")
        shutil.copytree("runs/half", t.FROZEN/"runs"/"unfinished")
        np.savez_compressed(t.FROZEN/"inputs.npz", **{f"masks/{name}": bits for name, bits in t.masks().items()}, **{f"pictures/{name}": small for name, small in t.pictures().items()})


def make_expected() -> None:
    fills, psnr = {}, {}
    with t.world():
        for name in (*t.METHODS, *t.RUNS):
            for case in ("center", "object", "photo"): fills[f"{name}/{case}"], psnr[f"{name}/{case}"] = t.fill(name, case)
        shutil.rmtree("runs/half")
        whole = t.trained(t.HALF, "runs/half")  # without the interruption
        for case in ("center", "photo"): fills[f"whole/{case}"] = t.fill("half", case, "runs")[0]
        shutil.rmtree("runs/half")
        for name in t.FILLING: fills[f"inpaint/{name}"] = t.filled(name)
        Path("o.png").unlink()
        shutil.copytree(t.FROZEN/"runs"/"unfinished", "runs/half")  # that of the test of an error
        values = {
            "made": {"commit": os.popen(f"git -C {t.ROOT} rev-parse HEAD").read().strip(), "torch": t.torch.__version__, "numpy": np.__version__},
            "weights": t.hashlib.sha256(t.weights_file("unet").read_bytes()).hexdigest(), "psnr": psnr,
            "printed": {name: t.printed(name) for name in t.PRINTING}, "scores": {name: t.scored(name) for name in t.SCORING}, "csv": t.scores_csv(), "whole": whole,
            "trained": t.trained(t.TRAIN, "fresh"), "exported": t.exported(), "options": t.options(), "results": t.own_results(),
            "experiment": t.call("experiment vae-encoders --data drawn --out experiment --preset tiny")[1], "lessons": int(t.call("course mine")[1].split()[0]),
            "doctor": [line.split()[0] for line in t.call("doctor")[1].splitlines()[:-1]]}
    short = lambda value: float(f"{value:.7g}") if isinstance(value, float) else {k: short(v) for k, v in value.items()} if isinstance(value, dict) else \
        list(map(short, value)) if isinstance(value, (list, tuple)) else value
    values = short(values)
    np.savez_compressed(t.FROZEN/"fills.npz", **fills)
    (t.FROZEN/"expected.json").write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force", action="store_true", help="measure anew what is expected")
    parser.add_argument("--inputs", action="store_true", help="with --force: make runs, records and masks anew as well")
    given = parser.parse_args()
    if not (t.FROZEN/"inputs.npz").exists() or given.force and given.inputs: make_inputs()
    if not (t.FROZEN/"expected.json").exists() or given.force: make_expected()
    else: sys.exit("everything is there: measure it anew with --force")
