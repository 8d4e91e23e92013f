"""The live demo as people use it: mouse, touch and keys, without a network, with files that are no pictures; its numbers are those of the library."""
import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from context_inpaint import metrics
from context_inpaint.classical import poisson, ring_mean
from context_inpaint.core import generator
from context_inpaint.catalogue import shipped, shipped_network
from context_inpaint.masks import composite, hide, make_masks
from context_inpaint.scenes import draw

LONG = 60_000  # milliseconds: only a broken page takes so long
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
METHODS = ["ring-mean", "harmonic", "unet"]


@pytest.fixture
def demo(page):
    """The page with its first scene and the network ready."""
    page.set_default_timeout(LONG)
    page.goto("demo/index.html")
    expect(page.locator("#status")).to_contain_text("Press Fill", timeout=LONG)
    page.evaluate("demo.ready")
    return page


def says(page, text): expect(page.locator("#status")).to_contain_text(text, timeout=LONG)


def fill(page, press=None):
    """Press Fill, or what is given, and wait for the network's fill."""
    page.locator("#fill").click() if press is None else press()
    says(page, "Filled")
    return [page.locator(f".result[data-method={name}]").inner_text() for name in METHODS]


def drag(page, *points):
    """Draw with the mouse over points of the picture, in shares of its sides."""
    page.locator("#canvas").scroll_into_view_if_needed()
    place = page.locator("#canvas").bounding_box()
    for i, (x, y) in enumerate(points):
        page.mouse.move(place["x"] + x*place["width"], place["y"] + y*place["height"], steps=1 if not i else 4)
        if not i: page.mouse.down()
    page.mouse.up()


def pixels(page, selector):
    """Return the RGB bytes of a canvas, [H, W, 3]."""
    data = page.locator(selector).evaluate("c => c.toDataURL('image/png')")
    return np.array(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))


def box(page): return page.locator("#box").evaluate("b => ['left', 'top', 'width', 'height'].map(side => parseFloat(b.style[side]))")


def saved(page):
    with page.expect_download(timeout=LONG) as download: page.locator("#save").click()
    says(page, "Known pixels unchanged")
    return np.array(Image.open(download.value.path()).convert("RGB"))


def keeps_known(page, hidden):
    """Check that every method kept the known pixels, said so, and drew something in the hole; `hidden` is the mask's share, about."""
    scene = pixels(page, "#results figure:not(.result) canvas")
    total = scene.shape[0]*scene.shape[1]
    for name in METHODS:
        same, of = (int(n.replace(",", "")) for n in re.search(r"unchanged: ([\d,]+) of ([\d,]+)", page.locator(f".result[data-method={name}]").inner_text()).groups())
        changed = (pixels(page, f".result[data-method={name}] canvas") != scene).any(-1)
        assert same == of and 0 < changed.sum() <= total - of and total - of == pytest.approx(hidden*total, rel=.15), name
    return scene


def test_a_box_drawn_with_the_mouse_is_filled_and_saved(demo):
    scene = np.array(Image.open(io.BytesIO(demo.request.get("demo/scene-0.png").body())).convert("RGB"))
    assert (scene == draw(0, 192, seed=1)).all()
    demo.locator("#clear").click()
    drag(demo, (.3, .5), (.5, .7))
    captions = fill(demo)
    assert all("dB" in caption for caption in captions)
    assert (keeps_known(demo, .04) == scene).all()
    out, mask = saved(demo), np.zeros((192, 192), bool)
    left, top, width, height = (round(v*1.92) for v in box(demo))
    mask[top:top + height, left:left + width] = True
    assert (out[~mask] == scene[~mask]).all() and (out[mask] != scene[mask]).mean() > .3
    image, hole = torch.from_numpy(scene).permute(2, 0, 1)[None].float()/255, torch.from_numpy(mask)[None, None]
    for method, caption in ((ring_mean, captions[0]), (shipped("unet"), captions[2])):
        expected = float(metrics.psnr(method(image, hole), image, hole))
        assert float(re.search(r"([\d.]+) dB", caption)[1]) == pytest.approx(expected, abs=.06)


def test_brush_eraser_undo_and_clear(demo):
    fill(demo)
    demo.locator("#clear").click()
    demo.locator("#fill").click()
    says(demo, "no hole yet")
    before = pixels(demo, "#canvas")
    demo.locator("#tool-brush").click()
    drag(demo, (.2, .2), (.8, .3), (.5, .8))
    painted = pixels(demo, "#canvas")
    assert .05 < (painted != before).any(-1).mean() < .4
    demo.locator("#tool-erase").click()
    drag(demo, (.2, .2), (.5, .25))
    erased = pixels(demo, "#canvas")
    assert 0 < (erased != before).any(-1).sum() < (painted != before).any(-1).sum()
    fill(demo)
    keeps_known(demo, (erased != before).any(-1).mean())
    demo.locator("#undo").click()
    assert (pixels(demo, "#canvas") == painted).all()
    demo.locator("#undo").click()
    assert (pixels(demo, "#canvas") == before).all()


def test_a_wholly_hidden_picture_is_refused(demo):
    drag(demo, (.001, .001), (.999, .999))
    demo.locator("#fill").click()
    says(demo, "whole picture is hidden")


@pytest.mark.context(**PHONE)
def test_a_finger_paints_without_scrolling_the_page(demo):
    demo.locator("#clear").tap()
    demo.locator("#tool-brush").tap()
    demo.locator("#canvas").scroll_into_view_if_needed()
    place, scrolled = demo.locator("#canvas").bounding_box(), demo.evaluate("scrollY")
    touch = demo.context.new_cdp_session(demo)
    for i in range(12):
        point = {"x": place["x"] + place["width"]*.5, "y": place["y"] + place["height"]*(.8 - .05*i)}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert demo.evaluate("scrollY") == scrolled
    fill(demo, demo.locator("#fill").tap)
    keeps_known(demo, .055)
    assert demo.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def test_keys_alone(demo):
    reached = []
    for _ in range(24):
        demo.keyboard.press("Tab")
        reached.append(demo.evaluate("document.activeElement.id"))
    for name in ("canvas", "file", "tool-box", "tool-brush", "tool-erase", "undo", "clear", "brush-size", "fill"): assert name in reached, name
    demo.focus("#canvas")
    left, top, width, height = box(demo)
    demo.keyboard.press("ArrowRight"), demo.keyboard.press("ArrowRight"), demo.keyboard.press("ArrowUp")
    moved = box(demo)
    assert moved[0] > left and moved[1] < top and moved[2:] == [width, height]
    demo.keyboard.press("Shift+ArrowDown"), demo.keyboard.press("Shift+ArrowLeft")
    sized = box(demo)
    assert sized[:2] == moved[:2] and sized[2] < width and sized[3] > height
    demo.keyboard.press("Space")
    expect(demo.locator("#box")).to_be_hidden()
    demo.focus("#tool-brush"), demo.keyboard.press("Enter"), demo.focus("#canvas")
    demo.keyboard.press("ArrowLeft"), demo.keyboard.press("Space")
    assert "dB" in fill(demo, lambda: demo.keyboard.press("Enter"))[2]
    painted = pixels(demo, "#canvas")
    demo.keyboard.press("z")
    assert (pixels(demo, "#canvas") != painted).any()


def test_what_is_no_picture_is_said_in_words(demo):
    before = pixels(demo, "#canvas")
    for name, data, said in (("notes.txt", b"not a picture", "notes.txt is not a picture"), ("broken.png", b"\x89PNG\r\n\x1a\nrest", "broken.png is not a picture"),
                             ("dot.png", png(np.zeros((3, 3, 3), np.uint8)), "too small"), ("line.png", png(np.zeros((10, 4000, 3), np.uint8)), "too small or too narrow")):
        demo.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": data})
        says(demo, said)
    assert (pixels(demo, "#canvas") == before).all(), "the picture that was there stays"
    demo.evaluate("document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: new DataTransfer()}))")
    says(demo, "clipboard holds no picture")
    fill(demo)


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_a_huge_photograph_keeps_its_size_and_its_pixels(demo):
    y, x = np.mgrid[:4000, :6000].astype(np.float32)
    photo = np.stack([x/24, y/16, (x + y)/40], -1).astype(np.uint8)
    demo.set_input_files("#file", {"name": "huge.png", "mimeType": "image/png", "buffer": png(photo)})
    says(demo, "6,000×4,000")
    drag(demo, (.4, .4), (.6, .6))
    fill(demo)
    keeps_known(demo, .04)
    out = saved(demo)
    changed = (out != photo).any(-1)
    rows, columns = changed.any(1).nonzero()[0], changed.any(0).nonzero()[0]
    assert out.shape == photo.shape and .005 < changed.mean() < .05
    assert rows[0] > 1500 and rows[-1] < 2500 and columns[0] > 2300 and columns[-1] < 3700
    assert np.abs(out[1900:2100, 2900:3100].astype(int) - photo[1900:2100, 2900:3100]).max() < 25, "a plane is continued, at its place"


def test_a_pasted_and_a_dropped_picture(demo):
    make = """([kind, type]) => { const c = new OffscreenCanvas(90, 60); const p = c.getContext('2d'); p.fillStyle = '#3a6'; p.fillRect(0, 0, 90, 60);
        return c.convertToBlob().then(b => { const d = new DataTransfer(); d.items.add(new File([b], 'some.png', {type: 'image/png'}));
        document.dispatchEvent(kind === 'paste' ? new ClipboardEvent('paste', {clipboardData: d}) : new DragEvent('drop', {dataTransfer: d, cancelable: true})); }); }"""
    for kind, name in (("paste", "The pasted picture"), ("drop", "some.png")):
        demo.evaluate(make, [kind, ""])
        says(demo, f"{name}: 90×60")
    drag(demo, (.3, .3), (.6, .6))
    fill(demo)


def test_it_works_without_a_network(demo):
    expect(demo.locator("#offline")).to_be_visible(timeout=LONG)
    demo.context.set_offline(True)
    demo.reload()
    says(demo, "Press Fill")
    demo.locator("#samples button").nth(3).click()
    says(demo, "road")
    fill(demo)
    keeps_known(demo, 1/36)
    demo.context.set_offline(False)


@pytest.mark.allows("404")
def test_without_the_network_the_others_still_fill(page):
    page.route("**/unet.onnx", lambda route: route.fulfill(status=404, body="gone"))
    page.goto("demo/index.html")
    page.locator("#samples button").first.click()
    page.locator("#fill").click()
    says(page, "could not be loaded")
    expect(page.locator(".result[data-method=harmonic]")).to_contain_text("dB")
    expect(page.locator("#save")).to_be_disabled()


def test_without_webassembly_the_page_says_so(page):
    page.route("**/worker.js", lambda route: route.fulfill(body="delete self.WebAssembly;" + route.fetch().text(), content_type="text/javascript"))
    page.goto("demo/index.html")
    says(page, "Press Fill")
    page.locator("#fill").click()
    says(page, "no WebAssembly")
    expect(page.locator(".result[data-method=ring-mean]")).to_contain_text("dB")


@pytest.mark.allows("worker", "ERR_FAILED")
def test_when_filling_cannot_start_the_page_says_so(page):
    page.route("**/worker.js", lambda route: route.abort())
    page.goto("demo/index.html")
    page.locator("#samples button").first.click()
    says(page, "Press Fill")
    page.locator("#fill").click()
    says(page, "That did not work: the page's worker could not start")


def in_browser(page, call, image, mask):
    """Call a function of the page with an image [3, H, W] and a mask [1, H, W]; return what it gives, [1, 3, H, W]."""
    given = [base64.b64encode(x.numpy().tobytes()).decode() for x in (image, mask)] + list(mask.shape[-2:])
    out = page.evaluate(f"""async ([image, mask, h, w]) => {{
        const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
        const out = await ({call})(new Float32Array(bytes(image).buffer), bytes(mask), h, w), raw = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
        let text = "";
        for (const byte of raw) text += String.fromCharCode(byte);
        return btoa(text); }}""", given)
    return torch.from_numpy(np.frombuffer(base64.b64decode(out), np.float32).copy()).view(1, *image.shape)


def test_the_browser_computes_what_torch_computes(demo):
    net, config = shipped_network("unet")
    for sides in ((64, 64), (33, 71), (90, 31)):
        image, mask = torch.rand(3, *sides, generator=generator(1)), make_masks("brush", 1, sides, .4)[0]
        with torch.no_grad(): expected = net(hide(image[None], mask[None], True))
        assert (in_browser(demo, "demo.run", image, mask) - expected).abs().max() < 1e-5, sides
        leak = image.clone()
        leak[:, mask[0]] = 1 - leak[:, mask[0]]
        assert (in_browser(demo, "demo.run", leak, mask) - expected).abs().max() < 1e-5, "hidden pixels reach the network"


CASES = [("object", (80, 112), .5), ("brush", (112, 80), .5), ("block", (150, 131), .7), ("center", (96, 141), .6), ("region", (48, 60), .5)]


@pytest.mark.parametrize("name", METHODS)
def test_the_methods_are_those_of_the_library(demo, name):
    library = {"ring-mean": ring_mean, "harmonic": lambda image, mask: composite(image, poisson(image, mask, tol=1e-6).clamp(0, 1), mask), "unet": shipped("unet")}[name]
    for i, (kind, sides, hole) in enumerate(CASES):
        image, mask = (torch.from_numpy(draw(i, sides, seed=7)).permute(2, 0, 1).float()/255).contiguous(), make_masks(kind, 1, sides, hole, seed=4)[0]
        if kind == "center": mask[..., :9, :9] = mask[..., 60:63, :] = True  # at the border, and another group
        if kind == "block": mask[..., 0, 0] = mask[..., 1, 1] = mask[..., 2, 2] = True  # connected by corners alone
        ours, theirs = in_browser(demo, f"(...given) => demo.fill('{name}', ...given)", image, mask), library(image[None], mask[None])
        assert torch.equal(ours.masked_fill(mask, 0), image[None].masked_fill(mask, 0)), "a known pixel changed"
        assert (ours - theirs).abs().max() < {"ring-mean": 1e-5, "harmonic": 5e-4, "unet": 1e-5}[name], (kind, sides)


@pytest.mark.context(color_scheme="light")
def test_the_theme_chosen_on_the_site_holds_here(page):
    page.goto("demo/index.html")
    ground = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = ground()
    page.evaluate("localStorage.setItem('mode', 'dark'), localStorage.setItem('theme', 'dark')")
    page.reload()
    assert ground() != light
    page.evaluate("localStorage.setItem('mode', 'auto')")
    page.reload()
    assert ground() == light


def test_licences_and_weights(page, site):
    text = page.request.get("demo/licenses.txt").text()
    assert "Copyright (c) Microsoft Corporation" in text and "Apache License" in text
    weights = [page.request.get(f"demo/{method['file']}").body() for method in page.request.get("demo/demo.json").json()["methods"]]
    assert weights and sum(map(len, weights)) < 6e6
