"""The report's experiments: which runs, what they cost, resuming, verdicts, tables that follow from records alone."""
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
import torch
from scipy import stats

from context_inpaint import experiments, metrics
from context_inpaint.catalogue import make_objective
from context_inpaint.core import PRESETS, InputError, Preset, generator
from context_inpaint.experiments import (
    BLACK_HOLE,
    EXPERIMENTS,
    REPORT,
    averaged,
    configs,
    figure,
    finished,
    load_runs,
    make_runs,
    matching,
    plan,
    published,
    rows,
    table,
    true_loss,
    verdicts,
    with_noise,
)
from context_inpaint.masks import make_masks

MINI = Preset("mini", 32, 8, 40, 12, 2, 8, (4, 8, 16), 64)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One experiment, made."""
    out = tmp_path_factory.mktemp("experiment")
    return out, make_runs(configs("vae-encoders", MINI, "drawn"), make_objective, out)


def copied(record, **settings):
    """Return a record of its own with other settings."""
    copy = json.loads(json.dumps(record))
    return copy | {"config": copy["config"] | settings}


def test_all_shares_the_runs_that_experiments_have_in_common():
    runs = {name: configs(name, PRESETS["laptop"], "drawn") for name in [*EXPERIMENTS, "all"]}
    assert [len(runs[name]) for name in EXPERIMENTS] == [3, 3, 12] and len(runs["all"]) == 14
    for name in EXPERIMENTS: assert runs["all"] | runs[name] == runs["all"]
    assert len({replace(c) for c in runs["all"].values()}) == 14


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_runs_are_those_of_the_preset(preset):
    for name, config in configs("all", preset, "drawn", "samples", seeds=2).items():
        of_preset = preset.size, preset.hole_px, preset.epochs, preset.batch_size, preset.width
        assert (config.size, config.hole_px, config.epochs, config.batch_size, config.width) == of_preset
        assert (config.data, config.test_data, config.limit) == ("drawn", "samples", preset.train)
        assert config.lr == (1e-3 if config.objective == "gan" else 2e-3) and config.bottleneck in preset.bottlenecks
        assert name == f"{config.objective}-{config.encoder}-{config.bottleneck}-{config.seed}"


def test_paper_preset_is_the_reports():
    config = configs("vae-encoders", PRESETS["paper"], "places365:/p")["vae-vgg-4000-0"]
    assert (config.size, config.hole_px, config.batch_size, config.epochs) == (256, 64, 32, 100)
    assert (config.limit, config.test_limit) == (5000, 2000)


def test_the_tables_are_the_reports():
    """Typed a second time, and added up by hand: a digit that is wrong in one place does not agree with the other."""
    sums = {name: (sum(a for a, _ in table.values() if a), sum(b for _, b in table.values()))
            for name, table in REPORT.items()}
    assert sums["vae-encoders"] == pytest.approx((5367.36, 5436.08), abs=.001)
    assert sums["gan-encoders"] == pytest.approx((4829.81, 4806.91), abs=.001)
    assert sums["bottleneck"] == pytest.approx((0, 30227.9658), abs=.0001)
    ends = [REPORT["bottleneck"][objective, encoder, 2][1]
            for objective, encoder in (("vae", "vgg"), ("vae", "resnet"), ("gan", "alexnet"), ("gan", "resnet"))]
    assert ends == [1808.84, 1818.61, 1813.56, 3038.22]
    assert REPORT["vae-encoders"]["vae", "vgg", 2] == (1747.96, 1784.43)
    assert [REPORT["bottleneck"]["gan", "resnet", i][1] for i in range(3)] == [5470.18, 4704.27, 3038.22]


def test_published_formula_counts_each_picture_as_the_loop_does():
    true, black = [3., 5., 11., 2., 7.], [20., 30., 25., 40., 35.]

    def loop(batches):
        total = 0.
        for batch in batches:
            for step in range(len(batch)):
                total += sum(true[p] if j <= step else black[p] for j, p in enumerate(batch))/3
        return total/5

    orders = list(itertools.permutations(range(5)))
    mean = sum(loop([order[:3], order[3:]]) for order in orders)/len(orders)
    assert published(sum(true)/5, sum(black)/5, 5, batch=3) == pytest.approx(mean, rel=1e-12)
    assert published(1, 0, 32) == .515625 and published(0, 1, 32) == .484375
    assert (published(1, 0, 2000), published(0, 1, 2000)) == (.513625, .482375)
    assert (published(1, 0, 5000), published(0, 1, 5000)) == (.515025, .483775)


@pytest.mark.parametrize("n", [1, 31, 32, 33, 2000, 5000])
def test_true_loss_undoes_published(n):
    for loss, black in ((0., 3095.), (537.2, 3331.), (7000., 2900.)):
        assert true_loss(published(loss, black, n), black, n) == pytest.approx(loss, abs=1e-8)
        assert published(true_loss(loss + 2000, black, n), black, n) == pytest.approx(loss + 2000)
        assert true_loss(published(loss, black, n, 7), black, n, 7) == pytest.approx(loss, abs=1e-8)
    with pytest.raises(InputError, match="at least 1 picture"): true_loss(1800., 3095., 0)


def test_what_the_reports_tables_mean():
    assert [true_loss(v) for v in (1882.63, 1769.02, 3038.22)] == pytest.approx([759, 537, 3009], abs=1)
    assert BLACK_HOLE == 3095


def test_a_verdict_is_a_paired_t_test():
    a, b = {0: 19.2, 1: 18.9, 2: 19.1, 5: 0.}, {0: 18.4, 1: 18.2, 2: 18.5, 7: 9.}
    found = verdicts({"x": (a, b)})["x"]
    wanted = stats.ttest_rel([19.2, 18.9, 19.1], [18.4, 18.2, 18.5])
    assert (found.word, found.seeds) == ("higher", 3) and found.mean == pytest.approx(.7)
    assert found.p == pytest.approx(wanted.pvalue)
    assert found.interval == pytest.approx(tuple(wanted.confidence_interval()))
    assert verdicts({"x": (b, a)})["x"].word == "lower"
    assert verdicts({"x": (a, {0: 19., 1: 19.5, 2: 18.})})["x"].word == "undecided"
    assert str(found).startswith("higher: +0.70 [+0.45, +0.95], 3 seeds, p 0.007")


def test_with_fewer_than_three_common_seeds_a_verdict_is_open():
    for a, b in (({0: 9.}, {0: 1.}), ({0: 9., 1: 9.}, {0: 1., 1: 1.}), ({0: 9., 1: 9., 2: 9.}, {0: 1., 1: 1., 3: 1.}),
                 ({}, {0: 1.})):
        found = verdicts({"x": (a, b)})["x"]
        assert found.word == "undecided" and str(found).startswith("undecided: 3 seeds needed")


def test_holm_corrects_for_the_number_of_verdicts():
    """Against Holm's rule written another way: reject from the smallest on, while p <= .05/(m - k)."""
    draw = torch.Generator().manual_seed(0)
    a = {f"{i}": {s: float(torch.randn((), generator=draw))*.7 + i/3 for s in range(4)} for i in range(6)}
    pairs = {name: (values, dict.fromkeys(range(4), 0.)) for name, values in a.items()}
    pairs["open"] = {0: 5.}, {0: 0.}
    alone = {name: verdicts({name: pair})[name].p for name, pair in pairs.items() if name != "open"}
    together, rejected = verdicts(pairs), set()
    for k, name in enumerate(sorted(alone, key=alone.get)):
        if alone[name] > .05/(6 - k): break
        rejected.add(name)
    assert {name for name, verdict in together.items() if verdict.word != "undecided"} == rejected
    assert 0 < len(rejected) < 6 and any(p < .05 for name, p in alone.items() if name not in rejected)
    order = sorted(alone, key=alone.get)
    assert [together[name].p for name in order] == sorted(together[name].p for name in order)
    assert all(alone[name] <= together[name].p <= 1 for name in alone)


def test_seeds_that_all_agree_exactly_are_decided_and_equal_ones_are_not():
    ones, zeros = dict.fromkeys(range(3), 1.), dict.fromkeys(range(3), 0.)
    found = verdicts({"same": (ones, ones), "apart": (ones, zeros)})
    assert (found["same"].word, found["apart"].word) == ("undecided", "higher")


def test_noise_on_a_fill_costs_what_the_formula_says():
    draw, mask = generator(3), make_masks("center", 1, 64, .5)
    truth = torch.rand(1, 3, 64, 64, generator=draw, dtype=torch.float64)*.2 + .4
    fill = .5*truth + .25
    row = {key: float(getattr(metrics, key)(fill, truth, mask)) for key in ("l2", "sharpness")}
    flat = float(metrics.sharpness(truth.masked_fill(mask, 0), truth, mask))
    noisy = fill + .03*torch.randn(truth.shape, generator=draw, dtype=torch.float64)
    sharp = float(metrics.sharpness(noisy, truth, mask))
    assert with_noise(row, sharp, flat) == pytest.approx(float(metrics.psnr(noisy, truth, mask)), abs=.05)
    assert with_noise(row, sharp, flat) < with_noise(row, row["sharpness"], flat) == metrics.psnr_of_mean([row["l2"]])
    assert with_noise(row, 0., flat) == metrics.psnr_of_mean([row["l2"]])  # already sharper: left alone


def test_table_follows_from_records_alone(made):
    out, records = made
    assert load_runs(out) == records and list(records) == [f"vae-{e}-16-0" for e in ("alexnet", "vgg", "resnet")]
    fake = dict(records)
    for seed in range(2):
        record = copied(records["vae-vgg-16-0"], size=64, hole_px=16, bottleneck=250, seed=seed)
        record["train"] |= {"sum": 150. + 100*seed, "none_sum": 2900., "n": 5000, "psnr": 3., "sharpness": 7.}
        record["test"] |= {"sum": 200. + 100*seed, "none_sum": 3000., "n": 2000, "psnr": 18. + seed,
                           "psnr_ci": [17.5 + seed, 18.5 + seed], "sharpness": .2 + .1*seed}
        fake[f"vae-vgg-250-{seed}"] = record
    vgg = rows("vae-encoders", {name: r for name, r in fake.items() if "250" in name})[1]
    assert vgg["network"] == "VAE VGG" and (vgg["report_train"], vgg["report_test"]) == (1747.96, 1784.43)
    assert (vgg["seeds"], vgg["ours"], vgg["bottleneck"]) == (2, 250, 4000) and vgg["psnrs"] == [18., 19.]
    assert (vgg["true_train"], vgg["true_test"], vgg["psnr"], vgg["psnr_ci"]) == (200, 250, 18.5, [18., 19.])
    assert vgg["sharpness"] == pytest.approx(.25)
    assert vgg["published_test"] == pytest.approx(.513625*250 + .482375*3000)
    assert vgg["published_train"] == pytest.approx(.515025*200 + .483775*2900)
    only = {name: r for name, r in fake.items() if "250" in name}
    assert averaged(list(only.values())) == {key: vgg[key] for key in averaged(list(only.values()))}
    shown = list(csv.DictReader(io.StringIO(table("vae-encoders", only, "csv"))))[1]
    assert {key: float(shown[key]) for key in ("true_train", "true_test", "report_train", "report_test", "psnr")} == {
        "true_train": 200, "true_test": 250, "report_train": 1747.96, "report_test": 1784.43, "psnr": 18.5}


def test_each_number_stands_under_its_heading(made):
    record = copied(made[1]["vae-vgg-16-0"], size=64, hole_px=16, bottleneck=250)
    record["train"] |= {"sum": 211., "none_sum": 3000., "n": 5000}
    record["test"] |= {"sum": 307., "none_sum": 3100., "n": 2000, "psnr": 18.21, "psnr_ci": [17., 19.],
                       "sharpness": .37}
    text = table("vae-encoders", {"a": record}, "markdown")
    heads, _, *lines = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    cells = dict(zip(heads, next(line for line in lines if line[0] == "VAE VGG")))
    assert cells == {
        "network": "VAE VGG", "bottleneck in the report": "4000", "its train loss": "1747.96",
        "its test loss": "1784.43", "bottleneck here": "250", "seeds": "1",
        "train, its formula": f"{published(211, 3000, 5000):.0f}",
        "test, its formula": f"{published(307, 3100, 2000):.0f}",
        "true train": "211", "true test": "307", "PSNR, dB": "18.21 [17.00, 19.00]", "sharpness": "0.37"}


def test_variants_stay_out_of_the_tables(made):
    record = copied(made[1]["vae-vgg-16-0"], size=64, hole_px=16, bottleneck=250)
    assert len(matching({"a": record}, "vae", "vgg", 2)) == 1
    variants = {"beta": 1., "error": "norm", "mask": "block", "bottleneck": 128, "encoder": "resnet", "lr": 1e-3,
                "pretrained": True, "weight_decay": 0., "schedule": "cosine", "ema": .9, "clip": 9., "lambda_adv": .01}
    for key, value in variants.items(): assert not matching({"a": copied(record, **{key: value})}, "vae", "vgg", 2), key
    assert len(matching({"a": copied(record, seed=4, precision="bfloat16", data="folder:x")}, "vae", "vgg", 2)) == 1
    adversarial = copied(record, objective="gan", lr=1e-3)
    assert len(matching({"a": adversarial}, "gan", "vgg", 2)) == 1
    for key, value in {"lambda_adv": 0., "overlap": 2, "lr": 2e-3}.items():
        assert not matching({"a": copied(adversarial, **{key: value})}, "gan", "vgg", 2), key


def test_the_courses_own_runs_fill_every_row_and_figures_show_them():
    records = load_runs()
    seeds = {name: [row["seeds"] for row in rows(name, records)] for name in EXPERIMENTS}
    assert seeds["vae-encoders"] == [3, 3, 3] == seeds["gan-encoders"] and all(n >= 1 for n in seeds["bottleneck"])
    assert figure("gan-encoders").data.startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_style_shows_every_row_with_or_without_runs(name):
    report = {value for pair in REPORT[name].values() for value in pair if value}
    for style in ("text", "markdown", "html"):
        text = table(name, {}, style)
        assert all(f"{value:.2f}" in text for value in report) and "no runs recorded yet" in text
    lines = list(csv.DictReader(io.StringIO(table(name, {}, "csv"))))
    assert len(lines) == len(EXPERIMENTS[name])
    tests = {float(line["report_test"]) for line in lines if line["report_test"]}
    assert tests == {test for _, test in REPORT[name].values()}


def test_made_again_it_trains_nothing_and_says_so(made, capsys, monkeypatch):
    monkeypatch.setattr(experiments, "train", lambda *a, **k: pytest.fail("trained again"))
    assert make_runs(configs("vae-encoders", MINI, "drawn"), make_objective, made[0]) == made[1]
    assert "3 runs, 3 of them finished; the other 0" in capsys.readouterr().err


def test_cost_is_said_before_anything_is_trained(tmp_path, capsys, monkeypatch):
    def interrupted(*args, **settings): raise KeyboardInterrupt
    monkeypatch.setattr(experiments, "train", interrupted)
    monkeypatch.setattr(experiments, "step_seconds", lambda config, make: 10.)
    with pytest.raises(KeyboardInterrupt): make_runs(configs("gan-encoders", MINI, "drawn"), make_objective, tmp_path)
    assert "the other 3 take about 5 minutes here" in capsys.readouterr().err  # 3 runs, 2 epochs, 4 steps of 10 s, 15%
    left, text = plan(configs("gan-encoders", PRESETS["paper"], "drawn"), tmp_path, make_objective)
    assert len(left) == 3 and text.endswith("hours here")


KILLED = """
import os, signal, sys
from context_inpaint import experiments, metrics
from context_inpaint.catalogue import make_objective
from context_inpaint.core import Preset
from context_inpaint.trainer import Trainer
train, learn = experiments.train, Trainer.learn

def deadly(config, objective, out, resume):
    calls = []
    def last(self, *args):
        calls.append(1)
        if config.encoder == "vgg" and len(calls) == 6: os.kill(os.getpid(), signal.SIGKILL)
        return learn(self, *args)
    Trainer.learn = last
    return train(config, objective, out, resume=resume)

experiments.train = deadly
runs = experiments.configs("vae-encoders", Preset("mini", 32, 8, 40, 12, 2, 8, (4, 8, 16), 64), "drawn")
experiments.make_runs(runs, make_objective, sys.argv[1])
"""


def test_killed_and_resumed_gives_the_same_table(made, tmp_path):
    ended = subprocess.run([sys.executable, "-c", KILLED, tmp_path], env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert ended.returncode == -signal.SIGKILL
    assert sorted(p.parent.name for p in tmp_path.glob("*/record.json")) == ["vae-alexnet-16-0"]
    records = make_runs(configs("vae-encoders", MINI, "drawn"), make_objective, tmp_path)
    for name, record in records.items():
        for split in ("train", "validation", "test"): assert record[split] == made[1][name][split]


def test_another_run_in_the_folder_is_named_not_overwritten(made):
    config = configs("vae-encoders", MINI, "drawn")["vae-vgg-16-0"]
    assert finished(made[0]/"vae-vgg-16-0", config)
    with pytest.raises(InputError, match="another configuration: epochs is 2 there and 3 here"):
        finished(made[0]/"vae-vgg-16-0", replace(config, epochs=3))


@pytest.mark.parametrize("call, words", [
    (lambda: configs("vae-encoder", MINI, "drawn"), "unknown experiment 'vae-encoder': did you mean 'vae-encoders'"),
    (lambda: configs("all", MINI, "drawn", seeds=0), "seeds must be at least 1"),
    (lambda: table("bottlenecks", {}), "did you mean 'bottleneck'"),
    (lambda: table("bottleneck", {}, "latex"), "unknown table style"),
    (lambda: figure("bottleneck", seed=99), "no fills of bottleneck with seed 99"),
    (lambda: load_runs("/nowhere"), "no folder /nowhere")])
def test_bad_requests_are_one_line(call, words):
    with pytest.raises(InputError, match=words) as caught: call()
    assert "\n" not in str(caught.value)
