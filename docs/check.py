"""Check the built site: no dangling link or anchor, nothing loaded from another host, no page heavier than 1 MB.

    python docs/check.py FOLDER
"""
import gzip
import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

BASE = "/context-inpaint/"  # where the site is published; only its page for missing addresses names it
# Bytes of a page as it travels: page, styles and scripts (MathJax too) compressed, pictures as they are, no fonts.
LIMIT = 1_000_000


class Page(HTMLParser):
    """What a page has (`ids`), points to (`links`) and loads (`loads`)."""

    def __init__(self, text: str):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = {key: value or "" for key, value in attributes}
        self.ids |= {a[key] for key in ("id", "name") if key in a}
        if "style" in a: self.loads += urls(a["style"])
        if "src" in a: self.loads.append(a["src"])
        self.loads += [part.split()[0] for part in a.get("srcset", "").split(",") if part.strip()]
        if "href" in a:
            loading = tag == "use" or tag == "link" and {"stylesheet", "icon", "preload", "modulepreload",
                                                         "manifest"} & set(a.get("rel", "").split())
            (self.loads if loading else self.links).append(a["href"])


def urls(css: str) -> list[str]:
    """Return what a style sheet loads."""
    return [url for url in re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""",
                                      re.sub(r"/\*.*?\*/", "", css, flags=re.S)) if not url.startswith("data:")]


@cache
def page(path: Path) -> Page:
    return Page(path.read_text())


@cache
def weight(path: Path) -> int:
    data = path.read_bytes()
    return len(gzip.compress(data, 6)) if path.suffix in (".html", ".css", ".js", ".svg", ".mjs",
                                                          ".json") else len(data)


def resolve(folder: Path, source: Path, url: str) -> tuple[Path, str]:
    """Return which file an address means, and the anchor in it."""
    parts = urlsplit(url)
    if not parts.path: target = source
    elif parts.path.startswith(BASE): target = folder/parts.path.removeprefix(BASE)
    else: target = source.parent/unquote(parts.path)
    return (target/"index.html" if target.is_dir() else target), unquote(parts.fragment)


def foreign(url: str) -> bool:
    return bool(re.match(r"(https?:)?//", url))


def check(folder: Path) -> list[str]:
    """Return what is wrong with the site in `folder`, a line each."""
    folder, found = Path(folder).resolve(), []
    for path in sorted(folder.rglob("*.html")):
        if path.is_relative_to(folder/"_static"): continue
        name, total = path.relative_to(folder), weight(path)
        for url in page(path).links:
            if urlsplit(url).scheme or foreign(url): continue
            target, anchor = resolve(folder, path, url)
            if not target.is_file(): found.append(f"{name}: {url} leads nowhere")
            elif anchor and target.suffix == ".html" and anchor not in page(target).ids:
                found.append(f"{name}: {url} names no anchor there")
        for url in dict.fromkeys(page(path).loads):
            if url.startswith(("data:", "blob:")): continue
            if foreign(url): found.append(f"{name}: loads {url} from another host")
            elif not (target := resolve(folder, path,
                                        url)[0]).is_file(): found.append(f"{name}: loads {url}, which is not there")
            else: total += weight(target)
        if total > LIMIT and name.parts[0] != "demo":
            found.append(f"{name}: weighs {total/1e6:.2f} MB, over {LIMIT/1e6:g}")
    for path in folder.rglob("*.css"):
        found += [f"{path.relative_to(folder)}: loads {url} from another host"
                  for url in urls(path.read_text()) if foreign(url)]
    return found


def main(folder: str = "docs/_build/html") -> int:
    """Print what is wrong, and return 1 if anything is."""
    if not (Path(folder)/"index.html").is_file():
        print(f"no site in {folder}: build it with `make docs`", file=sys.stderr)
        return 1
    problems = check(Path(folder))
    print("\n".join(problems)
          or f"{folder}: every link and anchor leads somewhere, nothing comes from another host, no page is over 1 MB")
    return 1 if problems else 0


if __name__ == "__main__": sys.exit(main(*sys.argv[1:2]))
