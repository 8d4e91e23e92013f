"""Make a finished run's weights part of the package, with a model card: `python tools/ship.py runs/unet unet`.

Weights become float16; the configuration goes into the file's header. The card's numbers come from the run's record and from data/results/scoreboard-any-hole-*.json.
"""
import json
import sys
from dataclasses import fields
from pathlib import Path

import safetensors.torch

from context_inpaint.core import write_aside
from context_inpaint.export import pack
from context_inpaint.trainer import TrainConfig

WEIGHTS, RESULTS = Path("context_inpaint/weights"), Path("data/results")
CARD = """# {name}

The network behind the method `{name}`: a U-Net of gated convolutions ({parameters:,} parameters, {megabytes:.1f} MB as float16) that fills holes of any shape in pictures
of any size. `context_inpaint.masked_convs` is its code, the lesson on masked convolutions explains it.

## Training

- Pictures: {train:,} photographs of places at {size}×{size} (buildings, forests, glaciers, mountains, sea, streets: a sample of the public Intel image classification
  set), random crops and flips; {validation} more to choose by. None were chosen for faces, rooms or writing.
- Holes: central squares, blocks, regions, brush strokes and outlines of objects, up to {share:.0%} of the side, 8,192 of them, drawn at random.
- {epochs} epochs, {steps:,} steps of {batch_size} pictures, AdamW with a peak rate of {lr:g} (one-cycle), loss `{loss}`, averaged weights (decay {ema}), {precision}, seed {seed}.
- {minutes:.0f} minutes of wall time on {device}, one thread, with other work beside it.
- The command: `{command}`

## Scores

Hole PSNR in dB on test photographs, and the gain over Telea picture by picture, with 95% intervals.

| holes | pictures | {name} | Telea | gain |
| --- | --- | ---: | ---: | ---: |
{rows}

Sharpness is what a fill keeps of the truth's fine detail (1 is the truth's): about {sharpness:.2f} here, so fills are smooth. A network trained on the error asks for
the average of all answers.

## Limits

It continues what surrounds a hole and invents no objects: large holes become blurred. It was trained on small outdoor photographs only and is judged on photographs of the
same source. It knows nothing of people, and nothing it draws is evidence of what was there.
"""


def rows(name: str) -> tuple[str, float]:
    """Return the table's lines and the sharpness of the fills."""
    lines, sharpness = [], []
    for file in sorted(RESULTS.glob("scoreboard-any-hole-*.json")):
        record = json.loads(file.read_text())
        scores = {row["method"]: row for row in record["rows"]}
        ours = scores[name]
        interval = "[{:.2f}, {:.2f}]".format(*ours["gain_over_telea_ci"])
        lines.append(f"| {record['mask']}, {record['hole_area']:.0%} hidden | {record['n']:,} at {record['size']}² | {ours['psnr']:.2f} | {scores['telea']['psnr']:.2f} | {ours['gain_over_telea']:+.2f} {interval} |")
        sharpness.append(ours["sharpness"])
    return "\n".join(lines), sum(sharpness)/max(1, len(sharpness))


def main(run: str, name: str) -> None:
    record = json.loads((Path(run)/"record.json").read_text())
    config = record["config"]
    assert set(config) == {field.name for field in fields(TrainConfig)}, "the run was made by another version: train it again"
    WEIGHTS.mkdir(exist_ok=True)
    target = WEIGHTS/f"{name}.safetensors"
    pack(safetensors.torch.load_file(Path(run)/"model.safetensors"), config, target, force=True)
    print(f"{target}: {target.stat().st_size/1e6:.2f} MB")
    table, sharpness = rows(name)
    recorded = RESULTS/"runs"/f"{Path(run).name}.json"
    card = CARD.format(name=name, rows=table, sharpness=sharpness, parameters=sum(record["parameters"].values()), megabytes=target.stat().st_size/1e6,
                       share=config["hole"]/config["size"], steps=record["steps"], minutes=record["seconds"]/60, device=record["environment"]["gpu"] or "a processor",
                       train=record["pictures"]["train"], validation=record["pictures"]["validation"],
                       command=json.loads(recorded.read_text())["command"] if recorded.exists() else "see data/results/runs",
                       **{key: config[key] for key in ("size", "epochs", "batch_size", "lr", "loss", "ema", "precision", "seed")})
    with write_aside(target.with_suffix(".md"), force=True) as temporary: temporary.write_text(card)


if __name__ == "__main__": main(*sys.argv[1:])
