"""Write README.md from nbs/index.ipynb; `--check` fails when it is stale."""
import re
import shutil
import sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

ROOT, IMAGES = Path(__file__).resolve().parent.parent, "docs/readme_files"


def from_the_top(link: re.Match) -> str:
    """Return a link of nbs/index.ipynb as README.md, one folder up, needs it."""
    return f"]({link[1].removeprefix('../')})" if link[1].startswith("../") else f"](nbs/{link[1]})"


def render() -> dict[Path, bytes]:
    nb = nbformat.read(ROOT/"nbs/index.ipynb", 4)
    nb.metadata["language_info"] = {"name": "python"}
    nb.cells = [c for c in nb.cells if not c.source.startswith("#| hide")]
    for cell in nb.cells:
        if cell.cell_type == "code":  # without progress lines
            cell.outputs = [o for o in cell.outputs if set(o.get("data", {})) != {"text/plain"}]
        else: cell.source = re.sub(r"\]\((?!https?:|#|/)([^)]+)\)", from_the_top, cell.source)
    body, extra = MarkdownExporter().from_notebook_node(nb,
                                                        resources={"unique_key": "readme", "output_files_dir": IMAGES})
    head = "<!-- Written from nbs/index.ipynb by tools/readme.py: edit the notebook. -->\n\n"
    return {ROOT/"README.md": (head + body.strip() + "\n").encode()} | {ROOT/name: data for name,
                                                                        data in extra["outputs"].items()}


files = render()
if "--check" in sys.argv:
    stale = [str(path.relative_to(ROOT)) for path,
             data in files.items() if not path.exists() or path.read_bytes() != data]
    sys.exit(f"stale: {', '.join(stale)}; run `make readme`" if stale else 0)
shutil.rmtree(ROOT/IMAGES, ignore_errors=True)
for path, data in files.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
