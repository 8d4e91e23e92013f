"""The site: Sphinx over the notebooks' stored outputs and the library's docstrings."""
import configparser
import importlib
import json
import pkgutil
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
settings = configparser.ConfigParser(interpolation=None)
settings.read(ROOT/"settings.ini")
settings = settings["DEFAULT"]

project, author, copyright, version = settings["title"], settings["author"], settings["copyright"], settings["version"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx.ext.mathjax", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["**.ipynb_checkpoints"]
nb_execution_mode, nb_render_markdown_format = "off", "myst"
myst_enable_extensions = ["dollarmath", "amsmath", "attrs_inline"]
myst_heading_anchors = 3
default_role = "py:obj"
autodoc_typehints, autodoc_member_order = "signature", "bysource"
html_theme, html_title = "sphinx_book_theme", settings["title"]
html_theme_options = {"repository_url": settings["git_url"], "repository_branch": settings["branch"], "path_to_docs": "nbs",
                      "use_repository_button": True, "use_issues_button": True, "use_download_button": True,
                      "launch_buttons": {"colab_url": "https://colab.research.google.com", "notebook_interface": "classic"}}
suppress_warnings = ["mystnb.unknown_mime_type"]

PARTS = {"1_problem": "The problem", "2_networks": "Networks", "3_report": "The report", "4_beyond": "Beyond", "5_practice": "Practice"}
MODULES = [m.name for m in pkgutil.iter_modules([str(ROOT/"context_inpaint")]) if m.name != "cli"]


def public_names() -> dict[str, str]:
    """Return where each public name of the library lives; names in two modules link to neither."""
    found = {}
    for module in MODULES:
        for name in getattr(importlib.import_module(f"context_inpaint.{module}"), "__all__", ()): found.setdefault(name, []).append(f"context_inpaint.{module}.{name}")
    return {name: places[0] for name, places in found.items() if len(places) == 1}


def toctree(caption: str, entries: list[str]) -> dict:
    """Return a hidden cell that puts lessons into the sidebar."""
    text = "```{toctree}\n:hidden:\n:caption: " + caption + "\n\n" + "\n".join(entries) + "\n```"
    return {"cell_type": "markdown", "metadata": {}, "source": text, "id": caption.replace(" ", "-")}


def source_read(app, docname, source):
    """Prepare a notebook for readers: no directive lines, code names linked to the API, folders of lessons in the sidebar."""
    if docname == "bibliography": source[0] = re.sub(r'<a id="(\w+)"></a>', r"(\1)=", source[0])
    if not str(app.env.doc2path(docname)).endswith(".ipynb"): return
    notebook, cells = json.loads(source[0]), []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            if re.search(r"^#\|\s*(default_exp|hide)", text, re.M): continue
            text = re.sub(r"^#\|.*\n?", "", text, flags=re.M).strip("\n")
        else:
            text = re.sub(r"(?<![`}\[])`(\w+)`(?![`\]])", lambda m: f"{{py:obj}}`{m[1]} <{NAMES[m[1]]}>`" if m[1] in NAMES else m[0], text)
        cells.append(cell | {"source": text})
    if docname == "index":
        parts = {part: sorted(p.relative_to(ROOT/"nbs").with_suffix("").as_posix() for p in (ROOT/"nbs"/part).glob("*.ipynb")) for part in PARTS}
        cells += [toctree(PARTS[part], lessons) for part, lessons in parts.items() if lessons] + [toctree("Reference", ["api", "bibliography"])]
    source[0] = json.dumps(notebook | {"cells": cells})


def write_api() -> None:
    blocks = "".join(f"## {m}\n\n```{{eval-rst}}\n.. automodule:: context_inpaint.{m}\n   :members:\n```\n\n" for m in MODULES)
    text = "# Library\n\nEvery module is exported from the lesson of its name.\n\n" + blocks
    target = ROOT/"nbs"/"api.md"
    if not target.exists() or target.read_text() != text: target.write_text(text)


NAMES = public_names()
write_api()


def setup(app):
    app.connect("source-read", source_read)
    return {"parallel_read_safe": True}
