"""Make a finished run's weights part of the package, with a model card.

    python tools/ship.py pack runs/unet unet   weights as float16, the configuration in the file's header; then the card
    python tools/ship.py card unet             the card alone, from data/results
"""
import json
import sys
from pathlib import Path

import safetensors.torch

from context_inpaint.core import write_aside
from context_inpaint.export import pack
from context_inpaint.trainer import read_config

WEIGHTS, RESULTS = Path("context_inpaint/weights"), Path("data/results")
CARD = """# {name}

The network behind the method `{name}`: a U-Net of gated convolutions ({parameters:,} parameters, {megabytes:.1f} MB
as float16) that fills holes of any shape in pictures of any size. `context_inpaint.masked_convs` is its code, the
lesson on masked convolutions explains it.

## Training

- Pictures: {train:,} photographs of places at {size}×{size} (buildings, forests, glaciers, mountains, sea, streets:
  a sample of the public Intel image classification set), random crops and flips; {validation} more to choose by.
  None were chosen for faces, rooms or writing.
- Holes: central squares, blocks, regions, brush strokes and outlines of objects, up to {hole:.0%} of the side,
  8,192 of them, drawn at random.
- {epochs} epochs, {steps:,} steps of {batch_size} pictures, AdamW with a peak rate of {lr:g} (one-cycle), loss
  `{loss}`, averaged weights (decay {ema}), {precision}, seed {seed}.
- {minutes:.0f} minutes of wall time on {device}, one thread, with other work beside it.
- The command: `{command}`

## Scores

Hole PSNR in dB on test photographs, and the gain over Telea picture by picture, with 95% intervals. Sharpness is
the size of the steps between neighbouring pixels as a share of the truth's. Static has plenty of it: read it beside
the PSNR.

| holes | pictures | {name} | heat diffusion | Telea | gain over Telea | sharpness of {name} | of Telea |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
{rows}

Its fills are smooth. {asks}

## Limits

It continues what surrounds a hole and invents no objects: large holes become blurred. It was trained on small
outdoor photographs only and is judged on photographs of the same source. It knows nothing of people, and nothing it
draws is evidence of what was there.
"""
ASKS = {  # what the loss asks for where several answers are possible
    "l1": "It was trained on the absolute error, which asks for the median, at every pixel, of what could be there.",
    "l2": "It was trained on the squared error, which asks for the mean, at every pixel, of what could be there."}


def rows(name: str) -> str:
    """Return the lines of the card's table, from the recorded scoreboards for holes of any kind."""
    lines = []
    for file in sorted(RESULTS.glob("scoreboard-any-hole-*.json")):
        record = json.loads(file.read_text())
        scores = {row["method"]: row for row in record["rows"]}
        ours, telea = scores[name], scores["telea"]
        low, high = ours["gain_over_telea_ci"]
        cells = [f"{record['mask']}, {record['hole_area']:.0%} hidden", f"{record['n']:,} at {record['size']}²",
                 f"{ours['psnr']:.2f}", f"{scores['harmonic']['psnr']:.2f}", f"{telea['psnr']:.2f}",
                 f"{ours['gain_over_telea']:+.2f} [{low:.2f}, {high:.2f}]", f"{ours['sharpness']:.2f}",
                 f"{telea['sharpness']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def card(name: str) -> str:
    """Return the model card of a shipped network, from the record of its run and the scoreboards."""
    record = json.loads((RESULTS/"runs"/f"{name}.json").read_text())
    config = read_config(record["config"])
    chosen = {key: getattr(config, key) for key in ("size", "epochs", "batch_size", "lr", "loss", "ema", "precision",
                                                    "seed", "hole")}
    return CARD.format(name=name, rows=rows(name), asks=ASKS[config.loss], steps=record["steps"],
                       parameters=sum(record["parameters"].values()), minutes=record["seconds"]/60,
                       megabytes=(WEIGHTS/f"{name}.safetensors").stat().st_size/1e6,
                       device=record["environment"]["gpu"] or "a processor", train=record["pictures"]["train"],
                       validation=record["pictures"]["validation"], command=record["command"], **chosen)


def main(what: str = "", *arguments: str) -> None:
    if what == "pack" and len(arguments) == 2:
        run, name = Path(arguments[0]), arguments[1]
        record = json.loads((run/"record.json").read_text())
        WEIGHTS.mkdir(exist_ok=True)
        weights = safetensors.torch.load_file(run/"model.safetensors")
        pack(weights, read_config(record["config"]), WEIGHTS/f"{name}.safetensors", force=True)
    elif what == "card" and len(arguments) == 1: name = arguments[0]
    else: sys.exit(__doc__)
    with write_aside(WEIGHTS/f"{name}.md", force=True) as temporary: temporary.write_text(card(name))
    print(f"{WEIGHTS/name}.safetensors: {(WEIGHTS/f'{name}.safetensors').stat().st_size/1e6:.2f} MB, and its card")


if __name__ == "__main__": main(*sys.argv[1:])
