"""Every exercise: its solution passes its check, its stub fails with the right word. Every lesson runs as plain Python."""
import codeop
import contextlib
import io
import re
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import pytest

matplotlib.use("Agg")
LESSONS = sorted(p for p in (Path(__file__).resolve().parent.parent/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def solved_cells(nb):
    """Yield `(code, key)`: each code cell with exercises replaced by their solutions; `key` names the exercise a cell checks."""
    for i, cell in enumerate(nb.cells):
        if cell.cell_type != "code": continue
        source = cell.source
        if "exercise" in cell.metadata.get("tags", []):
            later = (c.source for c in nb.cells[i + 1:] if c.cell_type == "markdown" and "<summary>Solution" in c.source)
            source = re.search(r"```python\n(.*?)```", next(later), re.S)[1]
        check = re.search(r'with exercise\("([\w-]+)"\)', source)
        yield source, check and check[1]


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_solutions_pass(path, tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path))
    monkeypatch.setenv("IN_TEST", "1")
    monkeypatch.chdir(path.parent)
    names, checked, compiler = {"__name__": "__main__"}, 0, codeop.Compile()  # remembers `from __future__` from cell to cell
    for source, key in solved_cells(nbformat.read(path, 4)):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed): exec(compiler(source, path.stem, "exec"), names)
        plt.close("all")
        if key:
            checked += 1
            assert f"✓ {key}" in printed.getvalue(), printed.getvalue()
    assert path.stem == "index" or checked >= 3


@pytest.mark.parametrize("path", [p for p in LESSONS if p.stem != "index"], ids=lambda p: p.stem)
def test_stubs_fail_with_a_hint_and_keys_are_the_lessons_own(path):
    nb = nbformat.read(path, 4)
    checks = [c for c in nb.cells if c.cell_type == "code" and "with exercise(" in c.source and "nbval-check-output" in c.metadata.get("tags", [])]
    for cell in checks:
        stored = "".join(o.get("text", "") for o in cell.outputs)
        assert "✗" in stored or "✓" in stored and "demo" in stored, f"{path.stem}: {stored!r}"
