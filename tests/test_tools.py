"""The tools that make the recorded results: their commands are those that the command line takes."""
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from context_inpaint import cli, training
from context_inpaint.trainer import read_config

ROOT = Path(__file__).resolve().parent.parent


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT/"tools"/f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


records = tool("records")


class Asked(Exception):
    """What `train` was asked to do."""


@pytest.fixture
def asked(monkeypatch):
    """Return a function that runs a command and returns the configuration and the folder that `train` gets."""
    def note(config, objective, out, resume=False, samples=None): raise Asked(config, out)
    monkeypatch.setattr(training, "train", note)
    monkeypatch.setattr("context_inpaint.catalogue.make_objective", lambda config: None)

    def run(command):
        monkeypatch.setattr(sys, "argv", command.split())
        with pytest.raises(Asked) as caught: cli.app(command.split()[1:], standalone_mode=False)
        return caught.value.args

    return run


@pytest.mark.parametrize("name", records.wanted())
def test_the_command_of_a_run_makes_it(name, asked):
    config = records.wanted()[name]
    made, out = asked(records.command(config, name))
    assert made == config and out == Path("runs")/name


def test_the_records_are_of_the_runs_that_are_wanted():
    wanted = records.wanted()
    for file in (ROOT/"data"/"results"/"runs").glob("*.json"):
        record = json.loads(file.read_text())
        assert read_config(record["config"]) == wanted[file.stem]
        assert record["command"] == records.command(wanted[file.stem], file.stem)


def test_every_scoreboard_was_made_by_its_command():
    for name, arguments in records.scoreboards().items():
        file = ROOT/"data"/"results"/f"scoreboard-{name}.json"
        if file.is_file(): assert f" {arguments} --out " in json.loads(file.read_text())["command"], name


def test_runs_are_found_in_the_arguments_of_a_scoreboard():
    found = records.runs_in("--methods telea,runs/a,runs/a:sample,runs/b --size 64")
    assert found == [Path("runs/a"), Path("runs/a"), Path("runs/b")]


def test_the_model_card_says_what_the_records_say(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert (ROOT/"context_inpaint"/"weights"/"unet.md").read_text() == tool("ship").card("unet")
