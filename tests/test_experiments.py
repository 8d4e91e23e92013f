"""The report's experiments: which runs, what they cost, resuming, and tables that follow from records alone."""
import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from context_inpaint import experiments
from context_inpaint.core import PRESETS, InputError, Preset
from context_inpaint.experiments import (configs, EXPERIMENTS, finished, load_runs, make_runs, matching, plan,
                                         published, REPORT, rows, table)

MINI = Preset("mini", 32, 8, 40, 12, 2, 8, (4, 8, 16), 16)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One experiment, made."""
    out = tmp_path_factory.mktemp("experiment")
    return out, experiment("vae-encoders", MINI, "drawn", out)


def test_all_shares_the_runs_that_experiments_have_in_common():
    runs = {name: configs(name, PRESETS["laptop"], "drawn") for name in [*EXPERIMENTS, "all"]}
    assert [len(runs[name]) for name in EXPERIMENTS] == [3, 3, 12] and len(runs["all"]) == 14
    for name in EXPERIMENTS: assert runs["all"] | runs[name] == runs["all"]
    assert len({replace(c) for c in runs["all"].values()}) == 14


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_runs_are_those_of_the_preset(preset):
    for name, config in configs("all", preset, "drawn", "samples", seeds=2).items():
        assert (config.size, config.hole, config.epochs, config.batch_size, config.width) == (preset.size, preset.hole,
                                                                                              preset.epochs,
                                                                                              preset.batch_size,
                                                                                              preset.width)
        assert config.lr == (1e-3 if config.objective == "gan" else 2e-3) and config.bottleneck in preset.bottlenecks
        assert name == f"{config.objective}-{config.encoder}-{config.bottleneck}-{config.seed}"


def test_paper_preset_is_the_reports():
    config = configs("vae-encoders", PRESETS["paper"], "places365:/p")["vae-vgg-4000-0"]
    assert (config.size, config.hole, config.batch_size, config.epochs, config.limit, config.test_limit) == (256, 64,
                                                                                                             32, 100,
                                                                                                             5000, 2000)


def test_published_formula_counts_each_picture_as_the_loop_does():
    true, black = [3., 5., 11., 2., 7.], [20., 30., 25., 40., 35.]
    def loop(batches):
        total = 0.
        for batch in batches:
            for step in range(len(batch)): total += sum(true[p] if j <= step else black[p] for j,
                                                        p in enumerate(batch))/3
        return total/5

    orders = list(itertools.permutations(range(5)))
    mean = sum(loop([order[:3], order[3:]]) for order in orders)/len(orders)
    assert published(sum(true)/5, sum(black)/5, 5, batch=3) == pytest.approx(mean, rel=1e-12)
    assert published(1, 0, 32) == .515625 and published(0, 1, 32) == .484375
    assert (published(1, 0, 2000), published(0, 1, 2000)) == (.513625, .482375)
    assert (published(1, 0, 5000), published(0, 1, 5000)) == (.515025, .483775)


def test_table_follows_from_records_alone(made):
    out, records = made
    assert load_runs(out) == records and list(records) == [f"vae-{e}-16-0" for e in ("alexnet", "vgg", "resnet")]
    fake = {name: json.loads(json.dumps(record)) for name, record in records.items()}
    for seed, record in enumerate([fake["vae-vgg-16-0"], json.loads(json.dumps(fake["vae-vgg-16-0"]))]):
        record["config"] |= {"size": 64, "hole": 16, "bottleneck": 250, "seed": seed}
        record["test"] |= {"sum": 200. + 100*seed, "none_sum": 3000., "n": 2000, "psnr": 18. + seed,
                           "psnr_ci": [17.5 + seed, 18.5 + seed]}
        fake[f"vae-vgg-250-{seed}"] = record
    vgg = rows("vae-encoders", {name: r for name, r in fake.items() if "250" in name})[1]
    assert vgg["seeds"] == 2 and vgg["true_test"] == 250 and vgg["psnr"] == 18.5 and vgg["psnr_ci"] == [18., 19.]
    assert vgg["published_test"] == pytest.approx(.513625*250 + .482375*3000) and (vgg["report_train"],
                                                                                   vgg["report_test"]) == (1747.96,
                                                                                                           1784.43)


def test_variants_stay_out_of_the_tables(made):
    record = json.loads(json.dumps(made[1]["vae-vgg-16-0"]))
    record["config"] |= {"size": 64, "hole": 16, "bottleneck": 250}
    assert len(matching({"a": record}, "vae", "vgg", 2)) == 1
    for key, value in {"beta": 1., "error": "norm", "mask": "block", "bottleneck": 128, "encoder": "resnet"}.items():
        assert not matching({"a": record | {"config": record["config"] | {key: value}}}, "vae", "vgg", 2)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_style_shows_every_row_with_or_without_runs(name):
    report = {value for pair in REPORT[name].values() for value in pair if value}
    for style in ("text", "markdown", "html"):
        text = table(name, {}, style)
        assert all(f"{value:.2f}" in text for value in report) and "no runs recorded yet" in text
    lines = list(csv.DictReader(io.StringIO(table(name, {}, "csv"))))
    assert len(lines) == len(EXPERIMENTS[name]) and {float(line["report_test"])
                                                     for line in lines if line["report_test"]} == {pair[1]
                                                                                                   for pair in REPORT[name].values()}


def test_made_again_it_trains_nothing_and_says_so(made, capsys, monkeypatch):
    monkeypatch.setattr(experiments, "train", lambda *a, **k: pytest.fail("trained again"))
    assert experiment("vae-encoders", MINI, "drawn", made[0]) == made[1]
    assert "3 runs, 3 of them finished; the other 0" in capsys.readouterr().err


def test_cost_is_said_before_anything_is_trained(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(experiments, "train", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(experiments, "step_seconds", lambda config: 10.)
    with pytest.raises(KeyboardInterrupt): experiment("gan-encoders", MINI, "drawn", tmp_path)
    assert "the other 3 take about 5 minutes here" in capsys.readouterr().err  # 3 runs, 2 epochs, 4 steps of 10 s, and 15%
    left, text = plan(configs("gan-encoders", PRESETS["paper"], "drawn"), tmp_path)
    assert len(left) == 3 and text.endswith("hours here")


KILLED = """
import os, signal, sys
from context_inpaint import experiments
from context_inpaint.core import Preset
train = experiments.train
def deadly(config, out, resume):
    if config.encoder == "vgg":
        from context_inpaint.trainer import Trainer
        learn, calls = Trainer.learn, []
        def last(self, *args):
            calls.append(1)
            if len(calls) == 6: os.kill(os.getpid(), signal.SIGKILL)
            return learn(self, *args)
        Trainer.learn = last
    return train(config, out, resume=resume)
experiments.train = deadly
experiments.experiment("vae-encoders", Preset("mini", 32, 8, 40, 12, 2, 8, (4, 8, 16), 16), "drawn", sys.argv[1])
"""


def test_killed_and_resumed_gives_the_same_table(made, tmp_path):
    assert subprocess.run([sys.executable, "-c", KILLED, tmp_path],
                          env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode == -signal.SIGKILL
    assert sorted(p.parent.name for p in tmp_path.glob("*/record.json")) == ["vae-alexnet-16-0"]
    records = experiment("vae-encoders", MINI, "drawn", tmp_path)
    for name, record in records.items():
        for split in ("train", "validation", "test"): assert record[split] == made[1][name][split]


def test_another_run_in_the_folder_is_named_not_overwritten(made):
    config = configs("vae-encoders", MINI, "drawn")["vae-vgg-16-0"]
    assert finished(made[0]/"vae-vgg-16-0", config)
    with pytest.raises(InputError,
                       match="another configuration: epochs is 2 there and 3 here"): finished(made[0]/"vae-vgg-16-0",
                                                                                              replace(config, epochs=3))


@pytest.mark.parametrize("call, words", [
    (lambda: configs("vae-encoder", MINI, "drawn"), "unknown experiment 'vae-encoder': did you mean 'vae-encoders'"),
    (lambda: configs("all", MINI, "drawn", seeds=0), "seeds must be at least 1"),
    (lambda: table("bottlenecks", {}), "did you mean 'bottleneck'"),
    (lambda: table("bottleneck", {}, "latex"), "unknown table style"),
    (lambda: load_runs("/nowhere"), "no folder /nowhere")])
def test_bad_requests_are_one_line(call, words):
    with pytest.raises(InputError, match=words) as caught: call()
    assert "\n" not in str(caught.value)
