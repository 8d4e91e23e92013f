"""Build the live demo into a folder: `python docs/demo/build.py docs/_build/html/demo [RUN ...]`.

The networks are those the package ships that fill any hole, or the training runs named (of encoder unet); the runtime
comes from docs/node_modules.
"""
import hashlib
import json
import shutil
import sys
from pathlib import Path

import torch
from PIL import Image

from context_inpaint.catalogue import load_network, shipped
from context_inpaint.core import InputError
from context_inpaint.export import ship
from context_inpaint.photos import sample_photos
from context_inpaint.scenes import draw

HERE = Path(__file__).resolve().parent
RUNTIME, ROOT = HERE.parent/"node_modules"/"onnxruntime-web", HERE.parent.parent
PAGE = ["index.html", "demo.css", "theme.js", "demo.js", "fill.js", "photo.js", "worker.js"]
PAINTER = ["mask.js", "paint.js"]  # shared with the notebook's painter, so they come from the package
SIDE, LIMIT = 512, 6e6
LABELS = {"unet": "Network (U-Net)"}
CLASSICAL = [{"name": "harmonic", "label": "Harmonic", "about": "the colours around the hole diffuse in"},
             {"name": "ring-mean", "label": "Ring mean", "about": "the mean colour around the hole"}]


def stroke(size: float, *points: tuple[float, float]) -> dict:
    """A stroke of the brush; places are shares of the picture's sides, `size` one of its height."""
    return {"points": points, "size": size}


# What is opened first is what the network does well, thin holes or calm ground; the last shows what it cannot do.
SCRATCHES = [stroke(.014, (.05, .1), (.3, .35), (.5, .2), (.9, .5)), stroke(.012, (.1, .9), (.4, .6), (.95, .8))]
SAMPLES = [("rocket", "A rocket: two lightning rods to remove",
            [stroke(.045, (.314, .27), (.311, .46)), stroke(.045, (.7, .27), (.702, .46))]),
           ("coffee", "A scratched photo of coffee", SCRATCHES),
           ("chelsea", "A scratched photo of a cat", SCRATCHES),
           (3, "A drawn road with a stroke across", [stroke(.03, (.2, .2), (.8, .8))]),
           (6, "A drawn lake with a stroke across", [stroke(.04, (.2, .2), (.8, .8))]),
           (0, "A drawn boat: too wide a hole", [stroke(.2, (.66, .45))])]


def licenses() -> str:
    """Return the licence texts of all that the folder holds."""
    version = json.loads((RUNTIME/"package.json").read_text())["version"]
    return "\n\n".join([
        "This page, its drawn scenes and its network: context-inpaint, Apache License 2.0. The text is at the end.",
        "The photographs come with scikit-image: rocket (SpaceX), coffee (Rachel Michetti, "
        "Pikolo Espresso Bar) and chelsea (Stéfan van der Walt), all under CC0.",
        f"ort.js and ort-wasm-simd-threaded.wasm: onnxruntime-web {version}, built from ONNX Runtime.\n\n"
        + (HERE/"onnxruntime.txt").read_text(),
        (ROOT/"LICENSE").read_text()])


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:12]


def fills_any_hole(run: str) -> bool: return getattr(load_network(run).network, "any_size", False)


def network(run: str, out: Path) -> dict:
    """Export a network, unless the same code did from the same weights; return what the page has to know of it."""
    found, kept = load_network(run), HERE.parent/"_build"/"networks"
    name, weights = found.name, found.network.state_dict().values()
    if not fills_any_hole(run): raise InputError(f"{run} fills one kind of hole; the demo needs one of --encoder unet")
    code = [(ROOT/"context_inpaint"/f"{name}.py").read_bytes() for name in ("export", "masked_convs", "masks")]
    made_of = digest(*code, torch.__version__.encode(), *(weight.numpy().tobytes() for weight in weights))
    file = kept/f"{name}-{made_of}.onnx"
    if not file.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        for old in kept.glob(f"{name}-*.onnx"): old.unlink()
        made = ship(found.network, found.config, name, file)
        print(f"{name}: {made['bytes']/1e6:.2f} MB, at most {made['difference']:.0e} from PyTorch", file=sys.stderr)
    shutil.copy(file, out/f"{name}.onnx")
    return {"name": name, "label": LABELS.get(name, name), "about": "a network, from what surrounds the hole",
            "file": f"{name}.onnx", "size": found.config.size, "bytes": file.stat().st_size}


def sample(picture: str | int, label: str, hole: list[dict], out: Path) -> dict:
    """Write a photograph or a drawn scene, and return what the page has to know of it."""
    if isinstance(picture, str):
        file = f"{picture}.jpg"
        Image.fromarray(sample_photos()[picture].permute(1, 2, 0).numpy()).save(out/file, quality=90)
    else:
        file = f"scene-{picture}.png"
        Image.fromarray(draw(picture, SIDE, seed=1)).save(out/file, optimize=True)
    return {"file": file, "label": label, "hole": hole}


def build(out: Path, runs: list[str]) -> None:
    if not RUNTIME.is_dir(): raise InputError(f"no {RUNTIME.relative_to(ROOT)}: run `npm ci` in docs first")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    methods = [network(run, out) for run in runs or filter(fills_any_hole, shipped())]
    if (total := sum(method["bytes"] for method in methods)) > LIMIT:
        raise InputError(f"{total/1e6:.1f} MB of weights, over {LIMIT/1e6:.0f}: ship fewer networks")
    samples = [sample(*each, out) for each in SAMPLES]
    for name in PAGE: shutil.copy(HERE/name, out/name)
    for name in PAINTER: shutil.copy(ROOT/"context_inpaint"/name, out/name)
    shutil.copy(HERE.parent/"_static"/"logo.svg", out/"icon.svg")
    shutil.copy(RUNTIME/"dist"/"ort.wasm.bundle.min.mjs", out/"ort.js")  # .js, which every server knows the type of
    shutil.copy(RUNTIME/"dist"/"ort-wasm-simd-threaded.wasm", out)
    (out/"demo.json").write_text(json.dumps({"methods": methods + CLASSICAL, "samples": samples}))
    (out/"licenses.txt").write_text(licenses())
    files = sorted(path.name for path in out.iterdir())
    version = digest(*((out/name).read_bytes() for name in files))
    worker = (HERE/"sw.js").read_text().replace("@version@", version).replace("@files@", json.dumps(["./", *files]))
    (out/"sw.js").write_text(worker)


if __name__ == "__main__":
    if len(sys.argv) < 2: sys.exit("say where to: python docs/demo/build.py FOLDER [RUN ...]")
    try: build(Path(sys.argv[1]), sys.argv[2:])
    except InputError as error: sys.exit(f"build.py: {error}")
