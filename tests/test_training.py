"""Training that loses nothing: kills, Ctrl-C, resumes, full disks, NaN, other objectives, and the run folder afterwards."""
import dataclasses
import errno
import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from context_inpaint import trainer as machine
from context_inpaint import training
from context_inpaint.core import InputError, generator
from context_inpaint.data import load
from context_inpaint.masks import hide, make_masks
from context_inpaint.scoreboard import evaluate
from context_inpaint.catalogue import make_objective, OBJECTIVES
from context_inpaint.trainer import derive_seed, lr_factor, restore, squared_error, state, TrainConfig, Trainer
from context_inpaint.catalogue import load_inpainter
from context_inpaint.training import train

TINY = TrainConfig(size=32, hole=8, width=32, bottleneck=16, limit=60, test_limit=20, epochs=3, batch_size=12)


def change(**settings): return dataclasses.replace(TINY, **settings)


def weights(folder): return load_file(Path(folder)/"model.safetensors")


def equal(a, b): return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")/"run"
    train(TINY, folder)
    return folder


class Duel:
    """Two networks that learn in turn, the second twice, with dropout and Adam: the shape of every adversarial objective."""
    steps, fills = ("critic", "critic", "painter"), "painter"

    def __init__(self, config):
        self.config = config
        self.networks = {"painter": nn.Sequential(nn.Conv2d(3, 3, 3, 1, 1), nn.Dropout(.2), nn.Conv2d(3, 3, 3, 1, 1)), "critic": nn.Conv2d(3, 1, 3, 1, 1)}

    def optimizers(self):
        return {"painter": torch.optim.Adam(self.networks["painter"].parameters(), self.config.lr),
                "critic": torch.optim.SGD(self.networks["critic"].parameters(), self.config.lr/2, momentum=.9)}

    def loss(self, step, image, mask):
        fill = self.networks["painter"](hide(image, mask))
        if step == "critic": return self.networks["critic"](fill.detach()).mean() - self.networks["critic"](image).mean(), {}
        error = fill_error(fill, image, mask).mean()
        return error - .01*self.networks["critic"](fill).mean(), {"error": error}


class Broken:
    """Its loss is NaN in the batch numbered `at`, counted from 1 over all epochs."""
    steps, fills, at = ("network",), "network", 7

    def __init__(self, config): self.networks, self.calls = {"network": nn.Conv2d(3, 3, 1)}, 0

    def optimizers(self): return {"network": torch.optim.SGD(self.networks["network"].parameters(), 1e-3)}

    def loss(self, step, image, mask):
        self.calls += 1
        return fill_error(self.networks["network"](hide(image, mask)), image, mask).mean()*(math.nan if self.calls == self.at else 1), {}


@pytest.fixture
def objectives(monkeypatch):
    for name in ("Duel", "Broken"):
        monkeypatch.setattr(machine, name, globals()[name], raising=False)
        monkeypatch.setitem(OBJECTIVES, name.lower(), f"trainer:{name}")


def interrupt_at(monkeypatch, step):
    """Press Ctrl-C in the middle of the given step, counted from 1."""
    learn, calls = Trainer.learn, []

    def pressed(self, *args):
        calls.append(1)
        if len(calls) == step: signal.raise_signal(signal.SIGINT)
        return learn(self, *args)

    monkeypatch.setattr(Trainer, "learn", pressed)


KILLED = """
import os, signal, sys
from context_inpaint.trainer import TrainConfig, Trainer
from context_inpaint.training import train
learn, calls = Trainer.learn, []
def deadly(self, *args):
    calls.append(1)
    if len(calls) == 7: os.kill(os.getpid(), signal.SIGKILL)
    return learn(self, *args)
Trainer.learn = deadly
train(TrainConfig(size=32, hole=8, width=32, bottleneck=16, limit=60, test_limit=20, epochs=3, batch_size=12), sys.argv[1])
"""


def test_killed_and_resumed_gives_the_same_weights(whole, tmp_path):
    out = tmp_path/"run"
    assert subprocess.run([sys.executable, "-c", KILLED, out]).returncode == -signal.SIGKILL
    assert not (out/"record.json").exists() and training.saved(out)[1]["step"] == 4
    (out/"state"/".half.safetensors").write_bytes(b"what was being written")
    record = train(TINY, out, resume=True)
    assert equal(weights(out), weights(whole))
    before = json.loads((whole/"record.json").read_text())
    assert record["test"] == before["test"] and [r["loss"] for r in record["curve"]] == [r["loss"] for r in before["curve"]]
    assert sorted(p.name for p in (out/"state").iterdir()) == ["last.safetensors"]


@pytest.mark.parametrize("step", [1, 4, 6])
def test_ctrl_c_saves_the_very_step(whole, tmp_path, monkeypatch, capsys, step):
    out, before = tmp_path/"run", signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(patch, step)
        train(TINY, out)
    assert training.saved(out)[1]["step"] == step and "--resume" in capsys.readouterr().err
    train(TINY, out, resume=True)
    assert equal(weights(out), weights(whole))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_run_is_left_alone(whole):
    before = (whole/"model.safetensors").stat().st_mtime_ns
    assert train(TINY, whole, resume=True) == json.loads((whole/"record.json").read_text())
    assert (whole/"model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize("settings", [{"objective": "duel"}, {"ema": .9}, {"mask": "brush"}, {"precision": "bfloat16", "accumulate": 2}], ids=str)
def test_other_runs_resume_as_exactly(tmp_path, monkeypatch, objectives, settings):
    config = change(epochs=2, **settings)
    train(config, tmp_path/"whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(patch, 5)
        train(config, tmp_path/"cut")
    train(config, tmp_path/"cut", resume=True)
    assert equal(weights(tmp_path/"whole"), weights(tmp_path/"cut"))
    assert all(v.isfinite().all() for v in weights(tmp_path/"cut").values())
    if "objective" in settings: assert {"loss", "critic", "error"} <= json.loads((tmp_path/"cut"/"record.json").read_text())["curve"][0].keys()


def places(objective): return [("painter", objective.networks["painter"], "0.weight"), ("critic", objective.networks["critic"], "weight")]


def test_each_network_learns_in_its_own_step(objectives):
    objective = make_objective(change(objective="duel"))
    trainer, calls = Trainer(change(objective="duel"), objective), []
    loss = objective.loss

    def spy(step, *args):
        calls.append((step, {name: all(p.requires_grad for p in net.parameters()) for name, net in objective.networks.items()}))
        return loss(step, *args)

    objective.loss = spy
    before = {name: net.state_dict()[key].clone() for name, net, key in places(objective)}
    trainer.learn(torch.rand(4, 3, 32, 32), make_masks("center", 4, 32), .5)
    assert calls == [("critic", {"painter": False, "critic": True})]*2 + [("painter", {"painter": True, "critic": False})]
    assert not any(torch.equal(net.state_dict()[key], before[name]) for name, net, key in places(objective))


def test_accumulation_adds_up(objectives):
    steps = []
    for parts in (1, 3):
        torch.manual_seed(0)
        trainer = Trainer(change(accumulate=parts), Broken(None))
        torch.manual_seed(1)
        trainer.networks["network"].reset_parameters()
        numbers = trainer.learn(torch.rand(12, 3, 32, 32, generator=generator(2)), make_masks("center", 12, 32), .5)
        steps.append((trainer.networks["network"].weight.detach().clone(), numbers["loss"]))
    torch.testing.assert_close(steps[0], steps[1])


def test_average_follows_behind():
    trainer = Trainer(change(ema=.9), make_objective(TINY))
    first = [p.clone() for p in trainer.network.parameters()]
    for i in range(3): trainer.learn(torch.rand(12, 3, 32, 32), make_masks("center", 12, 32, .25), .3)
    moved = [sum((p - q).norm() for p, q in zip(net.parameters(), first)) for net in (trainer.network, trainer.networks["network"])]
    assert trainer.network is not trainer.networks["network"] and 0 < moved[0] < moved[1]


def test_state_survives_a_round_trip(objectives):
    config = change(objective="duel")
    a, b = (Trainer(config, make_objective(config)) for _ in range(2))
    image, mask = torch.rand(4, 3, 32, 32), make_masks("center", 4, 32)
    a.learn(image, mask, .3)
    restore(b, *state(a), "here")
    for trainer in (a, b):
        torch.manual_seed(3)
        trainer.learn(image, mask, .4)
    assert equal(state(a)[0], state(b)[0]) and state(a)[1] == state(b)[1]


@pytest.mark.parametrize("at, where", [(3, "epoch 1, batch 3"), (6, "epoch 2, batch 2")])
def test_nan_stops_and_names_the_batch(tmp_path, monkeypatch, objectives, at, where):
    monkeypatch.setattr(Broken, "at", at)
    with pytest.raises(InputError, match=where) as caught: train(change(objective="broken"), tmp_path/"run")
    assert "train-0" in str(caught.value) and "\n" not in str(caught.value)
    assert all(v.isfinite().all() for v in training.saved(tmp_path/"run")[0].values())


def test_the_random_state_of_the_caller_is_left_alone(tmp_path):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    train(change(epochs=1), tmp_path/"run")
    assert torch.equal(torch.rand(3), expected)


def test_run_folder(whole):
    assert sorted(p.relative_to(whole).as_posix() for p in whole.rglob("*") if p.is_file()) == ["model.safetensors", "record.json", "samples.jpg", "state/last.safetensors"]
    record = json.loads((whole/"record.json").read_text())
    assert record["config"] == dataclasses.asdict(TINY) and record["steps"] == 12 and len(record["curve"]) == 3
    assert {"commit", "environment", "device", "seconds", "peak_memory_gb", "pictures_per_second"} <= record.keys()
    assert record["pictures"] == {"data": "drawn", "digest": load("drawn", 32, 60).digest, "train": 57, "validation": 3}
    for split in ("train", "test"):
        low, high = record[split]["psnr_ci"]
        assert record[split]["n"] == 20 and low < record[split]["psnr"] < high
    assert record["train"]["digest"] != record["test"]["digest"]


def test_the_record_says_what_the_scoreboard_says(whole):
    row, = evaluate(load("drawn", 32, 20, split="test"), [str(whole)], hole=.25)["rows"]
    record = json.loads((whole/"record.json").read_text())["test"]
    for key in ("psnr", "l1", "ssim", "seam", "psnr_of_mean"): assert row[key] == pytest.approx(record[key], abs=1e-6)


@pytest.mark.parametrize("size", [(32, 32), (45, 61)])
def test_a_run_is_an_inpainter(whole, size):
    inpainter, image, mask = load_run(whole), torch.rand(2, 3, *size), make_masks("center", 2, size, .3)
    filled, wild = inpainter(image, mask), inpainter(image.masked_fill(mask, float("nan")), mask)
    known = ~mask.expand_as(image)
    assert torch.equal(filled[known], image[known]) and torch.equal(filled, wild)
    assert filled.isfinite().all() and 0 <= filled.min() and filled.max() <= 1


def test_a_run_for_any_mask_fills_any_mask(tmp_path):
    train(change(epochs=1, mask="block"), tmp_path/"run")
    image, mask = torch.rand(2, 3, 40, 40), make_masks("brush", 2, 40)
    filled = load_run(tmp_path/"run")(image, mask)
    assert torch.equal(filled[~mask.expand_as(image)], image[~mask.expand_as(image)])


@pytest.mark.parametrize("settings, words", [
    ({"bottleneck": 0}, "bottleneck"), ({"encoder": "smal"}, "did you mean 'small'"), ({"objective": "gam"}, "unknown objective"),
    ({"mask": "centre"}, "did you mean 'center'"), ({"hole": 40}, "does not fit"), ({"hole": 2}, "does not fit"), ({"epochs": 0}, "epochs"),
    ({"batch_size": 1}, "batch_size"), ({"lr": -1.}, "lr"), ({"lr": math.nan}, "lr"), ({"ema": 1.}, "ema"), ({"schedule": "linear"}, "schedule"),
    ({"precision": "half"}, "precision"), ({"size": 48}, "32, 64, 128"), ({"limit": 12}, "fewer than a batch"), ({"data": "folder:nowhere"}, "no folder"),
    ({"accumulate": 7}, "batch_size"), ({"accumulate": 0}, "accumulate")], ids=str)
def test_bad_settings_are_one_line_and_leave_nothing(tmp_path, settings, words):
    with pytest.raises(InputError, match=words) as caught: train(change(**settings), tmp_path/"run")
    assert "\n" not in str(caught.value) and not (tmp_path/"run").exists()


def test_a_taken_folder_is_not_overwritten(whole, tmp_path):
    with pytest.raises(InputError, match="exists.*--resume"): train(TINY, whole)
    (tmp_path/"letter.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(InputError, match="exists"): train(TINY, tmp_path, resume=resume)
        with pytest.raises(InputError, match="exists"): train(TINY, tmp_path/"letter.txt", resume=resume)


def test_resume_where_nothing_is_begins(whole, tmp_path):
    train(TINY, tmp_path/"new", resume=True)
    assert equal(weights(tmp_path/"new"), weights(whole))


def test_resume_says_which_setting_differs(whole, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="lr is 0.002 there and 0.001 here; seed is 0 there and 5 here"): train(change(lr=1e-3, seed=5), whole, resume=True)
    (whole/"record.json").rename(tmp_path/"record.json")
    monkeypatch.setattr(training, "Pictures", lambda config: type("Other", (), {"about": {"digest": "0"}}))
    with pytest.raises(InputError, match="digest of the pictures"): train(TINY, whole, resume=True)
    (tmp_path/"record.json").rename(whole/"record.json")


def test_a_full_disk_is_one_line_and_costs_at_most_an_epoch(whole, tmp_path, monkeypatch):
    real, calls, out = Path.write_bytes, [], tmp_path/"run"

    def full(self, data):
        calls.append(1)
        if len(calls) < 3: return real(self, data)
        real(self, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(InputError, match="No space left on device") as caught:
        patch.setattr(Path, "write_bytes", full)
        train(TINY, out)
    assert "\n" not in str(caught.value)
    assert [p.name for p in out.rglob("*") if p.is_file()] == ["last.safetensors"] and training.saved(out)[1]["step"] == 4
    train(TINY, out, resume=True)
    assert equal(weights(out), weights(whole))


def copy(whole, out):
    out.mkdir()
    for name in ("record.json", "model.safetensors"): (out/name).write_bytes((whole/name).read_bytes())
    return out


def test_weights_of_another_architecture(whole, tmp_path):
    run = copy(whole, tmp_path/"run")
    save_file({k: v.repeat(2, *[1]*(v.ndim - 1)) if v.ndim else v for k, v in weights(whole).items()}, run/"model.safetensors")
    with pytest.raises(InputError, match="another architecture") as caught: load_run(run)
    assert "\n" not in str(caught.value)
    save_file({"nonsense": torch.zeros(1)}, run/"model.safetensors")
    with pytest.raises(InputError, match="another architecture"): load_run(run)


@pytest.mark.parametrize("name, content", [("record.json", b"{"), ("record.json", b"{}"), ("record.json", b'{"config": {"colour": 1}}'), ("model.safetensors", b"x"*50)])
def test_damaged_runs(whole, tmp_path, name, content):
    run = copy(whole, tmp_path/"run")
    (run/name).write_bytes(content)
    with pytest.raises(InputError) as caught: load_run(run)
    assert "\n" not in str(caught.value)


def test_missing_and_damaged_parts(whole, tmp_path):
    with pytest.raises(InputError, match="no finished training run"): load_run(tmp_path)
    run = copy(whole, tmp_path/"run")
    (run/"model.safetensors").unlink()
    with pytest.raises(InputError, match="lacks model.safetensors"): load_run(run)
    (run/"state").mkdir()
    (run/"state"/"last.safetensors").write_bytes(b"x"*50)
    with pytest.raises(InputError, match="damaged"): train(TINY, run, resume=True)


def test_nothing_is_pickled(tmp_path, monkeypatch):
    def refuse(*args, **kwargs): raise AssertionError("pickled")
    monkeypatch.setattr(torch, "save", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    train(change(epochs=1), tmp_path/"run")
    load_run(tmp_path/"run")


def test_rate_rises_and_falls():
    rates = [rate(i/1000) for i in range(1001)]
    assert rates[0] == pytest.approx(.04) and max(rates) == rate(.25) == 1 and rates[-1] == pytest.approx(0)
    assert rates[:251] == sorted(rates[:251]) and rates[250:] == sorted(rates[250:], reverse=True)
    assert rate(0, "cosine") == rate(.9, "constant") == 1


def test_derived_seeds_are_all_different():
    seeds = {derived(seed, purpose, step) for seed in range(5) for purpose in range(3) for step in range(200)}
    assert len(seeds) == 3000 and all(0 <= s < 2**63 for s in seeds) and derived(1, 2, 3) == derived(1, 2, 3)


def test_outside_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(training.context_inpaint, "__file__", str(tmp_path/"__init__.py"))
    assert training.commit() is None
    monkeypatch.setenv("PATH", "")
    assert training.commit() is None
