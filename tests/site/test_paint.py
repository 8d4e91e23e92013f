"""The core of both painters, once: what is painted, taken back, zoomed and panned, by mouse, fingers, pen and keys;
then the notebook's widget."""
import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import context_inpaint
from conftest import visit

HERE, PLACE = Path(context_inpaint.__file__).parent, "http://painter.test/"
HEAD = '<!doctype html><meta name=viewport content="width=device-width"><link rel=stylesheet href=app.css>'
PAGE = HEAD + """<body style="margin:0">
<canvas id=view tabindex=0 style="display:block;width:300px;height:200px;touch-action:none"></canvas>
<div id=below style="height:3000px"></div>
<script type=module>
import { createPainter } from "./paint.js";
import { readMask, writeMask } from "./mask.js";
const photo = new OffscreenCanvas(600, 400), pen = photo.getContext("2d");
pen.fillStyle = "#284", pen.fillRect(0, 0, 600, 400), pen.fillStyle = "#28f", pen.fillRect(300, 0, 300, 400);
window.changes = 0;
window.painter = createPainter(document.getElementById("view"), { changed: () => changes++ });
Object.assign(window, { photo, readMask, writeMask });
painter.open(photo, 600, 400);
document.addEventListener("keydown", (event) => painter.keydown(event));
</script>"""
WIDGET = HEAD + """<body><script type=module>
import app from "./app.js";
const photo = new OffscreenCanvas(300, 200), hole = new OffscreenCanvas(300, 200);
photo.getContext("2d").fillRect(0, 0, 300, 200), hole.getContext("2d").fillRect(0, 0, 10, 10);
const bytes = async (canvas, type) => new DataView(await (await canvas.convertToBlob({ type })).arrayBuffer());
const state = { size: [300, 200], photo: await bytes(photo, "image/jpeg"), mask: await bytes(hole, "image/png"),
  methods: ["telea", "unet"], chosen: ["telea"], results: [], status: "", busy: false }, heard = {}, sent = [];
const model = { get: (name) => state[name], set: (name, value) => { state[name] = value; }, save_changes() {},
  send: (message) => sent.push(message), on: (event, react) => { heard[event] = react; }, off() {} };
const python = (name, value) => { state[name] = value; heard[`change:${name}`]?.(); };
Object.assign(window, { state, sent, heard, python });
app.render({ model, el: document.body });
window.ready = true;
</script>"""


def answer(route, html: str) -> None:
    name = route.request.url.removeprefix(PLACE)
    if not name: route.fulfill(body=html, content_type="text/html")
    elif (HERE/name).is_file(): route.fulfill(path=HERE/name)
    else: route.fulfill(body="")  # the browser asks for an icon


@pytest.fixture
def open_page(browser):
    """Return a function that opens a page made of the package's own JavaScript."""
    contexts = []

    def opened(html: str, ready: str, **options):
        context = visit(browser, PLACE, **options)
        page = context.__enter__()
        contexts.append((context, page))
        page.route(f"{PLACE}**", lambda route: answer(route, html))
        page.goto(PLACE)
        page.wait_for_function(ready)
        return page

    yield opened
    for context, page in contexts:
        page.watch.check()
        context.__exit__(None, None, None)


@pytest.fixture
def page(open_page, request):
    marked = request.node.get_closest_marker("context")
    return open_page(PAGE, "window.painter", **(marked.kwargs if marked else {}))


def mask(page) -> np.ndarray:
    """Return the hole, bool [H, W]."""
    data = page.evaluate("painter.mask.toDataURL()")
    return np.array(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).getchannel("A")) >= 128


def drag(page, *points, button="left"):
    page.mouse.move(*points[0])
    page.mouse.down(button=button)
    for point in points[1:]: page.mouse.move(*point, steps=4)
    page.mouse.up(button=button)


def seen(page): return page.evaluate("[painter.toView([0, 0]), painter.toView([600, 400])].flat()")


def test_the_brush_is_as_wide_as_on_the_screen_and_the_eraser_takes_away(page):
    drag(page, (100, 100), (200, 100))
    hole = mask(page)  # the photo is shown at half its size
    assert hole[200, 200:400].all() and hole[161:239, 300].all() and not hole[:158].any() and not hole[242:].any()
    page.keyboard.press("e")
    drag(page, (150, 100), (150, 101))
    assert not mask(page)[200, 300] and mask(page)[200, 220] and page.evaluate("changes") == 2


def test_a_box_has_whole_pixels_and_an_empty_one_is_none(page):
    page.keyboard.press("x")
    drag(page, (20, 30), (120, 80))
    hole = mask(page)
    assert hole[60:160, 40:240].all() and hole.sum() == 100*200
    drag(page, (200, 150), (200, 150))
    assert mask(page).sum() == 100*200 and page.evaluate("changes") == 1


def test_undo_and_redo_go_through_every_state(page):
    states = [mask(page)]
    for key, *points in (("b", (50, 50), (250, 60)), ("x", (10, 10), (100, 100)), ("e", (60, 50), (90, 90)),
                         ("b", (10, 150), (50, 180))):
        page.keyboard.press(key)
        drag(page, *points)
        states.append(mask(page))
    for state in states[-2::-1]:
        page.keyboard.press("Control+z")
        assert (mask(page) == state).all()
    assert not page.evaluate("painter.undo()") and page.evaluate("painter.canRedo")
    for i, state in enumerate(states[1:]):
        page.keyboard.press("Control+Shift+Z" if i % 2 else "Control+y")
        assert (mask(page) == state).all()
    page.keyboard.press("Control+z")
    drag(page, (200, 20), (220, 20))
    assert not page.evaluate("painter.redo()"), "what is painted anew cannot be redone"


def test_a_fill_lies_on_the_photo_until_it_is_taken_back(page):
    drag(page, (100, 100), (200, 100))
    hole = mask(page)
    page.evaluate("painter.add({ tool: 'fill', layers: [{ image: photo, x: 0, y: 0, width: 60, height: 40 }] })")
    assert not mask(page).any() and page.evaluate("painter.layers.length") == 1
    drag(page, (50, 50), (60, 60))
    assert page.evaluate("painter.layers.length") == 1
    page.keyboard.press("Control+z"), page.keyboard.press("Control+z")
    assert (mask(page) == hole).all() and page.evaluate("painter.layers.length") == 0
    page.keyboard.press("Control+y")
    page.evaluate("painter.add({ tool: 'clear' })")
    assert page.evaluate("painter.layers.length") == 0
    page.keyboard.press("Control+z")
    assert page.evaluate("painter.layers.length") == 1


def test_wheel_keys_and_space_zoom_and_pan(page):
    assert seen(page) == [0, 0, 300, 200]
    page.mouse.move(150, 100)
    page.mouse.wheel(0, 100)
    page.wait_for_function("scrollY > 0")  # the painter has not the focus: the page scrolls
    page.evaluate("scrollTo(0, 0)")
    page.focus("#view")
    page.mouse.wheel(0, -200)
    page.wait_for_function("painter.toView([0, 0])[0] < -10")
    at = page.evaluate("painter.toView([300, 200])")
    assert at == pytest.approx([150, 100]) and page.evaluate("scrollY") == 0, "what lies under the mouse stays there"
    before = seen(page)
    page.keyboard.down("Space")
    drag(page, (150, 100), (170, 110))
    page.keyboard.up("Space")
    drag(page, (150, 100), (160, 105), button="middle")
    assert seen(page)[:2] == pytest.approx([before[0] + 30, before[1] + 15]) and not mask(page).any()
    page.keyboard.press("0")
    assert seen(page) == [0, 0, 300, 200]
    page.keyboard.press("+"), page.keyboard.press("+")
    zoomed = seen(page)
    assert zoomed[2] - zoomed[0] == pytest.approx(300*1.25**2)
    drag(page, (150, 100), (151, 100))
    assert mask(page).any(0).sum() == pytest.approx(40/.78, abs=4), "the brush keeps its width on the screen"


def test_keys_alone_paint(page):
    page.focus("#view")
    for key in ("ArrowRight", "ArrowRight", "Space"): page.keyboard.press(key)
    hole = mask(page)
    assert hole[200, 380] and not hole[200, 300] and hole.sum() == pytest.approx(np.pi*40**2, rel=.02)
    page.keyboard.press("x"), page.keyboard.press("Space")
    for _ in range(3): page.keyboard.press("ArrowDown"), page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert mask(page)[201:319, 381:499].all()
    size = page.evaluate("painter.size")
    page.keyboard.press("]")
    assert page.evaluate("painter.size") > size
    page.keyboard.press("["), page.keyboard.press("[")
    assert page.evaluate("painter.size") < size


def touch(page, kind, *points):
    page.evaluate("""([kind, points]) => {
        for (const [pointerId, clientX, clientY, pointerType = "touch"] of points) {
            const button = kind === "pointermove" ? -1 : 0;
            const at = { pointerId, pointerType, clientX, clientY, button, buttons: 1 };
            const event = new PointerEvent(kind, { ...at, bubbles: true, cancelable: true });
            document.getElementById("view").dispatchEvent(event);
        } }""", [kind, points])


def test_two_fingers_zoom_and_pan_and_paint_nothing(page):
    touch(page, "pointerdown", (1, 100, 100))
    touch(page, "pointermove", (1, 104, 100))
    touch(page, "pointerdown", (2, 200, 100))
    touch(page, "pointermove", (1, 54, 100), (2, 250, 100))
    left, _, right, _ = seen(page)
    assert right - left == pytest.approx(300*196/96, rel=.02)
    touch(page, "pointerup", (2, 250, 100))
    touch(page, "pointermove", (1, 60, 100))
    touch(page, "pointerup", (1, 60, 100))
    assert not mask(page).any() and page.evaluate("changes") == 0
    assert seen(page)[0] == pytest.approx(left + 6), "the finger that stays still moves the photo"
    touch(page, "pointerdown", (3, 100, 100))
    touch(page, "pointermove", (3, 120, 100))
    touch(page, "pointerup", (3, 120, 100))
    assert mask(page).any()


def test_the_hand_beside_a_pen_does_not_paint(page):
    touch(page, "pointerdown", (1, 100, 100, "pen"))
    touch(page, "pointerup", (1, 100, 100, "pen"))
    hole = mask(page)
    assert hole.any()
    touch(page, "pointerdown", (2, 200, 150))
    touch(page, "pointermove", (2, 250, 150))
    touch(page, "pointerup", (2, 250, 150))
    assert (mask(page) == hole).all()


@pytest.mark.context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
def test_a_real_finger_paints_without_scrolling(page):
    hand = page.context.new_cdp_session(page)
    for i in range(8):
        point = {"x": 100, "y": 180 - 20*i}
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": [point]})
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert mask(page)[100:340, 200].all() and page.evaluate("scrollY") == 0


def test_the_brush_is_outlined_and_before_and_after_share_the_view(page):
    def shot(): return np.array(Image.open(io.BytesIO(page.locator("#view").screenshot())).convert("RGB")).astype(int)
    page.mouse.move(10, 190)
    plain = shot()
    page.mouse.move(100, 100)
    changed = (np.abs(shot() - plain).max(-1) > 40)
    assert changed[95:105, 78:83].any() and not changed[97:103, 97:103].any()
    page.evaluate("""() => { const image = new OffscreenCanvas(1, 1);
        image.getContext("2d").fillRect(0, 0, 1, 1);
        painter.add({ tool: "fill", layers: [{ image, x: 0, y: 0, width: 600, height: 400 }] }); }""")
    page.mouse.move(500, 500)
    assert (shot()[100, [20, 250]] == 0).all()
    page.evaluate("painter.split = 0.5, painter.redraw()")
    page.wait_for_timeout(100)
    assert (shot()[100, 20] == plain[100, 20]).all() and (shot()[100, 250] == 0).all()


def test_masks_go_out_and_in(page):
    drag(page, (100, 100), (200, 100))
    hole = mask(page)
    data = page.evaluate("""async () => {
        const blob = await writeMask(painter.mask, 600, 400), file = new File([blob], "m.png");
        painter.add({ tool: "clear" });
        painter.add({ tool: "mask", image: await readMask(file, 600, 400) });
        return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer()))); }""")
    stored = np.array(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"))
    assert ((stored == 255) == hole).all() and set(np.unique(stored)) == {0, 255} and (mask(page) == hole).all()
    said = page.evaluate("readMask(new File(['no'], 'no.png'), 600, 400).catch((error) => error.message)")
    assert said == "no.png is not a picture that this browser can read"


# ---- the widget, with a Python that says what the test makes it say

@pytest.fixture
def widget(open_page):
    page = open_page(WIDGET, "window.ready && document.querySelector('.ci-painter canvas').ariaLabel")
    page.evaluate("python('results', [{ name: 'telea', note: '', jpeg: state.photo }])")
    return page


def test_no_focusable_part_of_the_widget_leaves_its_keys_to_the_notebook(widget):
    parts = widget.evaluate("""[...document.querySelectorAll('.ci-painter, .ci-painter *')]
        .filter((node) => node.tabIndex >= 0).map((node) => node.dataset.lmSuppressShortcuts)""")
    assert len(parts) > 15 and set(parts) == {"true"}
    widget.evaluate("window.leaked = '', document.addEventListener('keydown', ({ key }) => { window.leaked += key; })")
    for name in ("Erase", "Undo", "Save mask"):
        widget.get_by_role("button", name=name).focus()
        for key in "bxaed": widget.keyboard.press(key)
    assert widget.evaluate("window.leaked") == ""


def test_fill_claims_nothing_before_python_has_answered(widget):
    widget.evaluate("python('status', 'filled 3% of the photo')")
    widget.get_by_role("button", name="Fill").click()
    expect(widget.locator(".ci-status")).to_have_text("asking Python to fill…")
    expect(widget.locator(".ci-results")).to_have_class("ci-results ci-old")
    assert widget.evaluate("sent") == [{"do": "fill", "methods": ["telea"]}]
    expect(widget.locator(".ci-status")).to_contain_text("has not answered", timeout=8000)
    widget.evaluate("python('cancellable', true), python('busy', true), python('status', 'filling with telea…')")
    widget.evaluate("python('progress', .5)")
    expect(widget.locator(".ci-status")).to_have_text("filling with telea…")
    assert widget.locator("progress").evaluate("bar => bar.value") == .5
    widget.get_by_role("button", name="Cancel").click()
    assert widget.evaluate("sent.at(-1)") == {"do": "cancel"}
    widget.evaluate("python('busy', false), python('status', 'cancelled')")
    expect(widget.locator(".ci-status")).to_have_text("cancelled")
    expect(widget.locator("progress")).to_be_hidden()


def test_what_is_dropped_or_pasted_is_opened_and_what_is_no_picture_is_refused(widget):
    for kind, event in (("drop", "DragEvent('drop', { dataTransfer: given, bubbles: true, cancelable: true })"),
                        ("paste", "ClipboardEvent('paste', { clipboardData: given, bubbles: true })")):
        widget.evaluate(f"""() => {{ const given = new DataTransfer();
            given.items.add(new File(['x'], '{kind}.png', {{ type: 'image/png' }}));
            document.querySelector('.ci-painter canvas').dispatchEvent(new {event}); }}""")
        widget.wait_for_function(f"sent.at(-1)?.name === '{kind}.png'")
    picker = widget.locator("input[type=file]").first
    picker.set_input_files({"name": "x.heic", "mimeType": "image/heic", "buffer": b"no"})
    expect(widget.locator(".ci-status")).to_have_text(
        "x.heic is not a picture this browser can read. Choose a JPEG, PNG, WebP or GIF.")
    gif = io.BytesIO()
    Image.new("RGB", (4, 4)).save(gif, "GIF")
    picker.set_input_files({"name": "x.gif", "mimeType": "image/gif", "buffer": gif.getvalue()})
    widget.wait_for_function("sent.at(-1).name === 'x.gif' && sent.at(-1).left === 0")


def test_what_is_saved_is_a_link_in_the_document(widget):
    widget.evaluate("""document.addEventListener('click', ({ target }) => {
        if (target.download) window.linked = target.isConnected; })""")
    widget.get_by_role("button", name="Save PNG").click()
    assert widget.evaluate("sent.at(-1)") == {"do": "save", "name": "telea"}
    with widget.expect_download() as download:
        widget.evaluate("heard['msg:custom']({ save: 'telea' }, [state.mask])")
    assert download.value.suggested_filename == "filled-telea.png" and widget.evaluate("window.linked")
