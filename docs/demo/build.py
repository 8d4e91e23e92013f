"""Build the live demo into a folder: `python docs/demo/build.py docs/_build/html/demo [RUN ...]`.

The networks are those the package ships that fill any hole, or the training runs named (of encoder unet); the runtime comes from docs/node_modules.
"""
import hashlib
import json
import shutil
import sys
from pathlib import Path

import torch
from PIL import Image

from context_inpaint.core import InputError
from context_inpaint.export import any_size, ship, trained
from context_inpaint.scenes import KINDS, draw
from context_inpaint.catalogue import SHIPPED

HERE = Path(__file__).resolve().parent
RUNTIME, ROOT = HERE.parent/"node_modules"/"onnxruntime-web", HERE.parent.parent
PAGE = ["index.html", "demo.css", "theme.js", "demo.js", "fill.js", "worker.js"]
SCENES, SIDE, LIMIT = range(len(KINDS)), 192, 6e6
LABELS = {"unet": "Network (U-Net)"}


def licenses() -> str:
    """Return the licence texts of all that the folder holds."""
    version = json.loads((RUNTIME/"package.json").read_text())["version"]
    return "\n\n".join([
        "This page, its pictures and its network: context-inpaint, Apache License 2.0. The text is at the end.",
        f"ort.js and ort-wasm-simd-threaded.wasm: onnxruntime-web {version}, built from ONNX Runtime.\n\n" + (HERE/"onnxruntime.txt").read_text(),
        (ROOT/"LICENSE").read_text()])


def digest(*parts: bytes) -> str: return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:12]


def network(run: str, out: Path) -> dict:
    """Export a network, unless it was by the same code from the same weights, and return what the page has to know of it."""
    net, config = trained(run)
    if not any_size(config): raise InputError(f"{run} fills one kind of hole; the demo needs a run of --encoder unet")
    name, kept = Path(run).resolve().name, HERE.parent/"_build"/"networks"
    code = [(ROOT/"context_inpaint"/f"{module}.py").read_bytes() for module in ("export", "masked_convs", "masks")]
    file = kept/f"{name}-{digest(*code, torch.__version__.encode(), *(w.numpy().tobytes() for w in net.state_dict().values()))}.onnx"
    if not file.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        for old in kept.glob(f"{name}-*.onnx"): old.unlink()
        made = ship(run, file)
        print(f"{name}: {made['bytes']/1e6:.2f} MB, at most {made['difference']:.0e} from PyTorch", file=sys.stderr)
    shutil.copy(file, out/f"{name}.onnx")
    return {"name": name, "label": LABELS.get(name, name), "file": f"{name}.onnx", "size": config["size"], "bytes": file.stat().st_size}


def build(out: Path, runs: list[str]) -> None:
    if not RUNTIME.is_dir(): raise InputError(f"no {RUNTIME.relative_to(ROOT)}: run `npm ci` in docs first")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    methods = [network(run, out) for run in runs or [name for name in SHIPPED if any_size(trained(name)[1])]]
    if (total := sum(method["bytes"] for method in methods)) > LIMIT: raise InputError(f"{total/1e6:.1f} MB of weights, over {LIMIT/1e6:.0f}: ship fewer networks")
    scenes = [{"file": f"scene-{i}.png", "label": f"Drawn scene: {KINDS[i]}"} for i in SCENES]
    for i, scene in zip(SCENES, scenes): Image.fromarray(draw(i, SIDE, seed=1)).save(out/scene["file"], optimize=True)
    for name in PAGE: shutil.copy(HERE/name, out/name)
    shutil.copy(HERE.parent/"_static"/"logo.svg", out/"icon.svg")
    shutil.copy(RUNTIME/"dist"/"ort.wasm.bundle.min.mjs", out/"ort.js")  # .js, which every server knows the type of
    shutil.copy(RUNTIME/"dist"/"ort-wasm-simd-threaded.wasm", out)
    (out/"demo.json").write_text(json.dumps({"methods": methods, "scenes": scenes}))
    (out/"licenses.txt").write_text(licenses())
    files = sorted(path.name for path in out.iterdir())
    version = digest(*((out/name).read_bytes() for name in files))
    worker = (HERE/"sw.js").read_text().replace("@version@", version).replace("@files@", json.dumps(["./", *files]))
    (out/"sw.js").write_text(worker)


if __name__ == "__main__":
    if len(sys.argv) < 2: sys.exit("say where to: python docs/demo/build.py FOLDER [RUN ...]")
    try: build(Path(sys.argv[1]), sys.argv[2:])
    except InputError as error: sys.exit(f"build.py: {error}")
