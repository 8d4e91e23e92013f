"""Every exercise: its stub is not started, its solution passes, plausible wrong answers get a hint, right ones pass.

`tests/attacks/LESSON.py`, named without the lesson's number, holds `ATTACKS = {exercise: {"wrong": [code, ...],
"right": [code, ...]}}`. All of a lesson's cells run on the way, as plain Python.
"""
import codeop
import contextlib
import importlib.util
import io
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import pytest

matplotlib.use("Agg")
HERE = Path(__file__).resolve().parent
LESSONS = sorted(p for p in (HERE.parent/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


class Reader:
    """Runs a lesson's cells one after another, as a notebook would, and returns what each prints."""

    def __init__(self): self.names, self.compiler = {"__name__": "__main__"}, codeop.Compile()

    def run(self, source, name="cell"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed): exec(self.compiler(source, name, "exec"), self.names)
        plt.close("all")
        return printed.getvalue().strip()


def faults(reader, key, check, stub, solution, attacks):
    """Yield what is wrong with the check of one exercise."""
    def answered(answer):
        reader.run(answer)
        return reader.run(check)

    if (said := answered(stub)) != f"✗ {key}: not started": yield f"{key}: the stub gets {said!r}"
    for answer in attacks.get("wrong", ()):
        said = answered(answer)
        hint = said.startswith(f"✗ {key}: ") and not re.match(rf"✗ {key}: (not started|your code raised|$)", said)
        if not hint: yield f"{key}: a wrong answer gets {said!r}:\n{answer}"
    for answer in (*attacks.get("right", ()), solution):
        if (said := answered(answer)) != f"✓ {key}: right": yield f"{key}: a right answer gets {said!r}:\n{answer}"


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_checks_know_right_from_wrong(path, tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"home"))
    monkeypatch.setenv("IN_TEST", "1")
    monkeypatch.chdir(tmp_path)
    file = HERE/"attacks"/f"{path.stem[3:]}.py"
    attacks = runpy.run_path(str(file))["ATTACKS"] if file.exists() else {}
    reader, stub, found, checked, cells = Reader(), None, [], [], nbformat.read(path, 4).cells
    for i, cell in enumerate(cells):
        if cell.cell_type != "code": continue
        check = re.search(r'^with exercise\("([\w-]+)"', cell.source, re.M)
        if "exercise" in cell.metadata.get("tags", []):
            later = (c.source for c in cells[i + 1:] if c.cell_type == "markdown" and "<summary>Solution" in c.source)
            stub, solution = cell.source, re.search(r"```python\n(.*?)```", next(later), re.S)[1]
        elif check and stub:
            found += faults(reader, check[1], cell.source, stub, solution, attacks.get(check[1], {}))
            checked.append(check[1])
            stub = None
        else: reader.run(cell.source, path.stem)
    assert stub is None, "an exercise without a check"
    assert not found, "\n\n".join(found)
    assert path.stem == "index" or len(checked) >= 3
    assert attacks.keys() <= set(checked), f"no such exercise: {attacks.keys() - set(checked)}"
    assert all(len(answers["wrong"]) >= 3 and len(answers["right"]) >= 2 for answers in attacks.values())
    assert [p.name for p in tmp_path.iterdir()] in ([], ["home"]), "a lesson writes into the folder it runs in"


def test_attacks_belong_to_lessons():
    strays = {p.stem for p in (HERE/"attacks").glob("*.py")} - {p.stem[3:] for p in LESSONS}
    assert not strays, f"attacks on lessons that are not there: {strays}"


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
