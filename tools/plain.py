"""Run every lesson at a preset as plain Python, without Jupyter or IPython: for machines that have a GPU and little else.

python tools/plain.py [--preset gpu] [NAME ...]     prints for each lesson its time, memory and the GPU's, and the first error; exit status 1 if one failed
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNNER = """
import codeop, importlib.util, json, resource, sys, time, types
import matplotlib
matplotlib.use("Agg")
if not importlib.util.find_spec("IPython"):
    nothing, ipython, display = (lambda *values, **settings: None), types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.version_info, ipython.get_ipython = (9, 0), nothing  # matplotlib asks for both
    display.display = display.Markdown = display.HTML = nothing
    sys.modules["IPython"], sys.modules["IPython.display"] = ipython, display
import matplotlib.pyplot as plt
import torch
began, names, compiler = time.perf_counter(), {"__name__": "__main__"}, codeop.Compile()  # remembers `from __future__` from cell to cell
for i, cell in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))["cells"]):
    if cell["cell_type"] != "code": continue
    exec(compiler("".join(cell["source"]), f"cell {i}", "exec"), names)
    plt.close("all")
seconds, memory = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/(1e9 if sys.platform == "darwin" else 1e6)
print(f"\\n{seconds:.1f} s, {memory:.2f} GB" + (f", {torch.cuda.max_memory_allocated()/1e9:.2f} GB on the GPU" if torch.cuda.is_available() else ""))
"""


def run(lesson: Path, preset: str | None) -> bool:
    """Run one lesson in a process of its own and print how it went."""
    with tempfile.TemporaryDirectory() as home:
        settings = {"CONTEXT_INPAINT_HOME": home,
                    "PYTHONPATH": os.pathsep.join([str(ROOT),
                                                   os.environ.get("PYTHONPATH",
                                                                  "")])} | ({"CONTEXT_INPAINT_PRESET": preset}
                                                                            if preset else {})
        done = subprocess.run([sys.executable, "-c", RUNNER, lesson], cwd=lesson.parent, env=os.environ | settings,
                              capture_output=True, text=True)
    print(f"{lesson.stem:24}", "FAILED\n" + done.stderr[-1500:] if done.returncode else done.stdout.splitlines()[-1],
          flush=True)
    return not done.returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--preset", help="tiny, laptop, gpu or paper; by default what suits the machine")
    given = parser.parse_args()
    lessons = {path.stem: path for path in sorted((ROOT/"nbs").rglob("*.ipynb"))
               if ".ipynb_checkpoints" not in path.parts}
    if unknown := set(given.names) - set(lessons): sys.exit(f"no lesson {', '.join(sorted(unknown))}: choose from {', '.join(lessons)}")
    went = [run(path, given.preset) for name, path in lessons.items() if not given.names or name in given.names]
    sys.exit(not all(went))
