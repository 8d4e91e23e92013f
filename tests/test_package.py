"""The package as people install it: a wheel, in an environment that has no notebook tools."""
import importlib
import os
import pkgutil
import subprocess
import sys
import venv
from configparser import ConfigParser
from pathlib import Path

import pytest

import context_inpaint

ROOT = Path(__file__).resolve().parent.parent


def test_no_module_needs_notebook_tools():
    names = [m.name for m in pkgutil.iter_modules(context_inpaint.__path__)]
    code = f"import sys, importlib; [importlib.import_module('context_inpaint.' + n) for n in {names}]; print([m for m in ('nbdev', 'fastcore', 'IPython', 'jupyter', 'ipywidgets') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr


def test_the_version_stands_in_one_place():
    config = ConfigParser(interpolation=None)
    config.read(ROOT/"settings.ini")
    assert context_inpaint.__version__ == config["DEFAULT"]["version"]


def test_every_public_name_has_a_docstring():
    for module in pkgutil.iter_modules(context_inpaint.__path__):
        loaded = importlib.import_module(f"context_inpaint.{module.name}")
        for name in getattr(loaded, "__all__", ()):
            thing = getattr(loaded, name)
            if callable(thing) and getattr(thing, "__module__", "").startswith("context_inpaint"): assert thing.__doc__, f"{module.name}.{name}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        if (ROOT/name).is_file():
            (folder/"source"/name).parent.mkdir(parents=True, exist_ok=True)
            (folder/"source"/name).write_bytes((ROOT/name).read_bytes())
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, folder/"source"], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_installs_and_answers_in_an_empty_environment(wheel, tmp_path):
    venv.create(tmp_path/"env", with_pip=True)
    python = tmp_path/"env"/"bin"/"python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True, capture_output=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "-c", ROOT/"constraints.txt", "typer"], check=True, capture_output=True)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([tmp_path/"env"/"bin"/"context-inpaint", "--help"], capture_output=True, text=True, cwd=tmp_path, env=env)
    assert done.returncode == 0 and "inpaint" in done.stdout, done.stderr
    assert subprocess.run([python, "-c", "import context_inpaint"], cwd=tmp_path, env=env).returncode == 0
    packed = subprocess.run([python, "-m", "zipfile", "-l", wheel], capture_output=True, text=True).stdout
    for needed in ("context_inpaint/nbs/index.ipynb", "context_inpaint/costs.json", "context_inpaint/masks.py"): assert needed in packed
