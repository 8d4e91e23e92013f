"""The built site as a reader meets it: lessons, search, dark mode, a phone, a screen reader's rules."""
import json
import re

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from conftest import HTML, ROOT, visit

LESSONS = sorted(p.relative_to(ROOT/"nbs").with_suffix("").as_posix()
                 for p in (ROOT/"nbs").glob("[0-9]_*/[0-9][0-9]_*.ipynb"))
OTHERS = sorted(p.relative_to(HTML).as_posix() for pattern in ("*.html", "api/*.html") for p in HTML.glob(pattern))
AXE = ROOT/"docs"/"node_modules"/"axe-core"/"axe.min.js"
MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).use(amsmath_plugin)
SETTLED = """async () => {
  await window.MathJax?.startup.promise
  await Promise.all([...document.images].map(i => { i.loading = 'eager'; return i.decode().catch(() => 0) }))
  await document.fonts.ready
}"""
VIOLATIONS = "async () => (await axe.run({exclude: ['mjx-container']}, {resultTypes: ['violations']})).violations"
LINKS = "() => [...document.links].map(a => a.href.replace(document.baseURI.replace(/[^/]*$/, ''), ''))"
WEIGHT = """() => Object.fromEntries(
  performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .map(e => [e.name.replace(/[?#].*/, ''), e.encodedBodySize]))"""
STICKING_OUT = """() => {
  const scrolls = e => {
    for (let p = e.parentElement; p && p != document.body; p = p.parentElement)
      if (getComputedStyle(p).overflowX != 'visible') return true
  }
  const wide = document.scrollingElement.scrollWidth, out = e => e.getBoundingClientRect().right > innerWidth + 1
  return wide <= innerWidth ? [] : ['the page is ' + wide + ' wide'].concat(
    [...document.body.querySelectorAll('*')].filter(e => out(e) && !scrolls(e)).slice(0, 5)
      .map(e => e.outerHTML.slice(0, 150)))
}"""
LUMINANCE = """selector => ['color', 'backgroundColor'].map(property => {
  let e = document.querySelector(selector), color = getComputedStyle(e)[property]
  while (property == 'backgroundColor' && /, 0\\)$|transparent/.test(color) && (e = e.parentElement))
    color = getComputedStyle(e)[property]
  const [r, g, b] = color.match(/[\\d.]+/g).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
})"""
CLEAR_CORNERS = """() => [...document.querySelectorAll('article .cell_output img')].filter(image => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}), brush = canvas.getContext('2d')
  brush.drawImage(image, 0, 0, 1, 1, 0, 0, 1, 1)
  return brush.getImageData(0, 0, 1, 1).data[3] < 255
}).map(image => getComputedStyle(image).backgroundColor)"""


@pytest.fixture(scope="module")
def reader(browser, site):
    """One page for all lessons: what they share is loaded once."""
    with visit(browser, site) as page: yield page


@pytest.fixture(scope="module", params=LESSONS)
def lesson(reader, request):
    """The page at one lesson, everything loaded; `lesson.cells` are its notebook's."""
    reader.watch.errors.clear(), reader.watch.foreign.clear()
    assert reader.goto(f"{request.param}.html").ok
    reader.evaluate(SETTLED)
    reader.cells, reader.name = json.loads((ROOT/"nbs"/f"{request.param}.ipynb").read_text())["cells"], request.param
    return reader


def prose(cells): return ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]


def formulas(text: str) -> int:
    def count(tokens): return sum(t.type.startswith(("math", "amsmath")) + count(t.children or ()) for t in tokens)
    return count(MARKDOWN.parse(text))


def test_a_lesson_prints_no_error_and_loads_nothing_from_elsewhere(lesson): lesson.watch.check()


def test_a_lesson_is_light(lesson):
    """A first visit to it loads less than 1 MB: page, styles, scripts, fonts, pictures, compressed as they travel."""
    sizes = lesson.evaluate(WEIGHT)
    assert sum(sizes.values()) < 1e6, sorted(((size, name) for name, size in sizes.items()), reverse=True)[:8]


def test_a_lesson_shows_its_figures(lesson):
    pictures = "document.querySelectorAll('article .cell_output img')"
    shown = lesson.evaluate(f"() => [...{pictures}].map(i => [i.naturalWidth, i.alt])")
    stored = sum(any(kind.startswith("image/") for kind in output.get("data", {})) for c in lesson.cells
                 for output in c.get("outputs", ()))
    assert len(shown) == stored and all(width > 0 for width, _ in shown)
    bad = [alt for _, alt in shown if not alt.strip() or re.search(r"_images/|<Figure|\.(png|jpg|webp)$", alt)]
    assert not bad, f"{len(bad)} of {len(shown)} figures do not say what they show: {bad[:3]}"


def test_a_lesson_typesets_its_formulas(lesson):
    expected = sum(map(formulas, prose(lesson.cells)))
    typeset = lesson.evaluate("() => document.querySelectorAll('article .math mjx-container').length")
    errors = "document.querySelectorAll('[data-mjx-error], mjx-merror')"
    wrong = lesson.evaluate(f"() => [...{errors}].map(e => e.textContent)")
    assert (typeset, wrong) == (expected, [])
    words = lesson.evaluate("""() => { const copy = document.querySelector('article').cloneNode(true)
        copy.querySelectorAll('pre, code, script, .math').forEach(e => e.remove()); return copy.textContent }""")
    assert not re.findall(r".{0,40}(?:\$\$|\\[a-z]{3,}|\\\().{0,40}", words)


def test_a_lesson_folds_its_solutions(lesson):
    solutions = lesson.locator("article details").filter(has=lesson.locator("summary", has_text="Solution"))
    assert solutions.count() == sum(text.count("<summary>Solution") for text in prose(lesson.cells))
    for i in range(solutions.count()):
        code = solutions.nth(i).locator("pre").first
        assert not code.is_visible()
        solutions.nth(i).locator("summary").click()
        code.wait_for(state="visible")


def test_a_lesson_can_be_taken_away(lesson):
    """It opens in Colab, downloads as the notebook it is, and says how to run it here."""
    box = lesson.locator("article details", has=lesson.locator("summary", has_text="Run this lesson"))
    box.locator("summary").click()
    colab = f"a[href^='https://colab.research.google.com/'][href$='nbs/{lesson.name}.ipynb']"
    assert box.locator(colab).is_visible() and "make lab" in box.inner_text()
    assert lesson.request.get(box.locator("a[download]").evaluate("a => a.href")).json()["cells"] == lesson.cells


def test_a_lesson_fits_a_phone(lesson):
    lesson.set_viewport_size({"width": 390, "height": 844})
    try: assert not lesson.evaluate(STICKING_OUT)
    finally: lesson.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("path", OTHERS)
def test_every_other_page_is_light_and_fits_a_phone(reader, path):
    reader.watch.errors.clear(), reader.watch.foreign.clear()
    reader.goto(path)
    reader.evaluate(SETTLED)
    weight = sum(reader.evaluate(WEIGHT).values())
    reader.set_viewport_size({"width": 390, "height": 844})
    wide = reader.evaluate(STICKING_OUT)
    reader.set_viewport_size({"width": 1280, "height": 900})
    reader.watch.check()
    assert not wide and weight < 1e6, (wide, weight)


def test_home_shows_a_fill_and_leads_everywhere(page):
    page.goto("")
    assert "context-inpaint" in page.title()
    picture = page.locator("article img").first
    assert picture.is_visible() and picture.bounding_box()["width"] > 300
    links = {link.split("#")[0]
             for link in page.evaluate(LINKS)}
    wanted = {f"{name}.html" for name in LESSONS} | {"demo/index.html", "scoreboard.html", "glossary.html",
                                                     "misconceptions.html", "bibliography.html"}
    missing = wanted - links
    assert not missing
    page.locator("article a[href='demo/index.html']").first.click()
    page.locator("#canvas").wait_for()


def test_search_leads_to_the_lesson(page):
    page.goto("")
    page.keyboard.press("Control+k")
    page.keyboard.type("reparameterise")
    page.keyboard.press("Enter")
    page.locator("#search-results a[href*='3_report/17_vae.html']").first.click()
    page.wait_for_url("**/3_report/17_vae.html*")
    assert "reparameterise" in page.locator("article").inner_text()


def contrast(page, selector: str) -> tuple[float, float]:
    """Return the contrast of text with what is behind it, and the luminance of that."""
    text, ground = page.evaluate(LUMINANCE, selector)
    return (max(text, ground) + 0.05)/(min(text, ground) + 0.05), ground


@pytest.mark.context(color_scheme="light")
def test_dark_mode_is_chosen_and_kept(page):
    page.goto("3_report/17_vae.html")
    assert contrast(page, "article p")[1] > 0.8
    page.locator(".theme-switch-button:visible").first.click()
    page.locator(".theme-change-button[data-mode=dark]:visible").first.click()
    for _ in range(2):
        page.evaluate(SETTLED)
        assert page.evaluate("[localStorage.theme, document.documentElement.dataset.theme]") == ["dark", "dark"]
        for selector in ("article p", "article pre", "article h2", ".bd-sidebar-primary a.reference"):
            ratio, ground = contrast(page, selector)
            assert ratio > 4.5 and ground < 0.1, (selector, ratio, ground)
        assert all(min(map(float, re.findall(r"[\d.]+", color))) > 200
                   for color in page.evaluate(CLEAR_CORNERS)), "a figure without a ground of its own lies on a dark one"
        page.reload()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path",
                         ["index.html", "3_report/22_exp_gan_encoders.html", "api/masks.html", "scoreboard.html",
                          "demo/index.html"])
def test_no_serious_barrier(browser, site, path, scheme):
    with visit(browser, site, color_scheme=scheme) as page:
        assert page.goto(path).ok
        page.evaluate(SETTLED)
        page.evaluate(AXE.read_text())
        found = page.evaluate(VIOLATIONS)
    serious = [f"{v['id']} ({v['impact']}): {v['help']}\n"
               + "\n".join(f"    {n['html'][:160]}\n      {n['failureSummary'].splitlines()[1].strip()}"
                           for n in v["nodes"][:6])
               + f"\n    ({len(v['nodes'])} places)" for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, "\n" + "\n".join(serious)
