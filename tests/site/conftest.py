"""A browser on the built site, which is served under a path of its own and compressed, as GitHub Pages does."""
import gzip
import os
import re
import shutil
import threading
from contextlib import contextmanager, suppress
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("SITE_HTML", ROOT/"docs"/"_build"/"html"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def chromium() -> str | None:
    """Return the browser that is installed; None means Playwright's own."""
    return os.environ.get("CHROMIUM") or next(filter(None,
                                                     map(shutil.which, ("chromium", "chromium-browser",
                                                                        "google-chrome"))), None)


@cache
def compressed(file: Path, modified: float) -> bytes:
    return gzip.compress(file.read_bytes(), 6, mtime=0)


class Pages(SimpleHTTPRequestHandler):
    """Files of the site below /context-inpaint/, nothing above it; text and WebAssembly compressed."""

    prefix = "/context-inpaint/"

    def translate_path(self, path):
        if not path.startswith(self.prefix): return str(HTML/"nothing is here")
        return super().translate_path("/" + path.removeprefix(self.prefix))

    def do_GET(self):
        with suppress(ConnectionError): self.answer()  # a page that is left closes its connections

    def answer(self):
        file = Path(self.translate_path(self.path))
        kind = self.guess_type(str(file))
        if not (file.is_file() and re.search("text|javascript|json|svg|wasm|xml", kind)): return super().do_GET()
        body = compressed(file, file.stat().st_mtime)
        self.send_response(200)
        for name, value in {"Content-Type": kind, "Content-Encoding": "gzip", "Content-Length": len(body),
                            "Last-Modified": self.date_time_string(file.stat().st_mtime)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args): pass


class Watch:
    """What a page does that it should not: errors printed or thrown, failed answers, requests to elsewhere."""

    def __init__(self, context, site: str):
        self.errors, self.foreign = [], []
        context.on("console", lambda message: message.type == "error"
                   and self.errors.append(f"{message.text} ({message.location.get('url', '')})"))
        context.on("weberror", lambda error: self.errors.append(f"thrown: {error.error}"))
        context.on("response", lambda response: response.status >= 400
                   and self.errors.append(f"{response.status} {response.url}"))
        context.on("request", lambda request: request.url.startswith((site, "data:", "blob:"))
                   or self.foreign.append(request.url))

    def check(self, *allowed: str) -> None:
        """Fail for what was seen since the last check, but for errors that match a pattern."""
        errors, foreign = [e for e in self.errors if not any(re.search(a, e) for a in allowed)], self.foreign[:]
        self.errors.clear(), self.foreign.clear()
        assert not errors, "the page has errors:\n" + "\n".join(errors)
        assert not foreign, "the page asks elsewhere:\n" + "\n".join(foreign)


@contextmanager
def opened_browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(folder: Path):
    assert (folder/"index.html").is_file(), "there is no built site: run make docs"
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Pages(*args, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try: yield f"http://127.0.0.1:{server.server_port}{Pages.prefix}"
    finally: server.shutdown()


@contextmanager
def visit(browser, site: str, **options):
    """Open a page with empty storage and cache; `page.watch` records what it does wrong; addresses are the site's."""
    context = browser.new_context(base_url=site, **{"viewport": {"width": 1280, "height": 900}} | options)
    context.set_default_timeout(120_000)  # a busy machine is slow; only a broken page takes so long
    page = context.new_page()
    page.watch = Watch(context, site)
    try: yield page
    finally: context.close()


def pytest_configure(config):
    said = "context(**options): of the browser context that `page` lives in, such as viewport, color_scheme"
    config.addinivalue_line("markers", said)
    config.addinivalue_line("markers", "allows(*patterns): console errors that the test expects")


@pytest.fixture(scope="session")
def browser():
    with opened_browser() as browser: yield browser


@pytest.fixture(scope="session")
def site():
    """The address of the site, with a slash at the end."""
    with served(HTML) as address: yield address


@pytest.fixture
def page(browser, site, request):
    """A fresh page; the test fails if the page prints an error or asks another host for anything."""
    options, allowed = request.node.get_closest_marker("context"), request.node.get_closest_marker("allows")
    with visit(browser, site, **(options.kwargs if options else {})) as page:
        yield page
        page.watch.check(*(allowed.args if allowed else ()))
