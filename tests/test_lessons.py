"""Every exercise: its solution passes its check, its stub fails with the right word; lessons run as plain Python."""
import codeop
import contextlib
import importlib.util
import io
import re
import sys
from pathlib import Path
from types import ModuleType

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import pytest

matplotlib.use("Agg")
LESSONS = sorted(p for p in (Path(__file__).resolve().parent.parent/"nbs").rglob("*.ipynb")
                 if ".ipynb_checkpoints" not in p.parts)


def steps(nb):
    """Yield `(code, expected)` of each code cell; an exercise's check after its stub and again after its solution."""
    stub = None
    for i, cell in enumerate(nb.cells):
        if cell.cell_type != "code": continue
        check = re.search(r'with exercise\("([\w-]+)"\)', cell.source)
        if "exercise" in cell.metadata.get("tags", []):
            later = (c.source for c in nb.cells[i + 1:] if c.cell_type == "markdown"
                     and "<summary>Solution" in c.source)
            stub, solution = cell.source, re.search(r"```python\n(.*?)```", next(later), re.S)[1]
        elif check and stub:
            yield from ((stub, None), (cell.source, f"✗ {check[1]}: not started"), (solution, None),
                        (cell.source, f"✓ {check[1]}: right"))
            stub = None
        else: yield cell.source, None
    assert stub is None, "an exercise without a check"


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_stubs_are_not_started_and_solutions_pass(path, tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"home"))
    monkeypatch.setenv("IN_TEST", "1")
    monkeypatch.chdir(tmp_path)
    names, checked = {"__name__": "__main__"}, 0
    compiler = codeop.Compile()  # remembers `from __future__` from cell to cell
    for source, verdict in steps(nbformat.read(path, 4)):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed): exec(compiler(source, path.stem, "exec"), names)
        plt.close("all")
        if verdict:
            checked += 1
            assert printed.getvalue() == verdict + "\n"
    assert path.stem == "index" or checked >= 6
    assert [p.name for p in tmp_path.iterdir()] in ([], ["home"]), "a lesson writes into the folder it runs in"


def test_the_first_cell_installs_on_colab_what_is_missing_and_does_nothing_elsewhere(monkeypatch, capfd):
    cell = next(c.source for c in nbformat.read(LESSONS[-1], 4).cells if c.cell_type == "code"
                and "default_exp" not in c.source)
    done = []
    names = {"get_ipython": lambda: type("Shell", (), {"run_line_magic": lambda self, *given: done.append(given)})()}
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(cell, names)
    assert not done
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    exec(cell, names)
    assert [magic for magic, _ in done] == ["pip"] and "github.com/context-inpaint/context-inpaint" in done[0][1]
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    exec(cell, names)
    assert len(done) == 1 and capfd.readouterr() == ("", "")
