"""The scoreboard: frozen masks, records and tables."""
import csv
import io
import json

import pytest
import torch

from context_inpaint.classical import none, ring_mean, telea
from context_inpaint.core import InputError
from context_inpaint.data import load
from context_inpaint.masks import make_masks
from context_inpaint.records import load_records, save_record, table
from context_inpaint.scoreboard import compare, evaluate

INPAINTERS = {"none": none, "ring-mean": ring_mean, "telea": telea}


@pytest.fixture(scope="module")
def bank(): return load("drawn", size=32, limit=23, split="test")


@pytest.fixture(scope="module")
def record(bank): return evaluate(bank, INPAINTERS, mask="region", seed=4)


def test_scores_do_not_depend_on_the_batch_size(bank, record):
    again = evaluate(bank, INPAINTERS, mask="region", seed=4, batch_size=7)
    for a, b in zip(record["rows"], again["rows"]):
        for key in a.keys() - {"seconds_per_image", "method"}: assert a[key] == pytest.approx(b[key], rel=1e-5), key


def test_the_record_says_what_was_measured(bank, record):
    assert {k: record[k] for k in ("data", "digest", "mask", "size", "seed", "n")} == \
        {"data": bank.spec, "digest": bank.digest, "mask": "region", "size": 32, "seed": 4, "n": 23}
    row = record["rows"][0]
    assert row["sum"] == pytest.approx(12288*row["l2"])
    mask = make_masks("region", 23, 32, seed=4).expand(-1, 3, -1, -1)
    black = [float((image[hole]**2).mean()) for image, hole in zip(bank.batch(torch.arange(23)), mask)]
    assert row["l2"] == pytest.approx(sum(black)/23, rel=1e-5)
    assert row["psnr_ci"][0] < row["psnr"] < row["psnr_ci"][1]
    assert record["truth"]["l2"] == 0 and record["truth"]["sharpness"] == pytest.approx(1)


def test_the_gain_over_telea_is_paired(record):
    rows = {row["method"]: row for row in record["rows"]}
    gain = rows["ring-mean"]["psnr"] - rows["telea"]["psnr"]
    assert rows["ring-mean"]["gain_over_telea"] == pytest.approx(gain, abs=1e-4)
    assert "gain_over_telea" not in rows["telea"]


def test_tables_hold_every_method_best_first(record):
    text = table(record)
    order = sorted(record["rows"], key=lambda row: -row["psnr"])
    assert [line.split()[0] for line in text.splitlines()[2:]] == [row["method"] for row in order] + ["truth"]
    assert table(record, "markdown").count("\n| ") == 6 and table(record, "html").count("<tr>") == 5
    rows = list(csv.DictReader(io.StringIO(table(record, "csv"))))
    assert [row["method"] for row in rows] == ["none", "ring-mean", "telea"]
    assert float(rows[2]["psnr"]) == record["rows"][2]["psnr"]
    assert float(rows[2]["psnr_ci_low"]) == record["rows"][2]["psnr_ci"][0]


def test_records_survive_the_disk_and_are_not_overwritten(record, tmp_path):
    save_record(record, tmp_path/"a.json")
    save_record([record, record], tmp_path/"b.json")
    (tmp_path/"c.json").write_text('{"another": "kind"}')
    assert load_records(tmp_path) == [json.loads(json.dumps(record))]*3
    save_record([record, record], tmp_path/"d.csv")
    assert len((tmp_path/"d.csv").read_text().splitlines()) == 7
    with pytest.raises(InputError, match="--force"): save_record(record, tmp_path/"a.json")
    with pytest.raises(InputError, match="no folder"): load_records(tmp_path/"none")


def test_compare_draws_every_method(bank):
    picture = compare(bank.batch(torch.arange(2)), make_masks("center", 2, 32), INPAINTERS, names=["a", "b"])
    assert picture.data[:2] == b"\xff\xd8" and len(picture.data) < 60_000
