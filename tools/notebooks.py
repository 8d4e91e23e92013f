"""Keep the notebooks: `export` modules, `check` everything that can go stale, `run` and store outputs and costs.

    python tools/notebooks.py export
    python tools/notebooks.py check
    python tools/notebooks.py run [--preset laptop] [--no-store] [NAME ...]
"""
import argparse
import ast
import base64
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import nbformat
from nbdev.clean import clean_nb
from nbdev.export import nb_export
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
LIBRARY, MODULE_LINES = ROOT/"context_inpaint", 250
BY_HAND = {"__init__.py", "canvas.py", "catalogue.py", "cli.py", "demo.py", "retouch.py"}
LIMIT = 300_000  # bytes of a notebook
COLAB = """#| hide  – on Colab, installs what is missing; elsewhere, does nothing
import importlib.util, sys
if "google.colab" in sys.modules and not importlib.util.find_spec("context_inpaint"):
    get_ipython().run_line_magic("pip", "install -q anywidget git+https://github.com/context-inpaint/context-inpaint")"""  # noqa: E501
LESSONS = sorted(p for p in (ROOT/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def module_of(path: Path) -> str | None:
    found = re.search(r"^#\|\s*default_exp\s+(\w+)",
                      "\n".join(c.source for c in nbformat.read(path, 4).cells if c.cell_type == "code"), re.M)
    return found and found[1]


def export(folder: Path) -> None:
    for path in LESSONS:
        if name := module_of(path):
            nb_export(str(path), lib_path=folder)
            narrow(folder/f"{name}.py")


def narrow(module: Path) -> None:
    """Wrap a module's `__all__` at 120 columns: nbdev forgets the eleven that it begins with."""
    def wrapped(found: re.Match) -> str:
        return textwrap.fill("__all__ = [" + " ".join(found[1].split()), 120, subsequent_indent=" "*11) + "]"

    module.write_text(re.sub(r"__all__ = \[(.*?)\]", wrapped, module.read_text(), count=1, flags=re.S))


def cleaned(path: Path) -> str:
    nb = slim(nbformat.read(path, 4))
    for cell in nb.cells:  # what is wrong in a student's answer must not stop Run All
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags and "raises-exception" not in tags: tags.append("raises-exception")
    clean_nb(nb, allowed_cell_metadata_keys=["tags"], clean_ids=True)
    return nbformat.writes(nb) + "\n"


def code_lines(source: str) -> int:
    """Count the lines that are code: not blank, not a comment, not in a docstring, not a setting of a dataclass."""
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        docstring = (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                     and isinstance(node.value.value, str))
        if docstring: skipped |= set(range(node.lineno, node.end_lineno + 1))
        if isinstance(node, ast.ClassDef) and node.decorator_list:
            skipped |= {field.lineno for field in node.body if isinstance(field, ast.AnnAssign)}
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") and i not in skipped
               for i, line in enumerate(source.splitlines(), 1))


def check_export() -> list[str]:
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        again = Path(folder)/LIBRARY.name  # nbdev looks at the folder's name to make imports relative
        again.mkdir()
        export(again)
        fresh, stored = ({p.name: p.read_text().replace("../../nbs/", "../nbs/")
                          for p in f.glob("*.py") if p.name not in BY_HAND | {"_modidx.py"}} for f in (again, LIBRARY))
    wrong = [f"{name}: exported by no notebook" for name in stored.keys() - fresh.keys()]
    wrong += [f"{name}: differs from its notebook: run `make export`" for name,
              text in fresh.items() if stored.get(name) != text]
    modules = {p.name: p.read_text(encoding="utf-8") for p in LIBRARY.glob("*.py")}
    return wrong + [f"{name}: {code_lines(text)} lines of code are two ideas" for name,
                    text in sorted(modules.items()) if code_lines(text) > MODULE_LINES]


def check_style(path: Path, keys: set[str]) -> list[str]:
    nb, text, wrong = nbformat.read(path, 4), path.read_text(), []
    code = [c for c in nb.cells if c.cell_type == "code"]
    lengths = [code_lines(c.source) for c in code]
    if path.stat().st_size > LIMIT: wrong.append(f"{path.stat().st_size} bytes, over 300 kB")
    if cleaned(path) != text: wrong.append("not clean: run `make clean-notebooks`")
    if max(lengths) > 30: wrong.append(f"a cell of {max(lengths)} lines, over 30")
    if statistics.median(lengths) > 8: wrong.append(f"median cell of {statistics.median(lengths)} lines, over 8")
    wrong += [f"cites {key}, which the bibliography lacks"
              for key in set(re.findall(r"bibliography\.md#(\w+)", text)) - keys]
    prose = re.sub(r"```.*?```|`[^`]*`", "", "\n".join(c.source for c in nb.cells if c.cell_type == "markdown"),
                   flags=re.S)
    wrong += [f"links to {link}, which is not there"
              for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose) if not (path.parent/link).exists()]
    for output in (o for c in code for o in c.outputs):
        if output.output_type == "error": wrong.append(f"stores an error: {output.ename}: {output.evalue}")
        if output.output_type == "stream" and output.name == "stderr":
            wrong.append(f"stores stderr: {output.text[:80]!r}")
    if str(ROOT.parent) in text or str(Path.home()) in text: wrong.append("stores a path of this machine")
    if next(c.source for c in code if "default_exp" not in c.source) != COLAB:
        wrong.append("the first cell that runs must be COLAB of tools/notebooks.py")
    exercises = sum("exercise" in c.metadata.get("tags", []) for c in code)
    if path.stem != "index" and exercises < 3: wrong.append("fewer than three exercises")
    return [f"{path.relative_to(ROOT)}: {w}" for w in wrong]


def check() -> None:
    keys = set(re.findall(r'<a id="(\w+)">', (ROOT/"nbs/bibliography.md").read_text()))
    wrong = check_export() + [w for path in LESSONS for w in check_style(path, keys)]
    wrong += [f"bibliography: nobody cites {key}"
              for key in keys if not any(f"bibliography.md#{key}" in p.read_text() for p in LESSONS)]
    print("\n".join(wrong) or f"{len(LESSONS)} notebooks: exported, clean and in size")
    sys.exit(bool(wrong))


def slim(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a notebook of over 300 kB with its JPEGs encoded again, no worse than they must be to fit in 290 kB."""
    if len(nbformat.writes(nb).encode()) < LIMIT: return nb
    pictures = [o.data for c in nb.cells if c.cell_type == "code"
                for o in c.outputs if "image/jpeg" in o.get("data", {})]
    originals = [base64.b64decode(data["image/jpeg"]) for data in pictures]
    for quality in (80, 70, 60, 50, 40, 30):
        if len(nbformat.writes(nb).encode()) < LIMIT - 10_000: break
        for data, original in zip(pictures, originals):
            buffer = io.BytesIO()
            Image.open(io.BytesIO(original)).save(buffer, "JPEG", quality=quality, optimize=True)
            data["image/jpeg"] = base64.b64encode(min(original, buffer.getvalue(), key=len)).decode()
    return nb


RUNNER = """
import json, os, resource, sys, nbformat
from nbclient import NotebookClient
path, preset = sys.argv[1:]
os.environ["CONTEXT_INPAINT_PRESET"] = preset
nb = nbformat.read(path, 4)
client = NotebookClient(nb, timeout=1800, resources={"metadata": {"path": os.path.dirname(path)}})
client.execute()
nbformat.write(nb, sys.argv[1] + ".run")
used = resource.getrusage(resource.RUSAGE_CHILDREN)  # processor time: what a quiet core takes
print(json.dumps([round(used.ru_utime + used.ru_stime, 1), round(used.ru_maxrss/1e6, 2)]))
"""


def run(names: list[str], preset: str, store: bool) -> None:
    for path in LESSONS:
        if names and path.stem not in names: continue
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run([sys.executable, "-c", RUNNER, path, preset],
                                  env={"OMP_NUM_THREADS": "1", "CONTEXT_INPAINT_STATIC": "1"} | os.environ
                                  | {"CONTEXT_INPAINT_HOME": home}, capture_output=True, text=True)
        produced = path.with_name(path.name + ".run")
        if done.returncode: sys.exit(f"{path.stem} failed:\n{done.stderr[-3000:]}")
        seconds, gigabytes = json.loads(done.stdout.splitlines()[-1])
        print(f"{path.stem:24} {preset}: {seconds:6.1f} s, {gigabytes:.2f} GB", flush=True)
        costs = json.loads((LIBRARY/"costs.json").read_text())  # only now: another of us may run beside
        costs.setdefault(path.stem, {})[preset] = [seconds, gigabytes]
        (LIBRARY/"costs.json").write_text(json.dumps(costs, indent=1, sort_keys=True) + "\n")
        if store:  # with the cost just measured, which is what the next run will print
            price = f"this lesson: about {seconds:.0f} s and {gigabytes:.1f} GB of memory"
            said = r"this lesson: (about \d+ s and [\d.]+ GB of memory|not measured yet at this preset)"
            produced.write_text(re.sub(said, price, produced.read_text()))
            os.replace(produced, path), path.write_text(cleaned(path))
        else: produced.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["export", "clean", "check", "run"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--no-store", action="store_true", help="measure the cost only; keep the stored outputs")
    given = parser.parse_intermixed_args()
    if given.what == "export": export(LIBRARY)
    elif given.what == "clean": [path.write_text(cleaned(path)) for path in LESSONS]
    elif given.what == "check": check()
    else: run(given.names, given.preset, not given.no_store)
