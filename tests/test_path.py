"""The path through the lessons: what a lesson that is put in, moved or taken out does to numbers, links and lines."""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def course(tmp_path):
    """A copy of the tool, and a course of four lessons in two parts with what names them."""
    (tmp_path/"tools").mkdir()
    shutil.copy(ROOT/"tools"/"lessons.py", tmp_path/"tools")
    lessons = {"1_one/00_a": ("What is A?", ["See [B](01_b.ipynb) and [D](../2_two/03_d.ipynb#why)."]),
               "1_one/01_b": ("What is B?", ["Look up [the book](../book.md#01_b); [home](../index.ipynb)."]),
               "2_two/02_c": ("What is C?", ["Back to [A](../1_one/00_a.ipynb), on to [D](03_d.ipynb)."]),
               "2_two/03_d": ("What is D?", ["No link."])}
    for place, (title, texts) in lessons.items():
        notebook(tmp_path/"nbs"/f"{place}.ipynb", f"# {title}\n\nWhy?", *texts)
    index(tmp_path, "1_one/00_a", "1_one/01_b", "2_two/02_c", "2_two/03_d")
    (tmp_path/"nbs"/"book.md").write_text("<a id=\"01_b\"></a>[C](2_two/02_c.html) and `03_d`\n")
    (tmp_path/"tests"/"attacks").mkdir(parents=True)
    for name in ("02_c", "03_d"): (tmp_path/"tests"/"attacks"/f"{name}.py").write_text(f'"""{name}"""')
    (tmp_path/"costs.json").write_text('{"02_c": 1, "03_d": 2}\n')
    (tmp_path/"README.md").write_text("Lesson nbs/2_two/03_d.ipynb, drawn in 2_two/03_d.\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    run(tmp_path)
    return tmp_path


def notebook(path, *texts):
    cells = [{"cell_type": "markdown", "id": f"c{i}", "metadata": {}, "source": text.splitlines(keepends=True)}
             for i, text in enumerate(texts)]
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def index(root, *places):
    rows = []
    for place in places:
        part, number, name = re.fullmatch(r"(\w+)/(\d\d)_(\w+)", place).groups()
        rows.append(f"| [{number} {name}]({part}/{number}_{name}.ipynb) | question |")
    notebook(root/"nbs"/"index.ipynb", "# Home", "| lesson | it |\n|---|---|\n" + "\n".join(rows))


def run(root, *arguments):
    done = subprocess.run([sys.executable, root/"tools"/"lessons.py", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def text(root, place):
    path = root/"nbs"/f"{place}.ipynb"
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


def places(root): return sorted(p.relative_to(root/"nbs").as_posix()[:-6] for p in (root/"nbs").glob("?_*/*.ipynb"))


def test_each_lesson_names_the_one_before_and_the_one_after(course):
    assert text(course, "1_one/00_a")[0] == "# What is A?\n\nWhy?\n\n*Next: [What is B?](01_b.ipynb)*"
    assert text(course, "1_one/01_b")[0].endswith(
        "\n\n*Previous: [What is A?](00_a.ipynb) · Next: [What is C?](../2_two/02_c.ipynb)*")
    assert text(course, "2_two/03_d")[0].endswith("\n\n*Previous: [What is C?](02_c.ipynb)*")
    assert run(course, "--check") == (0, "4 lessons in their places\n")


def test_running_it_again_changes_nothing(course):
    before = {path: path.read_bytes() for path in course.rglob("*.*") if path.is_file() and ".git" not in path.parts}
    assert run(course)[0] == 0
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_lesson_put_in_between_moves_the_others_and_all_that_names_them(course):
    notebook(course/"nbs"/"1_one"/"99_new.ipynb", "# What is new?\n\nThis.", "After [B](01_b.ipynb), before "
             "[C](../2_two/02_c.ipynb).")
    index(course, "1_one/00_a", "1_one/01_b", "1_one/99_new", "2_two/02_c", "2_two/03_d")
    code, said = run(course, "--check")
    assert code == 1 and "1_one/99_new.ipynb belongs at 1_one/02_new.ipynb" in said
    assert "2_two/02_c.ipynb belongs at 2_two/03_c.ipynb" in said and "1_one/99_new" in places(course), "only checked"
    run(course)
    assert places(course) == ["1_one/00_a", "1_one/01_b", "1_one/02_new", "2_two/03_c", "2_two/04_d"]
    assert text(course, "1_one/00_a")[1] == "See [B](01_b.ipynb) and [D](../2_two/04_d.ipynb#why)."
    assert text(course, "2_two/03_c")[1] == "Back to [A](../1_one/00_a.ipynb), on to [D](04_d.ipynb)."
    assert text(course, "1_one/02_new")[1] == "After [B](01_b.ipynb), before [C](../2_two/03_c.ipynb)."
    assert text(course, "1_one/02_new")[0].endswith(
        "*Previous: [What is B?](01_b.ipynb) · Next: [What is C?](../2_two/03_c.ipynb)*")
    assert "[02 new](1_one/02_new.ipynb)" in text(course, "index")[1]
    assert "[04 d](2_two/04_d.ipynb)" in text(course, "index")[1]
    assert (course/"nbs"/"book.md").read_text() == "<a id=\"01_b\"></a>[C](2_two/03_c.html) and `04_d`\n"
    assert json.loads((course/"costs.json").read_text()) == {"03_c": 1, "04_d": 2}
    assert (course/"README.md").read_text() == "Lesson nbs/2_two/04_d.ipynb, drawn in 2_two/04_d.\n"
    attacks = {path.name: path.read_text() for path in (course/"tests"/"attacks").iterdir()}
    assert attacks == {"03_c.py": '"""03_c"""', "04_d.py": '"""04_d"""'}
    assert run(course, "--check") == (0, "5 lessons in their places\n")


def test_two_lessons_change_places(course):
    index(course, "1_one/00_a", "1_one/01_b", "2_two/03_d", "2_two/02_c")
    run(course)
    assert places(course) == ["1_one/00_a", "1_one/01_b", "2_two/02_d", "2_two/03_c"]
    assert text(course, "1_one/00_a")[1] == "See [B](01_b.ipynb) and [D](../2_two/02_d.ipynb#why)."
    assert text(course, "2_two/02_d")[0].startswith("# What is D?") and text(course, "2_two/03_c")[0].endswith(
        "*Previous: [What is D?](02_d.ipynb)*")


def test_a_lesson_moves_to_another_part(course):
    index(course, "1_one/00_a", "2_two/01_b", "2_two/02_c", "2_two/03_d")
    run(course)
    assert places(course) == ["1_one/00_a", "2_two/01_b", "2_two/02_c", "2_two/03_d"]
    assert text(course, "1_one/00_a")[1].startswith("See [B](../2_two/01_b.ipynb)")
    assert text(course, "2_two/01_b")[1].endswith("[home](../index.ipynb).")
    assert run(course, "--check")[0] == 0


@pytest.mark.parametrize("rows, said", [
    (["1_one/00_a", "1_one/01_b", "2_two/02_c"], "not on the home page: d"),
    (["1_one/00_a", "1_one/01_b", "2_two/02_c", "2_two/03_d", "2_two/04_e"], "no notebook for e")])
def test_rows_and_notebooks_that_do_not_fit_are_said_and_nothing_is_moved(course, rows, said):
    index(course, *rows)
    code, told = run(course)
    assert code == 1 and said in told
    assert places(course) == ["1_one/00_a", "1_one/01_b", "2_two/02_c", "2_two/03_d"]


def test_a_stale_line_is_found_and_mended(course):
    path = course/"nbs"/"1_one"/"01_b.ipynb"
    path.write_text(path.read_text().replace("# What is B?", "# What was B?"))
    code, said = run(course, "--check")
    assert code == 1 and "1_one/00_a.ipynb: the line with the lessons before and after is stale" in said
    run(course)
    assert text(course, "1_one/00_a")[0].endswith("*Next: [What was B?](01_b.ipynb)*")


def test_this_course_is_in_its_places():
    done = subprocess.run([sys.executable, ROOT/"tools"/"lessons.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
