"""Training that loses nothing: kills, Ctrl-C, resumes, full disks, NaN, other objectives, the run folder afterwards."""
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

from context_inpaint import training
from context_inpaint.catalogue import LOSSES, get_methods, load_inpainter, make_network, make_objective
from context_inpaint.core import InputError, generator
from context_inpaint.data import load
from context_inpaint.masks import hide, make_masks, to_network
from context_inpaint.scoreboard import evaluate
from context_inpaint.trainer import (
    Batch,
    Reconstruction,
    TrainConfig,
    Trainer,
    derive_seed,
    hole_error,
    lr_factor,
    read_config,
    squared_error,
)
from context_inpaint.training import load_checkpoint, train, training_masks

TINY = TrainConfig(size=32, hole_px=8, width=32, bottleneck=16, limit=60, test_limit=20, epochs=3, batch_size=12)


def change(**settings): return dataclasses.replace(TINY, **settings)


def make(config, out, resume=False, samples=None): return train(config, make_objective(config), out, resume, samples)


def weights(folder): return load_file(Path(folder)/"model.safetensors")


def equal(a, b): return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")/"run"
    make(TINY, folder)
    return folder


class Duel:
    """Two networks that learn in turn, the second twice, with dropout and Adam: the shape of every adversarial
    objective."""
    steps, fills = ("critic", "critic", "painter"), "painter"

    def __init__(self, config):
        self.lr = config.lr
        torch.manual_seed(config.seed)
        painter = nn.Sequential(nn.Conv2d(3, 3, 3, 1, 1), nn.Dropout(.2), nn.Conv2d(3, 3, 3, 1, 1), nn.ZeroPad2d(-12))
        self.networks = {"painter": painter, "critic": nn.Conv2d(3, 1, 3, 1, 1)}

    def optimizers(self):
        return {"painter": torch.optim.Adam(self.networks["painter"].parameters(), self.lr),
                "critic": torch.optim.SGD(self.networks["critic"].parameters(), self.lr/2, momentum=.9)}

    def loss(self, step, batch):
        critic, fill = self.networks["critic"], self.networks["painter"](hide(batch.image, batch.mask))
        if step == "critic": return critic(fill.detach()).mean() - critic(batch.image).mean(), {}
        error = squared_error(fill, batch.image, batch.mask).mean()
        return error - .01*critic(fill).mean(), {"error": error}


class Broken(Reconstruction):
    """Its loss is NaN in the batch numbered `at`, counted from 1 over all epochs."""

    def __init__(self, at):
        super().__init__(make_network(TINY))
        self.at, self.calls = at, 0

    def loss(self, step, batch):
        self.calls += 1
        loss, logged = super().loss(step, batch)
        return loss*(math.nan if self.calls == self.at else 1), logged


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
from context_inpaint.catalogue import make_objective
from context_inpaint.trainer import TrainConfig, Trainer
from context_inpaint.training import train
learn, calls = Trainer.learn, []
def deadly(self, *args):
    calls.append(1)
    if len(calls) == 7: os.kill(os.getpid(), signal.SIGKILL)
    return learn(self, *args)
Trainer.learn = deadly
config = TrainConfig(size=32, hole_px=8, width=32, bottleneck=16, limit=60, test_limit=20, epochs=3, batch_size=12)
train(config, make_objective(config), sys.argv[1])
"""


def test_killed_and_resumed_gives_the_same_weights(whole, tmp_path):
    out = tmp_path/"run"
    assert subprocess.run([sys.executable, "-c", KILLED, out]).returncode == -signal.SIGKILL
    assert not (out/"record.json").exists() and load_checkpoint(out)["step"] == 4
    (out/"state"/".half.safetensors").write_bytes(b"what was being written")
    record = make(TINY, out, resume=True)
    assert equal(weights(out), weights(whole))
    before = json.loads((whole/"record.json").read_text())
    assert record["test"] == before["test"]
    assert [row["loss"] for row in record["curve"]] == [row["loss"] for row in before["curve"]]
    assert sorted(p.name for p in (out/"state").iterdir()) == ["last.safetensors"]


@pytest.mark.parametrize("step", [1, 4, 6])
def test_ctrl_c_saves_the_very_step(whole, tmp_path, monkeypatch, capsys, step):
    out, before = tmp_path/"run", signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(patch, step)
        make(TINY, out)
    assert load_checkpoint(out)["step"] == step and "--resume" in capsys.readouterr().err
    make(TINY, out, resume=True)
    assert equal(weights(out), weights(whole))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_run_is_left_alone(whole):
    before = (whole/"model.safetensors").stat().st_mtime_ns
    assert make(TINY, whole, resume=True) == json.loads((whole/"record.json").read_text())
    assert (whole/"model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize("settings", [{}, {"objective": "gan"}, {"ema": .9}, {"mask": "brush"},
                                      {"objective": "vae", "encoder": "vgg"},
                                      {"precision": "bfloat16", "accumulate": 2}], ids=str)
@pytest.mark.parametrize("duel", [False, True])
def test_other_runs_resume_as_exactly(tmp_path, monkeypatch, settings, duel):
    if duel and settings: pytest.skip("the duel stands for itself")
    config = change(epochs=2, **settings)
    objective = Duel if duel else make_objective
    train(config, objective(config), tmp_path/"whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(patch, 5)
        train(config, objective(config), tmp_path/"cut")
    train(config, objective(config), tmp_path/"cut", resume=True)
    assert equal(weights(tmp_path/"whole"), weights(tmp_path/"cut"))
    assert all(v.isfinite().all() for v in weights(tmp_path/"cut").values())
    ended = load_checkpoint(tmp_path/"cut")
    assert equal(ended["tensors"], load_checkpoint(tmp_path/"whole")["tensors"])
    if duel: assert {"loss", "critic", "error"} <= ended["curve"][0].keys()


def places(objective):
    return [("painter", objective.networks["painter"], "0.weight"), ("critic", objective.networks["critic"], "weight")]


def test_each_network_learns_in_its_own_step():
    objective = Duel(TINY)
    trainer, calls = Trainer(TINY, objective), []
    loss = objective.loss

    def spy(step, batch):
        learning = {name: all(p.requires_grad for p in net.parameters()) for name, net in objective.networks.items()}
        calls.append((step, learning))
        return loss(step, batch)

    objective.loss = spy
    before = {name: net.state_dict()[key].clone() for name, net, key in places(objective)}
    losses = trainer.learn(torch.rand(4, 3, 32, 32), make_masks("center", 4, 32), .5)
    assert calls == [("critic", {"painter": False, "critic": True}), ("critic", {"painter": False, "critic": True}),
                     ("painter", {"painter": True, "critic": False})]
    assert not any(torch.equal(net.state_dict()[key], before[name]) for name, net, key in places(objective))
    assert losses.keys() == {"loss", "error", "critic"} and trainer.step == 1


class Spread(Reconstruction):
    """Lowers the squares of all values of a convolution without batch norm, and learns by plain gradient descent."""

    def __init__(self):
        torch.manual_seed(1)
        super().__init__(nn.Conv2d(3, 3, 1))

    def optimizers(self): return {"network": torch.optim.SGD(self.networks["network"].parameters(), .1)}

    def loss(self, step, batch):
        output = self.networks["network"](to_network(batch.image))
        return output.square().mean(), {"size": output.abs().mean()}


def one_step(parts, done=.25, n=10, **settings):
    """Return a convolution's weight and bias before and after one step, and the losses that it logged."""
    trainer = Trainer(change(accumulate=parts, clip=1e9, schedule="constant", **settings), Spread())
    before = [p.detach().clone() for p in trainer.networks["network"].parameters()]
    image = torch.rand(n, 3, 32, 32, generator=generator(2))*torch.linspace(.1, 1, n).view(-1, 1, 1, 1)
    losses = trainer.learn(image, make_masks("center", n, 32), done)
    return before, [p.detach() for p in trainer.networks["network"].parameters()], losses, image


def test_parts_of_a_batch_add_up_to_the_batch():
    """Parts of 4, 4 and 2 pictures, each weighted with its share: the step, and the losses, are those of the batch."""
    before, whole, losses, image = one_step(1)
    _, parts, summed, _ = one_step(3)
    for a, b, c in zip(before, whole, parts):
        assert (a - b).abs().max() > 1e-3, "the step is too small to be compared"
        torch.testing.assert_close(c, b, rtol=1e-5, atol=1e-7)
    assert losses.keys() == summed.keys() == {"loss", "size"}
    for name in losses: torch.testing.assert_close(summed[name], losses[name], rtol=1e-5, atol=0)
    layer = nn.Conv2d(3, 3, 1)
    layer.load_state_dict(dict(zip(("weight", "bias"), before)))
    gradients = torch.autograd.grad(layer(to_network(image)).square().mean(), list(layer.parameters()))
    for a, b, gradient in zip(before, whole, gradients): torch.testing.assert_close(a - .1*gradient, b)


@pytest.mark.parametrize("schedule, done, factor", [("constant", .9, 1.), ("one-cycle", 0., .04), ("cosine", .5, .5)])
def test_the_schedule_and_the_clip_reach_the_step(schedule, done, factor):
    def move(**settings):
        trainer = Trainer(change(**settings), Spread())
        before = torch.cat([p.detach().flatten() for p in trainer.networks["network"].parameters()])
        trainer.learn(torch.rand(4, 3, 32, 32, generator=generator(2)), make_masks("center", 4, 32), done)
        return (torch.cat([p.detach().flatten() for p in trainer.networks["network"].parameters()]) - before).norm()

    torch.testing.assert_close(move(clip=1e9, schedule=schedule), factor*move(clip=1e9, schedule="constant"))
    torch.testing.assert_close(move(clip=.01, schedule=schedule), torch.tensor(factor*.1*.01), rtol=1e-3, atol=0)


def test_weight_decay_and_precision_reach_the_step():
    def weight(**settings):
        config = change(**settings)
        trainer = Trainer(config, make_objective(config))
        trainer.learn(torch.rand(4, 3, 32, 32, generator=generator(2)), make_masks("center", 4, 32, .25), .25)
        return trainer.networks["network"].encoder[1].weight.detach()

    plain, decayed = weight(weight_decay=0.), weight(weight_decay=.5)
    start = make_objective(TINY).networks["network"].encoder[1].weight.detach()
    torch.testing.assert_close(decayed, plain - TINY.lr*.5*start)
    assert not torch.equal(weight(precision="bfloat16"), weight())


def test_average_follows_behind():
    trainer = Trainer(change(ema=.9), make_objective(TINY))
    first = [p.clone() for p in trainer.network.parameters()]
    for net in trainer.networks.values(): net.train()
    for _ in range(3): trainer.learn(torch.rand(12, 3, 32, 32), make_masks("center", 12, 32, .25), .3)
    moved = [sum((p - q).norm() for p, q in zip(net.parameters(), first))
             for net in (trainer.network, trainer.networks["network"])]
    assert trainer.network is not trainer.networks["network"] and 0 < moved[0] < moved[1]


def test_the_average_is_that_of_weights_and_of_batch_norms_statistics():
    trainer, expected = Trainer(change(ema=.75), make_objective(TINY)), None
    for net in trainer.networks.values(): net.train()
    for _ in range(4):
        trainer.learn(torch.rand(12, 3, 32, 32), make_masks("center", 12, 32, .25), .3)
        now = {key: value.clone().float() for key, value in trainer.networks["network"].state_dict().items()}
        expected = now if expected is None else {key: .75*expected[key] + .25*now[key] for key in now}
    found = trainer.network.state_dict()
    assert any("running_mean" in key for key in found)
    for key, value in found.items():
        if value.is_floating_point(): torch.testing.assert_close(value, expected[key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make_one", [Duel, make_objective])
def test_state_survives_a_round_trip(make_one):
    config = change(ema=.9)
    a, b = (Trainer(config, make_one(config)) for _ in range(2))
    image, mask = torch.rand(4, 3, 32, 32), make_masks("center", 4, 32, .25)
    a.learn(image, mask, .3)
    assert not equal(a.state_dict()["tensors"], b.state_dict()["tensors"])
    b.load_state_dict(a.state_dict())
    for trainer in (a, b):
        torch.manual_seed(3)
        trainer.learn(image, mask, .4)
    one, other = a.state_dict(), b.state_dict()
    assert equal(one["tensors"], other["tensors"]) and one["step"] == other["step"] == 2
    assert one["groups"] == other["groups"]


def test_the_state_of_another_architecture_is_one_line():
    a, b = (Trainer(config, make_objective(config)) for config in (TINY, change(bottleneck=8)))
    with pytest.raises(InputError, match="the state holds another architecture") as caught:
        b.load_state_dict(a.state_dict())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("at, where", [(3, "epoch 1, batch 3"), (6, "epoch 2, batch 2")])
def test_nan_stops_and_names_the_batch(tmp_path, at, where):
    with pytest.raises(InputError, match=where) as caught: train(TINY, Broken(at), tmp_path/"run")
    assert "train-0" in str(caught.value) and "\n" not in str(caught.value)
    assert all(v.isfinite().all() for v in load_checkpoint(tmp_path/"run")["tensors"].values())


def test_the_random_state_of_the_caller_is_left_alone(tmp_path):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    make(change(epochs=1), tmp_path/"run")
    assert torch.equal(torch.rand(3), expected)


def test_run_folder(whole):
    assert sorted(p.relative_to(whole).as_posix() for p in whole.rglob("*") if p.is_file()) == [
        "model.safetensors", "record.json", "samples.jpg", "state/last.safetensors"]
    record = json.loads((whole/"record.json").read_text())
    assert record["config"] == dataclasses.asdict(TINY) and record["steps"] == 12 and len(record["curve"]) == 3
    assert {"commit", "environment", "device", "seconds", "peak_memory_gb", "pictures_per_second"} <= record.keys()
    assert record["pictures"] == {"data": "drawn", "digest": load("drawn", 32, 60).digest, "train": 57, "validation": 3}
    for split in ("train", "test"):
        low, high = record[split]["psnr_ci"]
        assert record[split]["n"] == 20 and low < record[split]["psnr"] < high
    assert record["train"]["digest"] != record["test"]["digest"]


def test_the_record_says_what_the_scoreboard_says(whole):
    row, = evaluate(load("drawn", 32, 20, split="test"), get_methods([str(whole)]), hole=.25)["rows"]
    record = json.loads((whole/"record.json").read_text())["test"]
    for key in ("psnr", "l1", "ssim", "seam", "psnr_of_mean"): assert row[key] == pytest.approx(record[key], abs=1e-6)


@pytest.mark.parametrize("size", [(32, 32), (45, 61)])
def test_a_run_is_an_inpainter(whole, size):
    inpainter, image, mask = load_inpainter(whole), torch.rand(2, 3, *size), make_masks("center", 2, size, .3)
    filled, wild = inpainter(image, mask), inpainter(image.masked_fill(mask, float("nan")), mask)
    known = ~mask.expand_as(image)
    assert torch.equal(filled[known], image[known]) and torch.equal(filled, wild)
    assert filled.isfinite().all() and 0 <= filled.min() and filled.max() <= 1


def test_a_run_for_any_mask_fills_any_mask(tmp_path):
    make(change(epochs=1, mask="block"), tmp_path/"run")
    image, mask = torch.rand(2, 3, 40, 40), make_masks("brush", 2, 40)
    filled = load_inpainter(tmp_path/"run")(image, mask)
    assert torch.equal(filled[~mask.expand_as(image)], image[~mask.expand_as(image)])


@pytest.mark.parametrize("settings, words", [
    ({"bottleneck": 0}, "bottleneck"), ({"encoder": "smal"}, "did you mean 'small'"),
    ({"objective": "gam"}, "unknown objective"), ({"loss": "l3"}, "unknown loss"),
    ({"mask": "centre"}, "did you mean 'center'"), ({"hole_px": 40}, "does not fit"), ({"hole_px": 2}, "does not fit"),
    ({"epochs": 0}, "epochs"), ({"batch_size": 1}, "batch_size"), ({"lr": -1.}, "lr"), ({"lr": math.nan}, "lr"),
    ({"ema": 1.}, "ema"),
    ({"schedule": "linear"}, "schedule"), ({"precision": "half"}, "precision"), ({"size": 48}, "32, 64, 128"),
    ({"limit": 12}, "fewer than a batch"), ({"data": "folder:nowhere"}, "no folder"), ({"beta": -1.}, "beta"),
    ({"lambda_adv": 1.}, "lambda_adv"), ({"overlap": 1}, "overlap must be 0 to 0"),
    ({"objective": "gan", "overlap": 13}, "overlap must be 0 to 12"), ({"mask": "block", "overlap": 1}, "overlap"),
    ({"accumulate": 7}, "batch_size"), ({"accumulate": 0}, "accumulate")], ids=str)
def test_bad_settings_are_one_line_and_leave_nothing(tmp_path, settings, words):
    with pytest.raises(InputError, match=words) as caught: make(change(**settings), tmp_path/"run")
    assert "\n" not in str(caught.value) and not (tmp_path/"run").exists()


def test_a_taken_folder_is_not_overwritten(whole, tmp_path):
    with pytest.raises(InputError, match="exists.*--resume"): make(TINY, whole)
    (tmp_path/"letter.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(InputError, match="exists"): make(TINY, tmp_path, resume=resume)
        with pytest.raises(InputError, match="exists"): make(TINY, tmp_path/"letter.txt", resume=resume)


def test_resume_where_nothing_is_begins(whole, tmp_path):
    make(TINY, tmp_path/"new", resume=True)
    assert equal(weights(tmp_path/"new"), weights(whole))


def test_resume_says_which_setting_differs(whole, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="lr is 0.002 there and 0.001 here; seed is 0 there and 5 here"):
        make(change(lr=1e-3, seed=5), whole, resume=True)
    (whole/"record.json").rename(tmp_path/"record.json")
    monkeypatch.setattr(training, "Splits", lambda config: type("Other", (), {"about": {"digest": "0"}}))
    with pytest.raises(InputError, match="digest of the pictures"): make(TINY, whole, resume=True)
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
        make(TINY, out)
    assert "\n" not in str(caught.value)
    assert [p.name for p in out.rglob("*") if p.is_file()] == ["last.safetensors"]
    assert load_checkpoint(out)["step"] == 4
    make(TINY, out, resume=True)
    assert equal(weights(out), weights(whole))


def copy(whole, out):
    out.mkdir()
    for name in ("record.json", "model.safetensors"): (out/name).write_bytes((whole/name).read_bytes())
    return out


def test_weights_of_another_architecture(whole, tmp_path):
    run = copy(whole, tmp_path/"run")
    doubled = {k: v.repeat(2, *[1]*(v.ndim - 1)) if v.ndim else v for k, v in weights(whole).items()}
    save_file(doubled, run/"model.safetensors")
    with pytest.raises(InputError, match="another architecture") as caught: load_inpainter(run)
    assert "\n" not in str(caught.value)
    save_file({"nonsense": torch.zeros(1)}, run/"model.safetensors")
    with pytest.raises(InputError, match="another architecture"): load_inpainter(run)


@pytest.mark.parametrize("name, content", [("record.json", b"{"), ("record.json", b"{}"), ("record.json", b"[]"),
                                           ("record.json", b'{"config": {"colour": 1}}'),
                                           ("model.safetensors", b"x"*50)])
def test_damaged_runs(whole, tmp_path, name, content):
    run = copy(whole, tmp_path/"run")
    (run/name).write_bytes(content)
    with pytest.raises(InputError) as caught: load_inpainter(run)
    assert "\n" not in str(caught.value)


def test_missing_and_damaged_parts(whole, tmp_path):
    with pytest.raises(InputError, match="no finished training run"): load_inpainter(tmp_path)
    run = copy(whole, tmp_path/"run")
    (run/"model.safetensors").unlink()
    with pytest.raises(InputError, match="lacks model.safetensors"): load_inpainter(run)
    (run/"state").mkdir()
    (run/"state"/"last.safetensors").write_bytes(b"x"*50)
    with pytest.raises(InputError, match="damaged"): make(TINY, run, resume=True)


def test_nothing_is_pickled(tmp_path, monkeypatch):
    def refuse(*args, **kwargs): raise AssertionError("pickled")
    monkeypatch.setattr(torch, "save", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    make(change(epochs=1), tmp_path/"run")
    load_inpainter(tmp_path/"run")


def test_the_learning_rate_rises_and_falls():
    rates = [lr_factor(i/1000) for i in range(1001)]
    assert rates[0] == pytest.approx(.04) and max(rates) == lr_factor(.25) == 1 and rates[-1] == pytest.approx(0)
    assert rates[:251] == sorted(rates[:251]) and rates[250:] == sorted(rates[250:], reverse=True)
    assert lr_factor(0, "cosine") == lr_factor(.9, "constant") == 1 and lr_factor(.5, "cosine") == pytest.approx(.5)


def test_derived_seeds_are_all_different():
    seeds = {derive_seed(seed, purpose, step) for seed in range(5) for purpose in range(3) for step in range(200)}
    assert len(seeds) == 3000 and all(0 <= s < 2**63 for s in seeds) and derive_seed(1, 2, 3) == derive_seed(1, 2, 3)


def test_hole_error_by_hand():
    image, mask = torch.rand(2, 3, 16, 16, generator=generator(0)), make_masks("center", 2, 16, .5)
    output = to_network(torch.rand(2, 3, 16, 16, generator=generator(1)))
    error = hole_error(output, image, mask)
    assert not error.masked_fill(mask, 0.).any()
    torch.testing.assert_close(error[..., 4:12, 4:12], ((output + 1)/2 - image)[..., 4:12, 4:12])
    torch.testing.assert_close(hole_error(output[..., 4:12, 4:12], image, mask), error)
    torch.testing.assert_close(squared_error(output, image, mask), error[..., 4:12, 4:12].square().mean((1, 2, 3)))


def test_older_configurations_call_the_holes_side_hole():
    stored = dataclasses.asdict(change(hole_px=10))
    assert read_config(stored) == change(hole_px=10)
    stored["hole"] = stored.pop("hole_px")
    del stored["beta"]
    assert read_config(stored) == change(hole_px=10)
    with pytest.raises(InputError, match="does not know: colour"): read_config(stored | {"colour": 1})


@pytest.mark.parametrize("mask, n", [("center", 1), ("brush", 1024)])
def test_training_masks_have_the_holes_size_and_are_not_those_of_the_test(mask, n):
    masks = training_masks(change(mask=mask))
    assert masks.shape == (n, 1, 32, 32)
    assert masks.float().mean() == pytest.approx((8/32)**2, abs=.01)
    if n == 1: return
    frozen = {row.numpy().tobytes() for row in training.frozen_masks(change(mask=mask), 200)}
    assert not frozen & {row.numpy().tobytes() for row in masks}
    assert not torch.equal(masks, training_masks(change(mask=mask, seed=1)))


@pytest.mark.parametrize("losses", [["l2", "l1"], ["log", "seam"]])
def test_the_loss_reaches_the_run(losses, tmp_path):
    for name in losses:
        objective = make_objective(change(loss=name))
        assert objective.error is LOSSES[name]()
    a, b = (Trainer(change(), make_objective(change(loss=name))) for name in losses)
    batch = Batch(torch.rand(4, 3, 32, 32), make_masks("center", 4, 32, .25))
    assert a.objective.loss("network", batch)[0] != b.objective.loss("network", batch)[0]


def test_splits_do_not_overlap_and_validation_is_of_the_training_pictures():
    splits = training.Splits(TINY)
    names = [set(bank.names) for bank in (splits.train, splits.validation, splits.test)]
    assert names[0] == set(splits.wide.names) and not names[0] & names[1]
    assert names[0] | names[1] == set(load("drawn", 32, 60).names)
    assert splits.test.digest == load("drawn", 32, 20, split="test").digest
    assert splits.wide.images.shape[-1] == 36 and splits.train.images.shape[-1] == 32


def test_epochs_differ_in_their_order_and_seeds_too(monkeypatch):
    seen = []

    def spy(self, image, mask, done):
        seen.append(image.clone())
        self.step += 1
        return {"loss": torch.tensor(0.)}

    monkeypatch.setattr(Trainer, "learn", spy)
    splits, live = training.Splits(TINY), training.Live(8, "")
    for seed in (0, 1):
        trainer = Trainer(change(seed=seed), make_objective(TINY))
        for _ in range(2):
            assert training.train_epoch(trainer, splits.wide, training_masks(TINY), training.Progress(), live,
                                        training.threading.Event())
    assert len(seen) == 16 and not any(torch.equal(seen[0], other) for other in seen[1:])


def test_stopping_in_the_middle_of_an_epoch_keeps_the_losses_of_its_steps(tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(patch, 3)
        make(TINY, tmp_path/"run")
    assert len(load_checkpoint(tmp_path/"run")["log"]) == 3


def test_the_weights_that_are_saved_are_the_averaged_ones(tmp_path):
    make(change(epochs=1, ema=.9), tmp_path/"run")
    tensors, saved = load_checkpoint(tmp_path/"run")["tensors"], weights(tmp_path/"run")
    assert all(torch.equal(value, tensors[f"average of.module.{key}"]) for key, value in saved.items())
    assert not all(torch.equal(value, tensors[f"network.{key}"]) for key, value in saved.items())


def test_validation_is_scored_on_validation_pictures(whole):
    record = json.loads((whole/"record.json").read_text())
    assert record["curve"][-1]["validation_psnr"] == pytest.approx(record["validation"]["psnr"], abs=1e-5)
    assert record["validation"]["n"] == 3 and record["validation"]["psnr"] != record["train"]["psnr"]


def test_the_unfilled_hole_is_black(whole):
    bank, masks = load("drawn", 32, 20, split="test"), training.frozen_masks(TINY, 20)
    squares = bank.batch(range(20))[masks.expand(-1, 3, -1, -1)].square()
    record = json.loads((whole/"record.json").read_text())
    assert record["test"]["none_sum"] == pytest.approx(12288*float(squares.mean()), rel=1e-4)


def test_every_step_draws_from_a_seed_of_its_own(monkeypatch):
    def seeds(seed, first=0):
        drawn = []

        def spy(self, image, mask, done):
            drawn.append(torch.initial_seed())
            self.step += 1
            return {"loss": torch.tensor(0.)}

        monkeypatch.setattr(Trainer, "learn", spy)
        trainer = Trainer(change(seed=seed), make_objective(TINY))
        trainer.step = first
        with torch.random.fork_rng():
            while trainer.step < 12:
                training.train_epoch(trainer, training.Splits(TINY).wide, training_masks(TINY), training.Progress(),
                                     training.Live(12, ""), training.threading.Event())
        return drawn

    whole = seeds(0)
    assert len({*whole, *seeds(1)}) == 24 and seeds(0, first=6) == whole[6:]
