"""What the site makes of the course: notebooks prepared for readers, pages made of the library and its records."""
import ast
import json
import pkgutil
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

from docutils.nodes import Text
from sphinx_codeautolink.extension.backref import SummaryNode

from context_inpaint import catalogue, experiments, records

DOCS = Path(__file__).resolve().parent
NBS, NODE = DOCS.parent/"nbs", DOCS/"node_modules"
PARTS = {"1_problem": "The problem", "2_networks": "Networks", "3_report": "The report", "4_beyond": "Beyond",
         "5_practice": "Practice", "6_workshop": "The workshop"}
MAP = re.findall(r"\]\((\d_\w+/\w+\.ipynb)\)",
                 (NBS/"index.ipynb").read_text())  # the home page's order is the sidebar's


def place(path: Path) -> tuple[int, str]:
    """Return where a lesson stands in its part: as on the home page, after that by name."""
    name = path.relative_to(NBS).as_posix()
    return (MAP.index(name) if name in MAP else len(MAP)), name


LESSONS = sorted((path for part in PARTS for path in (NBS/part).glob("[0-9]*.ipynb")),
                 key=lambda path: (path.parent.name, *place(path)))
MODULES = sorted(m.name for m in pkgutil.iter_modules([str(DOCS.parent/"context_inpaint")]) if m.name != "cli")
REFERENCE = {"scoreboard": "Scoreboard", "glossary": "Glossary", "misconceptions": "Misconceptions",
             "api/cli": "Command line", "api/index": "Library", "bibliography": "Bibliography"}
RUN = """:::{{dropdown}} Run this lesson
:class-container: run-lesson

**In the browser:** [open it in Colab](https://colab.research.google.com/github/{repo}/blob/{branch}/nbs/{path}).
**As a file:** {{download}}`{name} <{name}>`.
**On your machine,** with Python 3.11 to 3.13, git and make (the first time takes some minutes):

```bash
git clone https://github.com/{repo}
cd context-inpaint
make lab    # JupyterLab opens; the lesson is nbs/{path}
```
:::"""
HOME = """````{container} buttons
```{button-link} demo/index.html
:color: primary
Fill a hole in your own picture, in the browser
```
```{button-ref} 1_problem/00_how_to
:ref-type: doc
:color: primary
:outline:
Start the course
```
````"""


@cache
def names(module: str) -> tuple[str, ...]:
    return tuple(getattr(import_module(f"context_inpaint.{module}"), "__all__", ()))


def lesson(path: Path) -> tuple[str, str | None, list[dict]]:
    """Return a notebook's title, the module it exports, and its cells with their sources as one string."""
    cells = [cell | {"source": "".join(cell["source"])} for cell in json.loads(path.read_text())["cells"]]
    title = next(re.match("# (.+)", cell["source"])[1] for cell in cells if cell["source"].startswith("# "))
    return title, next((m[1] for cell in cells if (m := re.match(r"#\|\s*default_exp (\w+)", cell["source"]))),
                       None), cells


def known(module: str | None, cells: list[dict]) -> dict[str, str]:
    """Return what a lesson's prose can mean by a name: what its code imports from the library, and what it exports."""
    found = {name: f"context_inpaint.{module}.{name}" for name in names(module)} if module else {}
    code = "\n".join(re.sub(r"^\s*[%!].*", "", cell["source"], flags=re.M)
                     for cell in cells if cell["cell_type"] == "code")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("context_inpaint"):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def link_names(text: str, found: dict[str, str]) -> str:
    """Link `name`, `name(arguments)` and `module.name` in prose, not in code blocks, to their API pages."""
    def link(match: re.Match) -> str:
        if not match[1]: return match[0]
        head, _, rest = match[1].partition(".")
        if rest: target = f"context_inpaint.{match[1]}" if head in MODULES and rest in names(head) else None
        else: target = found.get(head)
        return f"{{py:obj}}`{match[1]}{match[2] or ''} <{target}>`" if target else match[0]
    return re.sub(r"(?s:```.*?```)|(?<![`}\[])`(\w+(?:\.\w+)?)(\([^`<>]*\))?`(?![`\]])", link, text)


def link_docstring(app, what, name: str, obj, options, lines: list[str]) -> None:
    """Link `name` in a docstring where its module has that name from the library."""
    here = vars(import_module(".".join(name.split(".")[:2])))
    def link(match: re.Match) -> str:
        home = next((m for m in MODULES if match[1] in names(m)
                     and here.get(match[1]) is getattr(import_module(f"context_inpaint.{m}"), match[1])), None)
        return f":py:obj:`{match[1]} <context_inpaint.{home}.{match[1]}>`" if home else match[0]
    lines[:] = [re.sub(r"(?<![`:\w])`(\w+)`(?!`)", link, line) for line in lines]


def markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": text, "id": f"site-{abs(hash(text)):x}"}


def toctree(caption: str, entries: list[str]) -> dict:
    return markdown("```{toctree}\n:hidden:\n:caption: " + caption + "\n\n" + "\n".join(entries) + "\n```")


def is_prose(outputs: list[dict]) -> bool:
    """Return whether printed outputs are sentences, which may wrap, and not tables, which may not."""
    text = "".join("".join(o.get("text", o.get("data", {}).get("text/plain", ""))) for o in outputs)
    return not re.search(r"\S {2,}\S|\n *[-─]{3}", text)


def alt_text(outputs: list[dict]) -> dict:
    """Return the cell metadata that gives its picture the words it comes with."""
    shown = [o["data"] for o in outputs if any(kind.startswith("image/") for kind in o.get("data", {}))]
    words = "".join(shown[0].get("text/plain", "")) if shown else ""
    return {"mystnb": {"image": {"alt": "the picture that the cell draws" if words.startswith("<")
                                 else words}}} if words else {}


def prepare(path: Path, config) -> list[dict]:
    """Return a notebook's cells for readers: no directives, no hidden cells, names linked, how to run it, sidebar."""
    _, module, cells = lesson(path)
    found, out = known(module, cells), []
    imports = "\n".join(f"from {target.rpartition('.')[0]} import {target.rpartition('.')[2]} as {name}" for name,
                        target in found.items())
    for cell in cells:
        text = cell["source"]
        if cell["cell_type"] == "markdown": out.append(cell | {"source": link_names(text, found)})
        elif not re.search(r"^#\|\s*(default_exp|hide)", text, re.M):
            tags = [*cell["metadata"].get("tags", []), *(["prose-output"] if is_prose(cell["outputs"]) else [])]
            out.append(cell | {"source": re.sub(r"^#\|.*\n?", "", text, flags=re.M).strip("\n"),
                               "metadata": {"tags": tags} | alt_text(cell["outputs"])})
        if text.startswith("# ") and cell["cell_type"] == "markdown":
            repo = config.html_theme_options["repository_url"].removeprefix("https://github.com/")
            out.append(markdown("```{autolink-preface}\n:level: file\n\n" + imports + "\n```"))
            out.append(markdown(HOME if path.stem == "index"
                                else RUN.format(repo=repo, branch=config.html_theme_options["repository_branch"],
                                                path=path.relative_to(NBS), name=path.name)))
    if path.stem != "index": return out
    for cell in (cell for cell in out
                 if cell["cell_type"] == "code"):  # what it shows, without its code and progress lines
        cell |= {"metadata": cell["metadata"] | {"tags": ["remove-input"]},
                 "outputs": [o for o in cell["outputs"] if set(o.get("data", {})) > {"text/plain"}]}
    for part, caption in PARTS.items():
        if entries := [f"{p.stem[:2]} · {lesson(p)[0]} <{part}/{p.stem}>"
                       for p in LESSONS if p.parent.name == part]: out.append(toctree(caption, entries))
    return [*out, toctree("Reference", [f"{title} <{page}>" for page, title in REFERENCE.items()])]


def commands(*lines: str) -> str:
    """Return, folded, how a table is made."""
    return ":::{dropdown} How it was made\n```bash\n" + "\n".join(lines) + "\n```\n:::"


def methods() -> str:
    """Return the list of methods, as the command line knows them."""
    rows = "\n".join(f"| `{name}` | {method.about} |" for name, method in catalogue.METHODS.items())
    return f"## Methods\n\n| name | what it does |\n| --- | --- |\n{rows}"


def scoreboards() -> str:
    """Return every recorded scoreboard, and the report's tables beside our runs, each with its command, as Markdown."""
    folder, text = records.results_folder(), [methods()]
    for file in sorted(folder.glob("scoreboard-*.json"), key=lambda file: ("any-hole" in file.stem, file.stem)):
        any_hole, name = re.match(r"scoreboard-(any-hole-)?(.*?)(?:-\d+)?$", file.stem).groups()
        heading = ("Any hole: " if any_hole else "") + name.replace("-", " ")
        found = json.loads(file.read_text())
        for record in found if isinstance(found, list) else [found]:
            text += [f"## {heading[0].upper()}{heading[1:]}, {record['size']} pixels",
                     records.table(record, "markdown")]
            if "command" in record: text.append(commands(record["command"]))
    runs = experiments.load_runs() if (folder/"runs").is_dir() else {}
    for name in experiments.EXPERIMENTS:
        made = [r["command"] for key in experiments.EXPERIMENTS[name]
                for r in experiments.matching(runs, *key) if "command" in r]
        text += [f"## Experiment: {name.replace('-', ' ')}", experiments.table(name, runs, "markdown"),
                 commands(*made, f"context-inpaint table {name} --markdown")]
    return "\n\n".join(text)


def source_read(app, docname: str, source: list[str]) -> None:
    path = Path(app.env.doc2path(docname))
    if path.suffix == ".ipynb": source[0] = json.dumps(json.loads(source[0]) | {"cells": prepare(path, app.config)})
    elif docname == "bibliography": source[0] = re.sub(r'<a id="(\w+)"></a>', r"(\1)=", source[0])
    else: source[0] = link_names(source[0], {}).replace("<!-- scoreboards -->",
                                                        scoreboards() if docname == "scoreboard" else "")


def shorten(app, doctree, docname: str) -> None:
    for node in doctree.findall(SummaryNode): node.children = [Text("In the lessons")]


API = """# {module}

{source}

```{{eval-rst}}
.. automodule:: context_inpaint.{module}
```
"""
API_INDEX = """# Library

Each module of `context_inpaint` is exported from one lesson, but for a few that are written by hand.

| module | what is in it | lesson |
| --- | --- | --- |
{rows}

```{{toctree}}
:hidden:

{entries}
```
"""


def write_api(app) -> None:
    """Write a page for each module of the library, and one for the command line, into nbs/api, which git ignores.

    Those that have not changed keep their dates.
    """
    of = {module: (path, title) for path in LESSONS for title, module, _ in [lesson(path)] if module}
    pages, rows = {}, []
    for module in MODULES:
        link, source = "written by hand", "Written by hand: no lesson teaches it."
        if module in of:
            path, title = of[module]
            link = f"[{path.stem[:2]} · {title}](../{path.relative_to(NBS).as_posix()})"
            source = f"From the lesson {link}."
        about = import_module(f"context_inpaint.{module}").__doc__.partition("\n\n")[0].replace("\n", " ")
        pages[module] = API.format(module=module, source=source)
        rows.append(f"| [{module}]({module}.md) | {about} | {link} |")
    pages["index"] = API_INDEX.format(rows="\n".join(rows), entries="\n".join(MODULES))
    described = subprocess.run([sys.executable, "-m", "typer", "context_inpaint.cli", "utils", "docs", "--name",
                                "context-inpaint", "--title", "Command line"],
                               cwd=DOCS.parent, capture_output=True, text=True, check=True)
    pages["cli"] = described.stdout
    (NBS/"api").mkdir(exist_ok=True)
    for file in (NBS/"api").glob("*.md"):
        if file.stem not in pages: file.unlink()
    for name, text in pages.items():
        file = NBS/"api"/f"{name}.md"
        if not file.exists() or file.read_text() != text: file.write_text(text)


def copy_assets(app, exception) -> None:
    """Copy what pages load from node_modules; the theme's icons come from its fonts, so its icon scripts stay empty."""
    if exception or app.builder.format != "html": return
    static = Path(app.outdir)/"_static"
    for name in ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions"):
        source, target = NODE/"mathjax/es5"/name, static/"mathjax"/name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, dirs_exist_ok=True) if source.is_dir() else shutil.copy(source, target)
    shutil.copy(NODE/"requirejs/require.js", static)
    shutil.copy(NODE/"@jupyter-widgets/html-manager/dist/embed-amd.js", static)
    shutil.copy(next((DOCS/"readme_files").glob("*.jpg")), static/"fills.jpg")
    (static/"scripts/fontawesome.js").write_text("")


def setup(app):
    app.connect("builder-inited", write_api)
    app.connect("source-read", source_read)
    app.connect("autodoc-process-docstring", link_docstring)
    app.connect("doctree-resolved", shorten, priority=900)
    app.connect("build-finished", copy_assets)
    return {"parallel_read_safe": True}
