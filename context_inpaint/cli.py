"""The command line: `context-inpaint`. Results go to stdout, progress to stderr; bad input is one line, status 2."""
from __future__ import annotations

import json
import shlex
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer


app = typer.Typer(help="Fill holes in photographs, score the methods, take the course.", rich_markup_mode=None,
                  pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)

Force = Annotated[bool, typer.Option("--force", help="Overwrite what exists.")]
BankSpec = Annotated[str | None, typer.Option("--bank", metavar="SPEC",
                                              help="Pictures that scene completion copies from.")]
Training = Annotated[str, typer.Option("--data", metavar="SPEC",
                                       help="drawn, folder:PATH or places365:PATH: its training split.")]
Testing = Annotated[str | None, typer.Option("--test-data", metavar="SPEC",
                                             help="Scored after training. [default: the test split of --data]")]
PresetName = Annotated[str | None, typer.Option("--preset", help="tiny, laptop, gpu or paper.")]
Precision = Annotated[str, typer.Option(help="float32 or bfloat16.")]
MaskKind = Annotated[str, typer.Option("--mask", help="center, block, region, brush, object or mixed.")]


def _style(markdown: bool, as_csv: bool) -> str:
    from context_inpaint.core import InputError
    if markdown and as_csv: raise InputError("give --markdown or --csv, not both")
    return "markdown" if markdown else "csv" if as_csv else "text"


@app.command()
def inpaint(
        photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A picture, or a folder of them.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write, or the folder for a folder's; "
                                                              "PNG keeps known pixels exact, JPEG nearly.")],
        mask: Annotated[list[Path] | None, typer.Option(
            help="A picture of the photo's size; white marks the hole. Several add up; for a folder, a folder of masks "
                 "with the photos' names.")] = None,
        box: Annotated[list[str] | None, typer.Option(
            metavar="X,Y,W,H", help="The hole as a box: left, top, width, height in pixels. Several add up.")] = None,
        grow: Annotated[int, typer.Option(
            metavar="N", help="Widen the hole by N pixels, for shadows and halos of what is to go.")] = 0,
        method: Annotated[str | None, typer.Option(
            help="A name from `methods`. [default: unet, or telea without its weights]")] = None,
        weights: Annotated[str | None, typer.Option(metavar="RUN",
                                                    help="The folder of a training run, in place of a method.")] = None,
        bank: BankSpec = None,
        seed: Annotated[int, typer.Option(help="For methods that draw at random.")] = 0, force: Force = False) -> None:
    """Fill the hole in a photograph, or in each photograph of a folder."""
    from context_inpaint.catalogue import available, completion_bank, get_method
    from context_inpaint.core import InputError, generator
    from context_inpaint.photos import read_image
    from context_inpaint.retouch import fill_folder, fill_photo, hole_of, jobs, write_photo
    if not mask and not box:
        raise InputError("say what to fill: either --mask FILE (white = hole) or --box X,Y,W,H")
    if method and weights: raise InputError("give --method or --weights, not both")
    name = weights or method or ("unet" if "unet" in available() else "telea")
    if photo.is_dir():
        todo = list(jobs(photo, mask or [], out))
        inpainter = get_method(name, completion_bank(bank, 128))
        raise typer.Exit(0 if fill_folder(todo, out, inpainter, box or [], grow, seed, force) else 2)
    if out.exists() and not force: raise InputError(f"{out} exists: choose another name, or overwrite it with --force")
    image = read_image(photo)
    missing = hole_of(image, mask or [], box or [], grow)
    filled = fill_photo(image, missing, get_method(name, completion_bank(bank, 128)), generator(seed))
    write_photo(out, filled, force)
    print(out)


@app.command()
def evaluate(
        data: Annotated[str, typer.Option(metavar="SPEC", help="drawn, samples, folder:PATH or places365:PATH.")],
        methods: Annotated[str | None, typer.Option(
            help="Names or run folders, comma-separated; RUN:sample draws its code at random. "
                 "[default: all that can run]")] = None,
        bank: BankSpec = None, mask: MaskKind = "center",
        size: Annotated[int | None, typer.Option(help="Side of the pictures, pixels. [default: the preset's]")] = None,
        hole: Annotated[float | None, typer.Option(
            help="Side of the square with the hole's area, as a fraction. [default: the mask's own]")] = None,
        limit: Annotated[int | None, typer.Option(help="Score only so many pictures.")] = None,
        seed: Annotated[int, typer.Option(help="Of the masks.")] = 0,
        perceptual: Annotated[bool, typer.Option("--perceptual", help="Also the perceptual distance: "
                                                 "needs the extra of that name, and 0.05 s a fill.")] = False,
        out: Annotated[Path | None, typer.Option(metavar="FILE.json|FILE.csv", help="Write the record.")] = None,
        force: Force = False) -> None:
    """Score methods on pictures and print the table."""
    from context_inpaint.catalogue import completion_bank, get_methods, get_metrics
    from context_inpaint.core import InputError, device, preset
    from context_inpaint.data import load
    from context_inpaint.records import save_record, table
    from context_inpaint.scoreboard import evaluate as score
    if out and out.suffix not in (".json", ".csv"): raise InputError(f"{out}: name a .json or .csv file")
    if out and out.exists() and not force:
        raise InputError(f"{out} exists: choose another name, or overwrite it with --force")
    size = size or preset().size
    pictures = load(data, size=size, limit=limit, split="test")
    named = [name.strip() for name in methods.split(",") if name.strip()] if methods else None
    inpainters = get_methods(named, completion_bank(bank, size, scored=pictures))
    record = score(pictures, inpainters, mask, hole, seed, device=device(), metrics=get_metrics(perceptual))
    record["command"] = shlex.join(["context-inpaint", *sys.argv[1:]])
    if out: save_record(record, out, force)
    print(table(record), end="")


@app.command()
def train(
        data: Training,
        out: Annotated[Path, typer.Option(metavar="RUN", help="The folder to make: record, weights, samples, state.")],
        objective: Annotated[str, typer.Option(
            help="What to minimise: reconstruction, vae, conditional-vae or gan.")] = "reconstruction",
        encoder: Annotated[str, typer.Option(
            help="small, alexnet, vgg, resnet, strided; or unet, for any hole, with --mask mixed.")] = "small",
        bottleneck: Annotated[int | None, typer.Option(
            help="Values in the code. [default: the preset's largest]")] = None,
        pretrained: Annotated[bool, typer.Option(
            "--pretrained", help="Start alexnet, vgg or resnet from ImageNet weights; needs width 512.")] = False,
        loss: Annotated[str, typer.Option(help="reconstruction: l2, l1, log, seam or frequency.")] = "l2",
        beta: Annotated[float, typer.Option(help="vae: weight of the KL term.")] = .1,
        error: Annotated[str, typer.Option(
            help="vae: what the KL term is weighed against: mean, sum or norm.")] = "mean",
        lambda_adv: Annotated[float, typer.Option(help="gan: weight of the adversarial loss.")] = .001,
        overlap: Annotated[int, typer.Option(
            help="gan: band around the hole that is drawn too, pixels; the paper's is 7/64 of the hole's side.")] = 0,
        mask: MaskKind = "center", preset: PresetName = None, test_data: Testing = None,
        size: Annotated[int | None, typer.Option(help="Side of the pictures, pixels.")] = None,
        hole: Annotated[float | None, typer.Option(help="Side of the hole as a fraction of the picture's.")] = None,
        width: Annotated[int | None, typer.Option(
            help="Channels of the encoder's 4×4 output. [default: the preset's]")] = None,
        epochs: int | None = None, batch_size: int | None = None, lr: float | None = None, seed: int = 0,
        precision: Precision = "float32",
        ema: Annotated[float, typer.Option(help="Decay per step of averaged weights; 0: none.")] = 0.,
        limit: Annotated[int | None, typer.Option(
            help="Train on at most so many pictures. [default: the preset's]")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False) -> None:
    """Train a network to fill holes; the run then works in `evaluate --methods RUN` and `inpaint --weights RUN`."""
    from context_inpaint.catalogue import make_objective
    from context_inpaint.core import InputError
    from context_inpaint.core import preset as choose
    from context_inpaint.trainer import LEARNING_RATES, TrainConfig
    from context_inpaint.training import train as start
    if hole is not None and not 0 < hole < 1:
        raise InputError(f"hole must be a fraction of the side between 0 and 1, got {hole:g}")
    p = choose(preset)
    size = size or p.size
    config = TrainConfig(
        data=data, test_data=test_data or "", limit=p.train if limit is None else limit, test_limit=p.test,
        objective=objective, encoder=encoder, width=p.width if width is None else width,
        bottleneck=p.bottlenecks[-1] if bottleneck is None else bottleneck, mask=mask, size=size,
        hole_px=round(size*(p.hole_px/p.size if hole is None else hole)), epochs=p.epochs if epochs is None else epochs,
        batch_size=p.batch_size if batch_size is None else batch_size,
        lr=LEARNING_RATES.get(objective, TrainConfig.lr) if lr is None else lr, precision=precision, ema=ema, seed=seed,
        pretrained=pretrained, loss=loss, beta=beta, error=error, lambda_adv=lambda_adv, overlap=overlap)
    test = start(config, make_objective(config), out, resume)["test"]
    low, high = test["psnr_ci"]
    print(f"{out}: hole PSNR {test['psnr']:.2f} dB [{low:.2f}, {high:.2f}] on {test['n']} test pictures")


@app.command()
def methods(as_json: Annotated[bool, typer.Option("--json", help="A JSON list of names.")] = False) -> None:
    """List the methods that can run now."""
    from context_inpaint.catalogue import METHODS, available
    if as_json: print(json.dumps(available()))
    else:
        for name in available(): print(f"{name:18}{METHODS[name].about}")


@app.command()
def experiment(
        which: Annotated[str, typer.Argument(help="vae-encoders, gan-encoders, bottleneck or all.")],
        data: Training,
        out: Annotated[Path, typer.Option(
            metavar="DIR", help="Where each run gets a folder; made again, it goes on where it stopped.")],
        test_data: Testing = None, preset: PresetName = None,
        seeds: Annotated[int, typer.Option(help="Make every run with so many seeds.")] = 1,
        precision: Precision = "float32") -> None:
    """Make the runs of one of the report's experiments, or of all, and print its tables."""
    from context_inpaint.catalogue import make_objective
    from context_inpaint.core import preset as choose
    from context_inpaint.experiments import EXPERIMENTS, configs, make_runs
    from context_inpaint.experiments import table as render
    runs = configs(which, choose(preset), data, test_data or "", seeds, precision=precision)
    records = make_runs(runs, make_objective, out)
    print("\n".join(render(name, records) for name in EXPERIMENTS if which in (name, "all")), end="")


@app.command()
def table(
        which: Annotated[str, typer.Argument(help="vae-encoders, gan-encoders, bottleneck or scoreboard.")],
        results: Annotated[Path | None, typer.Option(
            metavar="DIR", help="Folder of records. [default: the course's own]")] = None,
        markdown: Annotated[bool, typer.Option("--markdown")] = False,
        as_csv: Annotated[bool, typer.Option("--csv")] = False) -> None:
    """Render a table from recorded results."""
    from context_inpaint import experiments, records
    from context_inpaint.core import InputError, one_of
    one_of(which, [*experiments.EXPERIMENTS, "scoreboard"], "table")
    style = _style(markdown, as_csv)
    if which in experiments.EXPERIMENTS:
        print(experiments.table(which, experiments.load_runs(results), style), end="")
        return
    folder = results or records.results_folder()
    found = records.load_records(folder)
    if not found:
        raise InputError(f"no scoreboard records in {folder}: "
                         f"make one with `context-inpaint evaluate --out {folder}/NAME.json`")
    print("\n".join(records.table(record, style) for record in found), end="")


@app.command()
def demo(out: Annotated[Path, typer.Option(
        metavar="DIR", help="For figure, scoreboard, record and the trained network.")] = Path("demo-out")) -> None:
    """Train a small network, fill holes of every kind in real photographs with every method, and score them all."""
    from context_inpaint.demo import run
    run(out)


@app.command()
def course(folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("context-inpaint-course"),
           force: Force = False) -> None:
    """Copy the lessons into a folder, outputs and solutions removed."""
    from context_inpaint.lesson import copy_course
    print(f"{copy_course(folder, force)} lessons in {folder}: open it with `jupyter lab {folder}`")


@app.command()
def progress(folder: Annotated[Path | None, typer.Argument(
        metavar="[DIR]", help="A copy of the course. [default: the lessons of the package]")] = None) -> None:
    """Show lesson by lesson which exercises are solved (✓), tried (✗) and not begun (·), and the guesses stored."""
    from context_inpaint.lesson import overview
    marks, verdicts, guesses = {True: "✓", False: "✗", None: "·"}, [], []
    for name, lesson in overview(folder).items():
        guessed = [value is not None for value in lesson["guesses"].values()]
        solved = "   ".join(f"{marks[verdict]} {key}" for key, verdict in lesson["exercises"].items())
        print(f"{name:20} guesses {sum(guessed)} of {len(guessed)}   {solved}")
        verdicts += lesson["exercises"].values()
        guesses += guessed
    print(f"{verdicts.count(True)} of {len(verdicts)} exercises solved, {verdicts.count(False)} tried; "
          f"{sum(guesses)} of {len(guesses)} guesses stored")


@app.command()
def export(
        run: Annotated[str, typer.Argument(
            metavar="RUN", help="The folder of a training run, or the name of a shipped network: unet.")],
        onnx: Annotated[Path | None, typer.Option(
            "--onnx", metavar="FILE", help="The file to write. [default: RUN's name and .onnx, here]")] = None,
        weights: Annotated[str, typer.Option(help="How weights are stored: float32, float16 or int8.")] = "float16",
        force: Force = False) -> None:
    """Write a network as ONNX, which runs without PyTorch, and compare it with the network."""
    from context_inpaint.catalogue import load_network
    from context_inpaint.export import ship
    found = load_network(run)
    made = ship(found.network, found.config, found.name, onnx or Path(f"{found.name}.onnx"), weights, force)
    print(made["file"])
    print(f"{made['bytes']/1e6:.2f} MB; in onnxruntime its output, in [-1, 1], differs from PyTorch's by at most "
          f"{made['difference']:.1e}", file=sys.stderr)


@app.command()
def doctor() -> None:
    """Say what this machine has and whether everything works."""
    import shutil
    from importlib.metadata import version

    from context_inpaint.core import device, home, preset
    from context_inpaint.records import environment
    for key, value in environment().items(): print(f"{key:18}{value}")
    for package in ("torchvision", "numpy", "opencv-python-headless", "scikit-image", "scikit-learn", "torchmetrics"):
        print(f"{package:24}{version(package)}")
    free = shutil.disk_usage(home()).free/1e9
    print(f"device {device()}, preset {preset().name}, cache {home()} ({free:.0f} GB free)")


def _explained(error: Exception) -> str | None:
    """Return a foreseen error as one line, or None for one that is a fault of ours."""
    from context_inpaint.core import InputError
    if hasattr(error, "format_message"):  # Typer's own, whichever click it comes with
        return f"{error.format_message()} (see context-inpaint --help)"
    if isinstance(error, InputError): return str(error)
    if isinstance(error, OSError): return f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")
    return None


def main() -> None:
    """Run the command line; every foreseen error is one line on stderr and exit status 2."""
    warnings.showwarning = lambda message, *where: print(f"context-inpaint: {message}", file=sys.stderr)
    try: sys.exit(app(standalone_mode=False))
    except KeyboardInterrupt: sys.exit(130)
    except Exception as error:
        if type(error).__name__ == "Abort": sys.exit(130)
        if type(error).__name__ == "NoArgsIsHelpError": sys.exit(error.show() or 2)  # type: ignore[attr-defined]
        if (text := _explained(error)) is None: raise
        print(f"context-inpaint: {' '.join(text.split())}", file=sys.stderr)
        sys.exit(2)
