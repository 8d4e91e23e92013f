"""Take pictures of the built site to look at: light and dark, wide and phone, into docs/_build/screenshots.

    .venv/bin/python tests/site/screenshots.py [PAGE ...]
"""
import sys

from conftest import HTML, ROOT, opened_browser, served, visit

PAGES = ["index.html", "3_report/17_vae.html", "4_beyond/26_masked_convs.html", "api/masks.html", "scoreboard.html",
         "glossary.html", "misconceptions.html", "demo/index.html"]

if __name__ == "__main__":
    folder = ROOT/"docs"/"_build"/"screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with opened_browser() as browser, served(HTML) as site:
        for scheme in ("light", "dark"):
            for width in (1280, 390):
                with visit(browser, site, color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
                    for path in sys.argv[1:] or PAGES:
                        page.goto(path)
                        page.evaluate("() => window.MathJax?.startup?.promise")
                        name = path.removesuffix(".html").replace("/", "-")
                        page.screenshot(path=folder/f"{name}-{scheme}-{width}.png", full_page=True)
    print(f"look at {folder}")
