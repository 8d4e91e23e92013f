"""Measure `context-inpaint inpaint` on photographs of 3000×2000 pixels: time and peak memory of the whole command.

    python tools/bench_photo.py [--methods telea,harmonic,...] [--out data/results/photo-speed.json]
    python tools/bench_photo.py --show

Each photograph is a sample photograph enlarged. Masks: brush strokes and an object, both of `hole` 0.3; dust, thousands
of specks of 3 to 9 pixels; and one square hole of as many pixels as the dust. A command that fails is recorded with
what it said.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from context_inpaint.catalogue import available
from context_inpaint.masks import make_masks
from context_inpaint.photos import read_image, sample_files, write_image
from context_inpaint.records import environment, git_commit, save_record

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT/"data"/"results"/"photo-speed.json"
SMALL, LARGE = (640, 480), (3000, 2000)  # width, height

# In a process of its own: starts the command, waits, and says what it took and its largest resident set.
MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"status": done.returncode, "said": done.stderr.strip()[-200:], "wall_s": time.perf_counter() - start,
                  "processor_s": used.ru_utime + used.ru_stime, "peak_gb": used.ru_maxrss*1024/1e9}))
"""


def photograph(name: str, width: int, height: int, file: Path) -> None:
    """Write a sample photograph at a size, cut to its shape, not stretched."""
    image = read_image(sample_files()[name]).permute(1, 2, 0).numpy()  # [h, w, 3]
    scale = max(width/image.shape[1], height/image.shape[0])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:height, :width]
    write_image(file, torch.from_numpy(np.ascontiguousarray(large)).permute(2, 0, 1))


def dust(width: int, height: int, n: int, seed: int = 0) -> torch.Tensor:
    """Return square specks of 3 to 9 pixels, bool `[1, 1, height, width]`."""
    rng, mask = np.random.default_rng(seed), torch.zeros(1, 1, height, width, dtype=torch.bool)
    for top, left, side in zip(rng.integers(0, height - 9, n), rng.integers(0, width - 9, n), rng.integers(3, 10, n)):
        mask[..., top:top + side, left:left + side] = True
    return mask


def square(like: torch.Tensor) -> torch.Tensor:
    """Return one square hole in the middle with about as many hidden pixels as `like`."""
    mask, side = torch.zeros_like(like), round(float(like.sum())**.5)
    top, left = ((length - side)//2 for length in like.shape[-2:])
    mask[..., top:top + side, left:left + side] = True
    return mask


def masks(width: int, height: int) -> dict[str, torch.Tensor]:
    """Return the masks by name."""
    specks = dust(width, height, 2500*width*height//(3000*2000))
    drawn = {kind: make_masks(kind, 1, (height, width), .3, seed=3) for kind in ("brush", "object")}
    return drawn | {"dust": specks, "square as dust": square(specks)}


def measure(words: list[str], threads: int, cwd: Path) -> dict:
    """Run a command and return what it took."""
    given = os.environ | {"OMP_NUM_THREADS": str(threads), "CONTEXT_INPAINT_DEVICE": "cpu", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", MEASURE, *words], env=given, cwd=cwd, capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)


def bench(methods: list[str], names: list[str], threads: int, repeats: int) -> list[dict]:
    """Return a row for each photograph, size, mask and method: the quickest of `repeats` runs."""
    rows, program = [], [sys.executable, "-c", "from context_inpaint.cli import main; main()"]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for width, height in (SMALL, LARGE):
                photo = f"{name}-{width}.png"
                photograph(name, width, height, Path(folder)/photo)
                for kind, mask in masks(width, height).items():
                    write_image(Path(folder)/"mask.png", mask[0].expand(3, -1, -1).float(), force=True)
                    for method in methods:
                        words = ["inpaint", photo, "--mask", "mask.png", "--method", method, "-o", "out.png", "--force"]
                        runs = [measure([*program, *words], threads, Path(folder)) for _ in range(repeats)]
                        best = min(runs, key=lambda run: run["wall_s"])
                        rows.append({"photo": name, "width": width, "height": height, "mask": kind,
                                     "hidden": int(mask.sum()), "method": method,
                                     "command": "context-inpaint " + " ".join(words)} | best)
                        print(line(rows[-1]), flush=True)
    return rows


def line(row: dict) -> str:
    """Return a row in words."""
    size = f"{row['width']}×{row['height']}"
    took = f"{row['wall_s']:6.1f} s, {row['processor_s']:6.1f} s of processor, {row['peak_gb']:.2f} GB"
    failed = f"  ({row['said'].splitlines()[-1]})" if row["status"] else ""
    return f"{row['photo']:10} {size:10} {row['mask']:15} {row['hidden']:8,} {row['method']:17} {took}{failed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", help="comma-separated; by default all that can run")
    parser.add_argument("--photos", default="china", help="sample photographs, comma-separated")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1, help="the quickest of so many runs is kept")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--show", action="store_true", help="print what --out holds and measure nothing")
    given = parser.parse_args()
    if given.show:
        for row in json.loads(given.out.read_text())["results"]: print(line(row))
        return
    began, before = time.strftime("%Y-%m-%d"), os.getloadavg()[0]
    chosen = given.methods.split(",") if given.methods else available()
    rows = bench(chosen, given.photos.split(","), given.threads, given.repeats)
    command = "python tools/bench_photo.py " + re.sub(r"--out \S+ ?", "", " ".join(sys.argv[1:]))
    record = {"command": command.strip(), "date": began, "commit": git_commit(), "cores": os.cpu_count(),
              "environment": environment() | {"threads": given.threads}, "load_before": round(before, 1),
              "results": rows}
    save_record(record, given.out, force=True)


if __name__ == "__main__": main()
