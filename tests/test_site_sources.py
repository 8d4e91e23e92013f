"""The site, without a browser: what its checker finds, and that its sources hang together."""
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/"docs"))
from check import check, main  # noqa: E402


@pytest.fixture
def built(tmp_path):
    """Return a site of two pages that are as they should be."""
    (tmp_path/"index.html").write_text('<link rel="stylesheet" href="site.css"><a href="a/b.html#there">b</a> '
                                       '<a href="#here">here</a> <p id="here"><a href="https://example.org">out</a>')
    (tmp_path/"a").mkdir()
    (tmp_path/"a"/"b.html").write_text('<h1 id="there">b</h1><img src="../p.png">'
                                       '<a href="/context-inpaint/index.html#here">home</a>'
                                       '<a href="../a/">missing index</a>')
    (tmp_path/"a"/"index.html").write_text("a")
    (tmp_path/"p.png").write_bytes(b"picture")
    (tmp_path/"site.css").write_text("p { background: url(p.png) }")
    return tmp_path


def test_a_sound_site_passes(built, capsys):
    assert check(built) == [] and main(str(built)) == 0
    assert "leads somewhere" in capsys.readouterr().out


@pytest.mark.parametrize("text, said", [
    ('<a href="gone.html">', "leads nowhere"), ('<a href="a/b.html#not">', "names no anchor"),
                                        ('<a href="#not">', "names no anchor"),
    ('<img src="gone.png">', "not there"), ('<script src="https://cdn.example.org/x.js"></script>', "another host"),
                                        ('<script src="//cdn.example.org/x.js"></script>', "another host"),
    ('<link rel="preload" href="https://example.org/f.woff2">', "another host"),
                                        ('<img srcset="https://example.org/a.png 2x">', "another host"),
    ('<p style="background: url(https://example.org/a.png)">', "another host"),
                                        ('<img src="p.png">' + " "*10, "weighs")])
def test_each_fault_is_found(built, text, said):
    if said == "weighs": (built/"p.png").write_bytes(bytes(1_000_001))
    (built/"index.html").write_text(text)
    (built/"a"/"b.html").write_text('<h1 id="there">')
    assert [line for line in check(built) if said in line], check(built)


def test_style_sheets_are_read(built):
    (built/"site.css").write_text('@import "https://fonts.example.org/f.css"; /* url(https://example.org) */')
    assert len(check(built)) == 1


def test_no_site_is_said_in_words(tmp_path, capsys):
    assert main(str(tmp_path)) == 1
    assert "make docs" in capsys.readouterr().err


def test_the_lock_file_names_no_host():
    text = (ROOT/"docs"/"package-lock.json").read_text()
    assert "://" not in text
    wanted, locked = json.loads((ROOT/"docs"/"package.json").read_text()), json.loads(text)["packages"]
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert locked[f"node_modules/{name}"]["version"] == version


@pytest.mark.parametrize("page", ["glossary.md", "misconceptions.md", "scoreboard.md"])
def test_pages_link_to_files_that_exist(page):
    text = (ROOT/"nbs"/page).read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert len(links) >= 2
    for link in links: assert (ROOT/"nbs"/link).is_file(), link
