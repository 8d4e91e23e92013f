"""Every exercise is attacked: plausible wrong answers fail with a hint of the check, and right ones pass.

`tests/attacks/LESSON.py` holds `ATTACKS = {exercise: {"wrong": [code, ...], "right": [code, ...]}}`.
"""
import codeop
import contextlib
import io
import re
import runpy
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import pytest

matplotlib.use("Agg")
HERE = Path(__file__).resolve().parent
LESSONS = {p.stem: p for p in (HERE.parent/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts}
ATTACKED = sorted(p for p in (HERE/"attacks").glob("*.py"))


def answered(check, answer, names, compiler):
    """Return what a check prints of an answer."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compiler(answer, "answer", "exec"), names)
        exec(compiler(check, "check", "exec"), names)
    return printed.getvalue().strip()


def attack(key, check, answers, names, compiler):
    """Return what is wrong with an exercise's check."""
    found = []
    for answer in answers["wrong"]:
        said = answered(check, answer, names, compiler)
        hint = said.startswith(f"✗ {key}: ") and not re.match(rf"✗ {key}: (not started|your code raised|$)", said)
        if not hint: found.append(f"{key}: a wrong answer gets {said!r}:\n{answer}")
    for answer in answers["right"]:
        said = answered(check, answer, names, compiler)
        if said != f"✓ {key}: right": found.append(f"{key}: a right answer gets {said!r}:\n{answer}")
    return found


@pytest.mark.parametrize("path", ATTACKED, ids=lambda p: p.stem)
def test_wrong_answers_get_a_hint_and_right_ones_pass(path, tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_PRESET", "tiny")
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"home"))
    monkeypatch.setenv("IN_TEST", "1")
    monkeypatch.chdir(tmp_path)
    attacks, compiler = runpy.run_path(str(path))["ATTACKS"], codeop.Compile()
    names, solution, found, left = {"__name__": "__main__"}, None, [], dict(attacks)
    cells = nbformat.read(LESSONS[path.stem], 4).cells
    for i, cell in enumerate(cells):
        if cell.cell_type != "code": continue
        check = re.search(r'^with exercise\("([\w-]+)"', cell.source, re.M)
        if "exercise" in cell.metadata.get("tags", []):
            later = (c.source for c in cells[i + 1:] if c.cell_type == "markdown" and "<summary>Solution" in c.source)
            solution = re.search(r"```python\n(.*?)```", next(later), re.S)[1]
        elif check and solution:
            if check[1] in left: found += attack(check[1], cell.source, left.pop(check[1]), names, compiler)
            answered(cell.source, solution, names, compiler)
        else:
            with contextlib.redirect_stdout(io.StringIO()): exec(compiler(cell.source, path.stem, "exec"), names)
            plt.close("all")
    assert not left, f"no such exercise: {', '.join(left)}"
    assert all(len(answers["wrong"]) >= 3 and len(answers["right"]) >= 2 for answers in attacks.values())
    assert not found, "\n\n".join(found)
