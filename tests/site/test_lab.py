"""The course as a student takes it: a fresh copy, opened in JupyterLab, every cell run; a hole painted and filled."""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from conftest import visit

BIN = Path(sys.executable).parent
TOKEN = "browser-tests"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab on a fresh copy of the course; settings of the user are neither read nor written."""
    folder = tmp_path_factory.mktemp("lab")
    subprocess.run([BIN/"context-inpaint", "course", folder/"course"], check=True, capture_output=True)
    choices = {"notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight stay in the page
               "apputils-extension/notification": {"fetchNews": "false"}}
    for plugin, choice in choices.items():
        settings = folder/"settings"/"@jupyterlab"/f"{plugin}.jupyterlab-settings"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(choice))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"JUPYTER_CONFIG_DIR": folder/"config", "JUPYTER_RUNTIME_DIR": folder/"runtime",
           "JUPYTERLAB_SETTINGS_DIR": folder/"settings", "JUPYTERLAB_WORKSPACES_DIR": folder/"workspaces",
           "IPYTHONDIR": folder/"ipython", "CONTEXT_INPAINT_HOME": folder/"home", "CONTEXT_INPAINT_PRESET": "tiny",
           "CONTEXT_INPAINT_DEVICE": "cpu"}
    command = [BIN/"jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
               f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder/'course'}",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly"]
    environment = os.environ | {name: str(value) for name, value in own.items()}
    with (folder/"log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/"
    for _ in range(600):
        assert server.poll() is None, (folder/"log").read_text()
        try: urllib.request.urlopen(f"{address}api/status?token={TOKEN}")
        except OSError: time.sleep(0.1)
        else: break
    yield address
    server.terminate()
    server.wait(20)


@pytest.fixture
def notebook(browser, lab):
    with visit(browser, lab) as page: yield page


def run_all(page, name: str) -> None:
    """Open a lesson and run its cells; fail on the first that ends in an error."""
    page.goto(f"lab/tree/{name}.ipynb?token={TOKEN}&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()
    page.wait_for_function("""() => /Traceback/.test(document.querySelector('.jp-Notebook').innerText)
        || [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
            .every(e => /\\[\\d+\\]/.test(e.textContent))""", timeout=150_000)
    assert page.locator(".jp-Notebook .jp-OutputArea-output", has_text="Traceback").all_inner_texts() == []


def say(page, code: str) -> str:
    """Run code in a new cell at the end of the notebook and return what it prints."""
    page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputPrompt").click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
    output = page.locator(".jp-Notebook .jp-CodeCell").last.locator(".jp-OutputArea-output")
    output.wait_for()
    return output.inner_text()


def test_a_lesson_runs_from_top_to_bottom(notebook):
    run_all(notebook, "1_problem/01_masks")
    assert notebook.locator(".jp-Notebook .jp-OutputArea-output img").count() > 3
    notebook.watch.check()


def test_a_mask_is_painted_with_the_mouse_and_read_back(notebook):
    run_all(notebook, "5_practice/29_your_photo")
    reading = "hole = painter.mask[0, 0]; print(int(hole.sum()), bool(hole[hole.shape[0]//5, 3*hole.shape[1]//10]))"
    before, there = say(notebook, reading).split()
    assert there == "False"
    canvas = notebook.locator(".ci-painter canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    notebook.mouse.move(box["x"] + 0.2*box["width"], box["y"] + 0.2*box["height"])
    notebook.mouse.down()
    for share in (0.25, 0.3, 0.35): notebook.mouse.move(box["x"] + share*box["width"], box["y"] + 0.2*box["height"])
    notebook.mouse.up()
    after, there = say(notebook, reading).split()
    assert int(after) > int(before) and there == "True"
    notebook.watch.check()


def counted(page) -> tuple[int, int]:
    """Return how many cells the notebook has, and how many of them are text."""
    return page.locator(".jp-Notebook .jp-Cell").count(), page.locator(".jp-Notebook .jp-MarkdownCell").count()


def test_no_key_pressed_in_the_painter_changes_the_notebook(notebook):
    """In command mode X cuts a cell, A and B insert one, D D deletes it, Z takes that back, M makes it text, Y code."""
    run_all(notebook, "5_practice/29_your_photo")
    painter, before = notebook.locator(".ci-painter"), counted(notebook)
    names = ("Erase", "Brush", "Undo", "Fit", "Save mask")
    buttons = {name: painter.get_by_role("button", name=name, exact=True) for name in names}
    for place in [*buttons.values(), *map(painter.locator, ("input[type=range]", "canvas", ".ci-keys"))]:
        place.scroll_into_view_if_needed()
        place.click()
        for key in "xbaddmyz": notebook.keyboard.press(key)
        assert counted(notebook) == before, place
    buttons["Erase"].click()
    notebook.keyboard.press("x")
    box = painter.get_by_role("button", name="Box", exact=True)
    assert box.get_attribute("aria-pressed") == "true", "the key reached the painter"
    notebook.watch.check()


def test_fill_says_that_it_has_filled_only_when_it_has(notebook):
    run_all(notebook, "5_practice/29_your_photo")
    painter = notebook.locator(".ci-painter")
    for box in painter.locator("input[type=checkbox]").all(): box.set_checked(box.get_attribute("value") == "telea")
    painter.get_by_role("button", name="Fill", exact=True).click()
    painter.locator(".ci-status", has_text="filled").wait_for()
    assert painter.locator(".ci-results img").count() == 1
    notebook.locator(".lm-MenuBar-item", has_text="Kernel").click()
    notebook.locator(".lm-Menu-item", has_text="Restart Kernel…").first.click()
    notebook.locator(".jp-Dialog-button", has_text="Restart").click()
    notebook.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    painter.get_by_role("button", name="Fill", exact=True).click()
    painter.locator(".ci-status", has_text="has not answered").wait_for(timeout=20_000)
    assert painter.locator(".ci-results.ci-old").count() == 1, "the old fills are marked as such"
