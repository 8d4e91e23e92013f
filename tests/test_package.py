"""The package as people install it: a wheel, in an environment that has no notebook tools."""
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import venv
from configparser import ConfigParser
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import context_inpaint

ROOT = Path(__file__).resolve().parent.parent


def test_no_module_needs_notebook_tools():
    names = [m.name for m in pkgutil.iter_modules(context_inpaint.__path__)]
    code = (f"import sys, importlib; [importlib.import_module('context_inpaint.' + n) for n in {names}]; "
            "print([m for m in ('nbdev', 'fastcore', 'IPython', 'jupyter', 'ipywidgets') if m in sys.modules])")
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
            ours = callable(thing) and getattr(thing, "__module__", "").startswith("context_inpaint")
            if ours: assert thing.__doc__, f"{module.name}.{name}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.split("\n")
    for name in filter(None, files):
        if (ROOT/name).is_file():
            (folder/"source"/name).parent.mkdir(parents=True, exist_ok=True)
            (folder/"source"/name).write_bytes((ROOT/name).read_bytes())
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, folder/"source"], check=True,
                   capture_output=True)  # sdist, and from it the wheel, as for a release
    return next(folder.glob("*.whl"))


def test_the_wheel_installs_and_answers_in_an_empty_environment(wheel, tmp_path):
    venv.create(tmp_path/"env", with_pip=True)
    python = tmp_path/"env"/"bin"/"python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True, capture_output=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "-c", ROOT/"constraints.txt", "typer"], check=True,
                   capture_output=True)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([tmp_path/"env"/"bin"/"context-inpaint", "--help"], capture_output=True, text=True,
                          cwd=tmp_path, env=env)
    assert done.returncode == 0 and "inpaint" in done.stdout, done.stderr
    assert subprocess.run([python, "-c", "import context_inpaint"], cwd=tmp_path, env=env).returncode == 0
    packed = set(ZipFile(wheel).namelist())
    kept = subprocess.run(["git", "ls-files", "nbs/*.ipynb", "nbs/*.md", "data/results", "context_inpaint"], cwd=ROOT,
                          capture_output=True, text=True, check=True).stdout.split()
    missing = {f"context_inpaint/{name.removeprefix('data/').removeprefix('context_inpaint/')}"
               for name in kept} - packed
    assert not missing, f"the wheel lacks {sorted(missing)}"


def test_workflows_and_environments_are_well_formed_and_call_what_exists():
    targets = set(re.findall(r"^([\w./-]+):(?!=)", (ROOT/"Makefile").read_text(), re.M))
    read = [yaml.safe_load(path.read_text()) for path in (ROOT/".github"/"workflows").glob("*.yml")]
    runs = [step["run"] for flow in read for job in flow["jobs"].values() for step in job["steps"] if "run" in step]
    container = json.loads((ROOT/".devcontainer"/"devcontainer.json").read_text())
    called = re.findall(r"^make (\S+)", "\n".join([*runs, container["postCreateCommand"]]), re.M)
    assert len(read) == 3 and {"test", "docs", "site-test", "demo"} <= set(called) <= targets
    release = next(flow for flow in read if flow["name"] == "release")
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write"} and "password" not in str(release)
    binder = yaml.safe_load((ROOT/".binder"/"environment.yml").read_text())["dependencies"]
    assert {"pytorch-cpu>=2.11", "torchvision>=0.26"} <= set(binder)
    assert "--editable '.[lab]'" in (ROOT/".binder"/"postBuild").read_text()
