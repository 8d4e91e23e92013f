"""Keep the path through the lessons: numbers and Previous/Next lines follow the tables of nbs/index.ipynb.

    python tools/lessons.py            renames, renumbers and links; to insert a lesson, put its row where it belongs
                                       and its notebook, under any number, into any part; then run this
    python tools/lessons.py --check    says what does not follow; exit status 1 if anything
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NBS, INDEX, ATTACKS = ROOT/"nbs", ROOT/"nbs/index.ipynb", ROOT/"tests/attacks"
ROW = re.compile(r"\| \[(\d\d) ([^\]]+)\]\((\d_\w+)/(\d\d)_(\w+)\.ipynb\) \|")
LINE = re.compile(r"\n+\*(Previous|Next): \[[^\n]*\*$")


def wanted() -> dict[Path, Path]:
    """Return where each lesson lies and where it belongs, in the order of the home page."""
    rows = ROW.findall(INDEX.read_text(encoding="utf-8"))
    found = {path.stem[3:]: path for path in NBS.glob("[0-9]_*/[0-9][0-9]_*.ipynb")}
    if missing := [name for *_, name in rows if name not in found]: sys.exit(f"no notebook for {', '.join(missing)}")
    if extra := found.keys() - {name for *_, name in rows}:
        sys.exit(f"not on the home page: {', '.join(sorted(extra))}: give each a row in nbs/index.ipynb")
    return {found[name]: NBS/part/f"{i:02d}_{name}.ipynb" for i, (_, _, part, _, name) in enumerate(rows)}


def redirect(text: str, file: Path, moved: dict[Path, Path]) -> str:
    """Return the text of `file` with its links and mentions of lessons turned to their new places."""
    after = moved.get(file, file)
    stems = {old.stem: new.stem for old, new in moved.items()}

    def link(match: re.Match) -> str:
        target = Path(os.path.normpath(file.parent/match[2])).with_suffix(".ipynb")
        if target not in moved: return match[0]
        place = os.path.relpath(moved[target].with_suffix(match[3]), after.parent)
        return match[1] + Path(place).as_posix()

    if NBS in file.parents: text = re.sub(r"(\]\()((?:\.\./|\w+/)*\d\d_\w+(\.ipynb|\.html))", link, text)
    places = {f"{old.parent.name}/{old.stem}": f"{new.parent.name}/{new.stem}" for old, new in moved.items()}
    text = re.sub(r"\b\d_[a-z]+/\d\d_\w+", lambda m: places.get(m[0], m[0]), text)
    return re.sub(r"(?<![\w/])\d\d_[a-z]\w*", lambda m: stems.get(m[0], m[0]), text)


def move(moved: dict[Path, Path]) -> None:
    """Rename lessons and everything that names them, through temporary names since places are swapped."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    kinds = (".ipynb", ".md", ".py", ".json", ".html", ".js", ".yml", ".cfg", ".ini", ".cff")
    for file in map(ROOT.joinpath, listed.stdout.splitlines()):
        if file.suffix not in kinds or not file.is_file() or "frozen" in file.parts: continue
        text = file.read_text(encoding="utf-8")
        if (changed := redirect(text, file, moved)) != text: file.write_text(changed, encoding="utf-8")
    changed = {old: new for old, new in moved.items() if old != new}
    for old in changed: old.rename(old.with_suffix(".moving"))
    for old, new in changed.items():
        new.parent.mkdir(exist_ok=True)
        old.with_suffix(".moving").rename(new)
    attacks = {old.stem: new.stem for old, new in changed.items() if (ATTACKS/f"{old.stem}.py").is_file()}
    for old in attacks: (ATTACKS/f"{old}.py").rename(ATTACKS/f"{old}.moving")
    for old, new in attacks.items(): (ATTACKS/f"{old}.moving").rename(ATTACKS/f"{new}.py")
    index = INDEX.read_text(encoding="utf-8")
    INDEX.write_text(ROW.sub(lambda m: f"| [{m[4]} {m[2]}]({m[3]}/{m[4]}_{m[5]}.ipynb) |", index), encoding="utf-8")


def navigated(path: Path, lessons: list[Path]) -> dict:
    """Return a lesson's notebook with the line that links the one before and the one after, by their titles."""
    notebook, i = json.loads(path.read_text(encoding="utf-8")), lessons.index(path)
    neighbours = [("Previous", lessons[i - 1])] if i else []
    if i + 1 < len(lessons): neighbours.append(("Next", lessons[i + 1]))
    parts = [f"{word}: [{title(other)}]({Path(os.path.relpath(other, path.parent)).as_posix()})"
             for word, other in neighbours]
    cell = next(cell for cell in notebook["cells"] if "".join(cell["source"]).startswith("# "))
    text = LINE.sub("", "".join(cell["source"])) + f"\n\n*{' · '.join(parts)}*"
    cell["source"] = text.splitlines(keepends=True)
    return notebook


def title(path: Path) -> str:
    """Return a lesson's first heading."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if found := re.match(r"# (.+)", "".join(cell["source"])): return found[1].strip()
    sys.exit(f"{path} has no title")


def main() -> None:
    check, wrong = "--check" in sys.argv, []
    places = wanted()
    if stray := {old: new for old, new in places.items() if old != new}:
        wrong += [f"{old.relative_to(NBS)} belongs at {new.relative_to(NBS)}" for old, new in stray.items()]
        if not check: move(places)
    lessons = list(places) if check else list(places.values())
    for path in lessons:
        text = json.dumps(navigated(path, lessons), indent=1, ensure_ascii=False) + "\n"
        if text == path.read_text(encoding="utf-8"): continue
        wrong.append(f"{path.relative_to(NBS)}: the line with the lessons before and after is stale")
        if not check: path.write_text(text, encoding="utf-8")
    print("\n".join(wrong) or f"{len(lessons)} lessons in their places")
    sys.exit(check and bool(wrong))


if __name__ == "__main__": main()
