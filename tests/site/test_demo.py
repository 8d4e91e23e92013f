"""The live demo as people use it: mouse, touch and keys, without a network, with files that are no pictures; its
numbers are those of the library."""
import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect

from context_inpaint import metrics
from context_inpaint.catalogue import load_inpainter, load_network
from context_inpaint.classical import poisson, ring_mean
from context_inpaint.core import generator
from context_inpaint.masks import composite, hide, make_masks
from context_inpaint.scenes import draw

LONG = 60_000  # milliseconds: only a broken page takes so long
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
METHODS = ["unet", "harmonic", "ring-mean"]


@pytest.fixture
def demo(page):
    """The page with its first sample and the network ready."""
    page.set_default_timeout(LONG)
    page.goto("demo/index.html")
    says(page, "Press Fill")
    page.evaluate("demo.ready")
    return page


def says(page, text): expect(page.locator("#status")).to_contain_text(text, timeout=LONG)


def fill(page, press=None):
    """Press Fill, or what is given, and wait for the fill."""
    page.locator("#fill").click() if press is None else press()
    says(page, "Filled")


def png(array, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options or {"compress_level": 1} if kind == "PNG" else options)
    return file.getvalue()


def opened(page, array, name="photo.png", kind="PNG"):
    """Open a picture, [H, W, 3 or 4] uint8, without a hole."""
    page.set_input_files("#file", {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": png(array, kind)})
    says(page, f"{name}: {array.shape[1]:,}×{array.shape[0]:,}")


def scene(height=256, width=384, kind=6): return draw(kind, (height, width), seed=1)


def drag(page, *points):
    """Draw with the mouse over points of the photo, in shares of its sides."""
    for i, (x, y) in enumerate(points):
        page.mouse.move(*where(page, x, y), steps=1 if not i else 4)
        if not i: page.mouse.down()
    page.mouse.up()


def where(page, x, y):
    box = page.locator("#canvas").bounding_box()
    left, top = page.evaluate(f"demo.painter.toView([{x}*demo.painter.mask.width, {y}*demo.painter.mask.height])")
    return box["x"] + left, box["y"] + top


def decoded(data): return np.array(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))))


def mask(page):
    """Return the hole, bool [H, W]."""
    return decoded(page.evaluate("demo.painter.mask.toDataURL()"))[..., 3] >= 128


def saved(page, button="#save"):
    """Return what is saved, and its name."""
    with page.expect_download(timeout=LONG) as download: page.locator(button).click()
    out = np.array(Image.open(download.value.path()))
    opaque = out.shape[-1] == 4 and (out[..., 3] == 255).all()
    return out[..., :3] if opaque else out, download.value.suggested_filename


def test_a_box_is_filled_in_the_picture_as_the_library_fills_it_and_saved(demo):
    photo = scene()
    opened(demo, photo)
    demo.locator("#tool-box").click()
    drag(demo, (.3, .5), (.5, .7))
    hole = mask(demo)
    assert hole.mean() == pytest.approx(.04, rel=.1)
    fill(demo)
    assert not mask(demo).any(), "painting goes on from the filled picture"
    image, missing = torch.from_numpy(photo).permute(2, 0, 1)[None].float()/255, torch.from_numpy(hole)[None, None]
    for name, method in (("unet", load_inpainter("unet")), ("ring-mean", ring_mean)):
        demo.locator(f"#method-{name}").check()
        expect(demo.locator(f"#made-{name}")).to_contain_text("dB")
        out, file = saved(demo)
        says(demo, "Saved photo-filled.png")
        assert file == "photo-filled.png" and (out[~hole] == photo[~hole]).all(), "a known pixel changed"
        expected = method(image, missing)
        assert np.abs(out/255 - expected[0].permute(1, 2, 0).numpy())[hole].max() < 1/255, name
        caption = demo.locator(f"#made-{name}").inner_text()
        psnr = float(metrics.psnr(expected, image, missing))
        assert float(re.search(r"([\d.]+) dB", caption)[1]) == pytest.approx(psnr, abs=.06)


def test_a_second_hole_is_filled_after_the_first_and_all_is_undone(demo):
    photo = scene()
    opened(demo, photo)
    drag(demo, (.2, .2), (.3, .3))
    first = mask(demo)
    fill(demo)
    drag(demo, (.6, .6), (.8, .6))
    second = mask(demo)
    fill(demo)
    out, _ = saved(demo)
    assert (out[~(first | second)] == photo[~(first | second)]).all()
    assert all((out[hole] != photo[hole]).any(-1).mean() > .3 for hole in (first, second))
    demo.locator("#copy").focus()
    for _ in range(2): demo.keyboard.press("Control+z")
    once, _ = saved(demo)
    assert (once[second] == photo[second]).all() and (once[first] == out[first]).all()
    for _ in range(2): demo.keyboard.press("Control+Shift+Z")
    assert (saved(demo)[0] == out).all()
    demo.locator("#clear").click()
    expect(demo.locator("#save")).to_be_disabled()
    demo.locator("#fill").click()
    says(demo, "no hole yet")
    demo.locator("#undo").click()
    expect(demo.locator("#save")).to_be_enabled()


def test_before_and_after(demo):
    def shot():
        return np.array(Image.open(io.BytesIO(demo.locator("#canvas").screenshot())).convert("RGB")).astype(int)

    opened(demo, scene())
    expect(demo.locator("#hold")).to_be_disabled()
    demo.mouse.move(5, 5)
    before = shot()
    demo.locator("#tool-box").click()
    drag(demo, (.3, .3), (.7, .7))
    fill(demo)
    demo.mouse.move(5, 5)
    after, hold = shot(), demo.locator("#hold").bounding_box()
    assert (after != before).mean() > .1
    demo.mouse.move(hold["x"] + 9, hold["y"] + 9)
    demo.mouse.down()
    assert (shot() == before).all()
    demo.mouse.up()
    assert (shot() == after).all()
    demo.locator("#split").fill("50")
    half = before.shape[1]//2
    assert (shot()[:, :half - 4] == before[:, :half - 4]).all() and (shot()[:, half + 4:] == after[:, half + 4:]).all()


@pytest.mark.parametrize("sides", [(1280, 720), (390, 844)])
def test_the_result_is_seen_without_scrolling(browser, site, sides):
    with_touch = {"has_touch": True, "is_mobile": True} if sides[0] < 500 else {}
    context = browser.new_context(base_url=site, viewport=dict(zip(("width", "height"), sides)), **with_touch)
    page = context.new_page()
    page.goto("demo/index.html")
    says(page, "Press Fill")
    page.locator("#fill").click()
    says(page, "Filled")
    assert page.evaluate("scrollY") == 0 and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for place in ("#canvas", "#split", "#fill", "#status", "#save", "#methods"):
        box = page.locator(place).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= sides[1], place
    context.close()


def test_a_wholly_hidden_picture_is_refused(demo):
    opened(demo, scene())
    demo.locator("#tool-box").click()
    drag(demo, (.001, .001), (.999, .999))
    demo.locator("#fill").click()
    says(demo, "whole picture is hidden")


def test_a_fill_reports_progress_and_can_be_cancelled(demo):
    opened(demo, scene(1600, 2400))
    demo.locator("#tool-box").click()
    drag(demo, (.2, .2), (.6, .8))
    hole = mask(demo)
    demo.locator("#fill").click()
    expect(demo.locator("#progress")).to_be_visible()
    demo.locator("#cancel").click()
    says(demo, "Cancelled")
    assert (mask(demo) == hole).all()
    expect(demo.locator("#save")).to_be_disabled()
    demo.locator("#method-ring-mean").check()
    fill(demo)


@pytest.mark.context(**PHONE)
def test_a_finger_paints_without_scrolling_the_page_and_two_zoom(demo):
    demo.locator("#clear").tap()
    box, scrolled = demo.locator("#canvas").bounding_box(), demo.evaluate("scrollY")
    hand = demo.context.new_cdp_session(demo)

    def gesture(*paths):
        for i in range(12):
            points = [{"x": box["x"] + box["width"]*x(i), "y": box["y"] + box["height"]*y(i), "id": k}
                      for k, (x, y) in enumerate(paths)]
            hand.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": points})
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    gesture((lambda i: .4 - .02*i, lambda i: .5), (lambda i: .6 + .02*i, lambda i: .5))
    assert demo.evaluate("demo.painter.toView([0, 0])[0]") < -50 and not mask(demo).any()
    gesture((lambda i: .5, lambda i: .8 - .05*i))
    assert demo.evaluate("scrollY") == scrolled and demo.evaluate("visualViewport.scale") == 1
    fill(demo, demo.locator("#fill").tap)


def test_keys_alone(demo):
    reached = []
    for _ in range(30):
        demo.keyboard.press("Tab")
        reached.append(demo.evaluate("document.activeElement.id"))
    for name in ("canvas", "file", "tool-box", "tool-brush", "tool-erase", "undo", "redo", "clear", "brush-size",
                 "fill", "fit", "method-unet", "mask-save"):
        assert name in reached, name
    demo.keyboard.press("Control+z"), demo.keyboard.press("Control+z")
    demo.focus("#canvas")
    demo.keyboard.press("x"), demo.keyboard.press("Space")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Space"): demo.keyboard.press(key)
    assert mask(demo).any()
    fill(demo, lambda: demo.keyboard.press("Enter"))


def test_what_is_no_picture_is_said_in_words(demo):
    before = mask(demo)
    for name, data, said in (("notes.txt", b"not a picture", "notes.txt is not a picture this browser can read"),
                             ("x.heic", b"ftypheic", "x.heic is not a picture this browser can read"),
                             ("broken.png", b"\x89PNG\r\n\x1a\nrest", "broken.png is not a picture"),
                             ("dot.png", png(np.zeros((3, 3, 3), np.uint8)), "too small")):
        demo.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": data})
        says(demo, said)
    assert (mask(demo) == before).all(), "the picture that was there stays"
    demo.set_input_files("#mask-file", {"name": "m.png", "mimeType": "image/png", "buffer": png(scene(20, 20))})
    says(demo, "make them equal")
    demo.evaluate("document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: new DataTransfer()}))")
    says(demo, "clipboard holds no picture")
    fill(demo)


def test_a_huge_photograph_is_filled_at_its_own_pixels(demo):
    """A fine stripe pattern would be grey if it had been looked at from afar."""
    y, x = np.mgrid[:4000, :6000].astype(np.float32)
    photo = np.stack([x/24, y/16, 128 + 100*np.sin(y/2)], -1).astype(np.uint8)
    opened(demo, photo, "huge.png")
    demo.locator("#larger").click()
    drag(demo, (.5, .5), (.51, .5))
    fill(demo)
    out, _ = saved(demo)
    changed = (out != photo).any(-1)
    rows, columns = changed.any(1).nonzero()[0], changed.any(0).nonzero()[0]
    assert out.shape == photo.shape and 0 < changed.mean() < .01
    assert rows[0] > 1700 and rows[-1] < 2300 and columns[0] > 2700 and columns[-1] < 3400
    rim = out[rows[0]:rows[0] + 12, 3030, 2].astype(int)
    if np.ptp(rim) <= 30: pytest.xfail("the network draws fine stripes too softly, even at the photo's own pixels")


def test_transparency_stays_and_a_jpeg_stays_a_jpeg(demo):
    photo = np.dstack([scene(), np.full((256, 384), 255, np.uint8)])
    photo[:40, :, 3] = 0
    opened(demo, photo, "glass.png")
    drag(demo, (.3, .1), (.3, .6))
    fill(demo)
    out, name = saved(demo)
    assert name == "glass-filled.png" and (out[..., 3] == photo[..., 3]).all()
    opened(demo, scene(), "beach.day.jpg", "JPEG")
    drag(demo, (.3, .3), (.4, .6))
    fill(demo)
    out, name = saved(demo)
    assert name == "beach.day-filled.jpg" and out.shape == (256, 384, 3)


def test_masks_go_out_and_in(demo):
    opened(demo, scene())
    drag(demo, (.2, .2), (.8, .3), (.5, .8))
    hole = mask(demo)
    stored, name = saved(demo, "#mask-save")
    assert name == "photo-mask.png" and ((stored[..., 0] == 255) == hole).all()
    demo.locator("#clear").click()
    demo.set_input_files("#mask-file", {"name": "m.png", "mimeType": "image/png", "buffer": png(stored[..., 0])})
    says(demo, "m.png is the hole now")
    assert (mask(demo) == hole).all()
    fill(demo)


@pytest.mark.context(permissions=["clipboard-read", "clipboard-write"])
def test_the_result_is_copied(demo):
    fill(demo)
    demo.locator("#copy").click()
    says(demo, "Copied")
    assert demo.evaluate("navigator.clipboard.read().then(items => items[0].types)") == ["image/png"]


def test_a_pasted_and_a_dropped_picture(demo):
    make = """([kind, name]) => { const c = new OffscreenCanvas(90, 60), p = c.getContext('2d'); p.fillStyle = '#3a6';
        p.fillRect(0, 0, 90, 60);
        return c.convertToBlob().then(b => { const d = new DataTransfer();
        d.items.add(new File([b], name, {type: 'image/png'}));
        document.dispatchEvent(kind === 'paste' ? new ClipboardEvent('paste', {clipboardData: d})
            : new DragEvent('drop', {dataTransfer: d, cancelable: true})); }); }"""
    for kind, name in (("paste", "image.png"), ("drop", "some.png")):
        demo.evaluate(make, [kind, name])
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
    demo.context.set_offline(False)


@pytest.mark.allows("404")
def test_without_the_network_the_others_still_fill(page):
    page.route("**/unet.onnx", lambda route: route.fulfill(status=404, body="gone"))
    page.goto("demo/index.html")
    expect(page.locator("#method-unet")).to_be_disabled(timeout=LONG)
    page.locator("#samples button").first.click()
    says(page, "Press Fill")
    fill(page)
    expect(page.locator("#made-harmonic")).to_contain_text("dB")


def test_without_webassembly_the_page_says_so(page):
    def without(route):
        route.fulfill(body="delete self.WebAssembly;" + route.fetch().text(), content_type="text/javascript")

    page.route("**/worker.js", without)
    page.goto("demo/index.html")
    expect(page.locator("#method-unet")).to_be_disabled(timeout=LONG)
    page.locator("#samples button").first.click()
    says(page, "Press Fill")
    fill(page)


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
        const out = await ({call})(new Float32Array(bytes(image).buffer), bytes(mask), h, w);
        const raw = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
        let text = "";
        for (const byte of raw) text += String.fromCharCode(byte);
        return btoa(text); }}""", given)
    return torch.from_numpy(np.frombuffer(base64.b64decode(out), np.float32).copy()).view(1, *image.shape)


def test_the_browser_computes_what_torch_computes(demo):
    net = load_network("unet").network
    for sides in ((64, 64), (33, 71), (90, 31)):
        image, mask = torch.rand(3, *sides, generator=generator(1)), make_masks("brush", 1, sides, .4)[0]
        with torch.no_grad(): expected = net(hide(image[None], mask[None], True))
        assert (in_browser(demo, "demo.run", image, mask) - expected).abs().max() < 1e-5, sides
        leak = image.clone()
        leak[:, mask[0]] = 1 - leak[:, mask[0]]
        leaked = (in_browser(demo, "demo.run", leak, mask) - expected).abs().max()
        assert leaked < 1e-5, "hidden pixels reach the network"


CASES = [("object", (80, 112), .5), ("brush", (112, 80), .5), ("block", (150, 131), .7), ("center", (96, 141), .6),
         ("region", (48, 60), .5)]


def smoothest(image, mask): return composite(image, poisson(image, mask, tol=1e-6).clamp(0, 1), mask)


@pytest.mark.parametrize("name", METHODS)
def test_the_methods_are_those_of_the_library(demo, name):
    library = {"ring-mean": ring_mean, "harmonic": smoothest, "unet": load_inpainter("unet")}[name]
    within = {"ring-mean": 1e-5, "harmonic": 5e-4, "unet": 1e-5}[name]
    for i, (kind, sides, hole) in enumerate(CASES):
        image = (torch.from_numpy(draw(i, sides, seed=7)).permute(2, 0, 1).float()/255).contiguous()
        mask = make_masks(kind, 1, sides, hole, seed=4)[0]
        if kind == "center": mask[..., :9, :9] = mask[..., 60:63, :] = True  # at the border, and another group
        if kind == "block": mask[..., 0, 0] = mask[..., 1, 1] = mask[..., 2, 2] = True  # connected by corners alone
        ours = in_browser(demo, f"(...given) => demo.fill('{name}', ...given)", image, mask)
        theirs = library(image[None], mask[None])
        assert torch.equal(ours.masked_fill(mask, 0), image[None].masked_fill(mask, 0)), "a known pixel changed"
        assert (ours - theirs).abs().max() < within, (kind, sides)


@pytest.mark.context(color_scheme="light")
def test_the_theme_chosen_on_the_site_holds_here(page):
    page.goto("demo/index.html")
    def ground(): return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.evaluate("localStorage.setItem('mode', 'dark'), localStorage.setItem('theme', 'dark')")
    page.reload()
    assert ground() != light
    page.evaluate("localStorage.setItem('mode', 'auto')")
    page.reload()
    assert ground() == light


def test_licences_and_weights(page, site):
    text = page.request.get("demo/licenses.txt").text()
    assert "Copyright (c) Microsoft Corporation" in text and "Apache License" in text and "CC0" in text
    methods = page.request.get("demo/demo.json").json()["methods"]
    weights = [page.request.get(f"demo/{method['file']}").body() for method in methods if "file" in method]
    assert weights and sum(map(len, weights)) < 6e6
