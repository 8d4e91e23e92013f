"""Make the recorded results that are missing from data/results, or say what is missing: `make records`.

python tools/records.py [list|collect|score|make] [NAME...]   list: what is left and how long it takes here; collect: take over what is finished in runs/;
score: make missing scoreboards; make: train what is missing, shortest first, then collect and score. Runs are made in runs/ and can be stopped and resumed. Photographs are expected in data/photos.
"""
import itertools
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch
from PIL import Image

from context_inpaint.core import PRESETS, write_aside
from context_inpaint.data import load
from context_inpaint.experiments import configs, finished, run_seconds
from context_inpaint.masks import make_masks
from context_inpaint.trainer import LEARNING_RATES, TrainConfig
from context_inpaint.catalogue import load_inpainter
from context_inpaint.training import train

LAPTOP, RUNS, RESULTS = PRESETS["laptop"], Path("runs"), Path("data/results/runs")


def wanted() -> dict[str, TrainConfig]:
    """Return every recorded run by name: the three experiments with three seeds, and the variants that lessons show."""
    found = configs("all", LAPTOP, "folder:data/photos", seeds=3, precision="bfloat16")
    vae, gan = found["vae-alexnet-250-0"], found["gan-alexnet-250-0"]
    found |= {"vae-alexnet-250-0-norm": replace(vae, error="norm", beta=1.), "vae-alexnet-250-0-sum": replace(vae, error="sum", beta=1.),
              "conditional-vae-alexnet-250-0": replace(vae, objective="conditional-vae"), "gan-alexnet-250-0-overlap2": replace(gan, overlap=2),
              "gan-alexnet-250-0-lr0.002": replace(gan, lr=2e-3), "gan-alexnet-250-0-overlap2-lr0.002": replace(gan, overlap=2, lr=2e-3)}
    for weight, seed in itertools.product((0., .003, .01), range(3)): found[f"gan-alexnet-250-{seed}-lambda{weight:g}"] = replace(gan, lambda_adv=weight, seed=seed)
    for mask in ("block", "region"): found[f"gan-alexnet-250-0-{mask}"] = replace(gan, mask=mask)
    unet = replace(vae, objective="reconstruction", encoder="unet", mask="mixed", hole=38, epochs=6, ema=.99)
    found["unet"] = replace(unet, loss="l1", epochs=30, ema=.998)
    for loss in ("l2", "l1", "log", "seam", "frequency"): found[f"unet-6-{loss}"] = replace(unet, loss=loss)
    return found


CLASSICAL = "none,ring-mean,harmonic,telea,navier-stokes"
REPORT = ["vae-alexnet-250-0", "vae-vgg-250-0", "vae-resnet-250-0", "conditional-vae-alexnet-250-0"]


def scoreboards() -> dict[str, str]:
    """Return the arguments of `context-inpaint evaluate` that make each recorded scoreboard."""
    found = {"center": "--bank folder:data/photos --size 128 --hole 0.25",
             "center-64": f"--methods {CLASSICAL},unet,runs/reconstruction-small --size 64 --hole 0.25"}
    vaes = ",".join(f"runs/{name},runs/{name}:sample" for name in REPORT)
    gans = ",".join(f"runs/gan-{name}" for name in ("alexnet-250-0", "vgg-250-0", "resnet-250-0", "alexnet-250-0-lambda0", "alexnet-250-0-lambda0.01"))
    found["report-64"] = f"--methods {CLASSICAL},{vaes},{gans} --size 64 --hole 0.25"
    for size in (64, 128):
        methods = "" if size == 64 else "--methods none,ring-mean,harmonic,telea,unet "
        bank = "--bank folder:data/photos " if size == 64 else "--limit 500 "
        for mask, hole in (("center", .25), ("center", .5), ("block", .5), ("region", .5), ("brush", .5), ("object", .5)):
            found[f"any-hole-{mask}{'-half' if (mask, hole) == ('center', .5) else ''}-{size}"] = f"{methods}{bank}--size {size} --mask {mask} --hole {hole}"
    return found


def command(config: TrainConfig, name: str) -> str:
    """Return the command that makes a run."""
    plain = replace(TrainConfig(), data=config.data, size=LAPTOP.size, hole=config.hole, limit=LAPTOP.train, test_limit=LAPTOP.test,
                    lr=LEARNING_RATES.get(config.objective, TrainConfig.lr))
    words = [f"context-inpaint train --preset laptop --data {config.data}"]
    if config.hole != LAPTOP.hole: words.append(f"--hole {config.hole/config.size:.2g}")
    for key, value in asdict(config).items():
        if value != getattr(plain, key): words.append(f"--{key.replace('_', '-')} {value}")
    return " ".join([*words, f"--out runs/{name}"])


def strip(run: Path, config: TrainConfig) -> Image.Image:
    """Return a run's fills of the sample photographs side by side, as they are."""
    photos = load("samples", config.size).batch(range(7))
    fills = load_run(run)(photos, make_masks(config.mask, 7, config.size, config.hole/config.size))
    return Image.fromarray((torch.cat(list(fills), 2)*255).round().byte().permute(1, 2, 0).numpy())


def collect(runs: dict[str, TrainConfig]) -> None:
    """Put the record and the sample fills of every finished run among the results."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name, config in runs.items():
        if not finished(RUNS/name, config) or (RESULTS/f"{name}.json").exists(): continue
        record = {"command": command(config, name)} | json.loads((RUNS/name/"record.json").read_text())
        if config.seed == 0: strip(RUNS/name, config).save(RESULTS/f"{name}.fills.jpg", quality=92)
        with write_aside(RESULTS/f"{name}.json", force=True) as temporary: temporary.write_text(json.dumps(record, indent=1) + "\n")
        print(f"collected {name}: {record['test']['psnr']:.2f} dB")


def score(names: tuple[str, ...]) -> None:
    """Make the scoreboards that are missing and whose runs are there."""
    for name, arguments in scoreboards().items():
        out = RESULTS.parent/f"scoreboard-{name}.json"
        needed = [word.removesuffix(":sample") for word in arguments.split(" --size")[0].split(",") if "runs/" in word]
        if out.exists() or names and name not in names or not all((Path(run.split()[-1])/"record.json").exists() for run in needed): continue
        subprocess.run([sys.executable, "-c", "from context_inpaint.cli import main; main()", "evaluate", "--data", "folder:data/photos", *arguments.split(), "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        print(f"made {out}")


def main(what: str = "list", *names: str) -> None:
    if what == "score": return score(names)
    runs = {name: config for name, config in wanted().items() if not names or name in names}
    collect(runs)
    left = {name: config for name, config in runs.items() if not (RESULTS/f"{name}.json").exists()}
    if what == "collect" or not left:
        if what == "make": score(names)
        return print(f"{len(runs) - len(left)} of {len(runs)} runs are recorded")
    kinds = {replace(config, seed=0) for config in left.values()}
    seconds = {kind: run_seconds(kind) for kind in kinds}
    left = dict(sorted(left.items(), key=lambda item: (item[1].seed, seconds[replace(item[1], seed=0)])))
    for name, config in left.items(): print(f"{seconds[replace(config, seed=0)]/60:5.0f} min  {name}")
    print(f"{len(left)} of {len(runs)} runs are left: {sum(seconds[replace(config, seed=0)] for config in left.values())/3600:.1f} hours here")
    if what != "make": return
    for name, config in left.items():
        train(config, RUNS/name, resume=True)
        collect({name: config})
    score(names)


if __name__ == "__main__": main(*sys.argv[1:])
