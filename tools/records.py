"""Make the recorded results that are missing from data/results, or say what is missing: `make records`.

    python tools/records.py list [NAME ...]      what is left to train, and how long it takes here
    python tools/records.py collect [NAME ...]   take over what is finished in runs/
    python tools/records.py score [NAME ...]     make the scoreboards that are missing
    python tools/records.py make [NAME ...]      train what is missing, shortest first, then collect and score

Runs are made in runs/ and can be stopped and resumed. Photographs are expected in data/photos.
"""
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from PIL import Image

from context_inpaint.catalogue import load_inpainter, make_objective
from context_inpaint.core import PRESETS, write_aside
from context_inpaint.data import load
from context_inpaint.experiments import configs, finished, run_seconds
from context_inpaint.masks import make_masks
from context_inpaint.trainer import LEARNING_RATES, TrainConfig
from context_inpaint.training import train

LAPTOP, RUNS, RESULTS = PRESETS["laptop"], Path("runs"), Path("data/results/runs")
PHOTOS = "folder:data/photos"


def wanted() -> dict[str, TrainConfig]:
    """Return every recorded run by name: the three experiments with three seeds, and the variants that lessons show."""
    found = configs("all", LAPTOP, PHOTOS, seeds=3, precision="bfloat16")
    return found | vae_variants(found["vae-alexnet-250-0"]) | gan_variants(found["gan-alexnet-250-0"]) | unets(
        found["vae-alexnet-250-0"])


def vae_variants(vae: TrainConfig) -> dict[str, TrainConfig]:
    """Return a VAE's run with the other error terms, and the conditional one."""
    return {"vae-alexnet-250-0-norm": replace(vae, error="norm", beta=1.),
            "vae-alexnet-250-0-sum": replace(vae, error="sum", beta=1.),
            "conditional-vae-alexnet-250-0": replace(vae, objective="conditional-vae")}


def gan_variants(gan: TrainConfig) -> dict[str, TrainConfig]:
    """Return a GAN's run with other rates, bands, weights of the adversarial loss, and masks."""
    found = {"gan-alexnet-250-0-overlap2": replace(gan, overlap=2), "gan-alexnet-250-0-lr0.002": replace(gan, lr=2e-3),
             "gan-alexnet-250-0-overlap2-lr0.002": replace(gan, overlap=2, lr=2e-3)}
    for weight in (0., .003, .01):
        for seed in range(3):
            found[f"gan-alexnet-250-{seed}-lambda{weight:g}"] = replace(gan, lambda_adv=weight, seed=seed)
    for mask in ("block", "region"): found[f"gan-alexnet-250-0-{mask}"] = replace(gan, mask=mask)
    return found


def unets(like: TrainConfig) -> dict[str, TrainConfig]:
    """Return the shipped U-Net's run, and shorter ones with each loss; data, size and rates as in another run."""
    short = replace(like, objective="reconstruction", encoder="unet", mask="mixed", hole_px=38, epochs=6, ema=.99)
    found = {"unet": replace(short, loss="l1", epochs=30, ema=.998)}
    for loss in ("l2", "l1", "log", "seam", "frequency"): found[f"unet-6-{loss}"] = replace(short, loss=loss)
    return found


CLASSICAL = "none,ring-mean,harmonic,telea,navier-stokes"
VAES = ("vae-alexnet-250-0", "vae-vgg-250-0", "vae-resnet-250-0", "conditional-vae-alexnet-250-0")
GANS = ("gan-alexnet-250-0", "gan-vgg-250-0", "gan-resnet-250-0", "gan-alexnet-250-0-lambda0",
        "gan-alexnet-250-0-lambda0.01")
ANY_HOLE = {"center": ("center", .25), "center-half": ("center", .5),
            **{mask: (mask, .5) for mask in ("block", "region", "brush", "object")}}


def scoreboards() -> dict[str, str]:
    """Return the arguments of `context-inpaint evaluate` that make each recorded scoreboard."""
    bank = f"--bank {PHOTOS}"
    small, vaes = "runs/reconstruction-small", ",".join(f"runs/{name},runs/{name}:sample" for name in VAES)
    gans = ",".join(f"runs/{name}" for name in GANS)
    found = {"center": f"{bank} --size 128 --hole 0.25",
             "center-64": f"--methods {CLASSICAL},unet,{small} --size 64 --hole 0.25",
             "report-64": f"--methods {CLASSICAL},{vaes},{gans} --size 64 --hole 0.25"}
    for name, (mask, hole) in ANY_HOLE.items():
        found[f"any-hole-{name}-64"] = f"{bank} --size 64 --mask {mask} --hole {hole}"
        found[f"any-hole-{name}-128"] = ("--methods none,ring-mean,harmonic,telea,unet --limit 500 "
                                         f"--size 128 --mask {mask} --hole {hole}")
    return found


def command(config: TrainConfig, name: str) -> str:
    """Return the command that makes a run."""
    plain = TrainConfig(data=config.data, size=LAPTOP.size, hole_px=config.hole_px, limit=LAPTOP.train,
                        test_limit=LAPTOP.test, lr=LEARNING_RATES.get(config.objective, TrainConfig.lr))
    words = [f"context-inpaint train --preset laptop --data {config.data}"]
    if config.hole_px != LAPTOP.hole_px: words.append(f"--hole {config.hole:.2g}")
    for key, value in asdict(config).items():
        if value != getattr(plain, key): words.append(f"--{key.replace('_', '-')} {value}")
    return " ".join([*words, f"--out runs/{name}"])


def strip(run: Path, config: TrainConfig) -> Image.Image:
    """Return a run's fills of the sample photographs side by side, as they are."""
    photos = load("samples", config.size).batch(range(7))
    fills = load_inpainter(run)(photos, make_masks(config.mask, 7, config.size, config.hole))  # [7, 3, S, S]
    return Image.fromarray((torch.cat(list(fills), 2)*255).round().byte().permute(1, 2, 0).numpy())


def collect(runs: dict[str, TrainConfig]) -> None:
    """Put the record and the sample fills of every finished run among the results."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name, config in runs.items():
        if not finished(RUNS/name, config) or (RESULTS/f"{name}.json").exists(): continue
        record = {"command": command(config, name)} | json.loads((RUNS/name/"record.json").read_text())
        if config.seed == 0: strip(RUNS/name, config).save(RESULTS/f"{name}.fills.jpg", quality=92)
        with write_aside(RESULTS/f"{name}.json", force=True) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")
        print(f"collected {name}: {record['test']['psnr']:.2f} dB")


def runs_in(arguments: str) -> list[Path]:
    """Return the run folders that arguments of `context-inpaint evaluate` name."""
    words = arguments.replace(",", " ").split()
    return [Path(word.removesuffix(":sample")) for word in words if word.startswith("runs/")]


def score(names: Sequence[str]) -> None:
    """Make the scoreboards that are missing and whose runs are there."""
    program = [sys.executable, "-c", "from context_inpaint.cli import main; main()", "evaluate", "--data", PHOTOS]
    for name, arguments in scoreboards().items():
        out = RESULTS.parent/f"scoreboard-{name}.json"
        if out.exists() or names and name not in names: continue
        if not all((run/"record.json").exists() for run in runs_in(arguments)): continue
        subprocess.run([*program, *arguments.split(), "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        print(f"made {out}")


def main(what: str = "list", *names: str) -> None:
    if what not in ("list", "collect", "score", "make"): sys.exit(__doc__)
    if what == "score":
        score(names)
        return
    runs = {name: config for name, config in wanted().items() if not names or name in names}
    collect(runs)
    left = {name: config for name, config in runs.items() if not (RESULTS/f"{name}.json").exists()}
    print(f"{len(runs) - len(left)} of {len(runs)} runs are recorded")
    if what == "collect": return
    kinds = {name: replace(config, seed=0) for name, config in left.items()}  # seeds take the same time
    each = {kind: run_seconds(kind, make_objective) for kind in set(kinds.values())}
    seconds = {name: each[kind] for name, kind in kinds.items()}
    left = dict(sorted(left.items(), key=lambda run: (run[1].seed, seconds[run[0]])))
    for name in left: print(f"{seconds[name]/60:5.0f} min  {name}")
    if left: print(f"{len(left)} are left: {sum(seconds.values())/3600:.1f} hours here")
    if what == "list": return
    for name, config in left.items():
        train(config, make_objective(config), RUNS/name, resume=True)
        collect({name: config})
    score(names)


if __name__ == "__main__": main(*sys.argv[1:])
