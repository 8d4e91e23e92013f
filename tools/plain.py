"""Run every lesson at a preset as plain Python, without Jupyter or IPython: for machines with a GPU and little else.

    python tools/plain.py [--preset gpu] [NAME ...]

Prints for each lesson its time, memory and the GPU's, and the first error; exit status 1 if one failed.
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
    nothing = lambda *values, **settings: None
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.version_info, ipython.get_ipython = (9, 0), nothing  # matplotlib asks for both
    display.display = display.Markdown = display.HTML = nothing
    sys.modules["IPython"], sys.modules["IPython.display"] = ipython, display
import matplotlib.pyplot as plt
import torch
began, names = time.perf_counter(), {"__name__": "__main__"}
compiler = codeop.Compile()  # remembers `from __future__` from cell to cell
for i, cell in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))["cells"]):
    if cell["cell_type"] != "code": continue
    exec(compiler("".join(cell["source"]), f"cell {i}", "exec"), names)
    plt.close("all")
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
line = f"{time.perf_counter() - began:.1f} s, {used/(1e9 if sys.platform == 'darwin' else 1e6):.2f} GB"
if torch.cuda.is_available(): line += f", {torch.cuda.max_memory_allocated()/1e9:.2f} GB on the GPU"
print("\\n" + line)
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
    if unknown := set(given.names) - set(lessons):
        sys.exit(f"no lesson {', '.join(sorted(unknown))}: choose from {', '.join(lessons)}")
    went = [run(path, given.preset) for name, path in lessons.items() if not given.names or name in given.names]
    sys.exit(not all(went))
