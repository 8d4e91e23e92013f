"""Records and their tables: numbers stand under their headings, nothing is overwritten, what is written comes back."""
import csv
import io
import json
import subprocess

import pytest
import torch
from PIL import Image

from context_inpaint import records
from context_inpaint.core import InputError
from context_inpaint.records import (
    COLUMNS,
    OPTIONAL,
    caption,
    environment,
    git_commit,
    load_records,
    peak_memory,
    recorded_fills,
    render,
    results_folder,
    save_record,
    table,
)

ALWAYS = [column for column in COLUMNS if column[1] not in OPTIONAL]


@pytest.fixture
def record():
    """Every number another one, so that none can stand in another's place unnoticed."""
    def row(name, psnr, **more):
        values = {"psnr_of_mean": psnr - 2, "l1": psnr/1000, "l2": psnr/2000, "sum": psnr*7, "ssim": psnr/100,
                  "seam": psnr/300, "sharpness": psnr/90, "spectrum": psnr/5, "seconds_per_image": psnr/4000}
        return {"method": name, "psnr": psnr, "psnr_ci": [psnr - .3, psnr + .2], "ssim_ci": [.1, .9]} | values | more

    truth = {"psnr": 100., "l1": 0., "l2": 0., "sum": 0., "ssim": 1., "seam": 0., "sharpness": 1., "spectrum": 0.}
    rows = [row("telea", 18.), row("ring-mean", 16., gain_over_telea=-2., gain_over_telea_ci=[-2.5, -1.5]),
            row("<unet>", 20., gain_over_telea=2., gain_over_telea_ci=[1.75, 2.25])]
    return {"data": "drawn", "digest": "d1", "mask": "center", "size": 64, "hole": .25, "seed": 3, "n": 12,
            "hole_area": .0625, "truth": truth, "rows": rows}


def split(text): return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]


def test_each_number_stands_under_its_heading(record):
    heading, _, *lines = split(table(record, "markdown"))
    assert heading == ["method", *(column[0] for column in ALWAYS)]
    assert [line[0] for line in lines] == ["<unet>", "telea", "ring-mean", "truth"], "best first, truth last"
    shown = dict(zip(heading, lines[0]))
    assert shown == {"method": "<unet>", "PSNR, dB": "20.00 [19.70, 20.20]", "over Telea": "2.00 [1.75, 2.25]",
                     "PSNR of mean": "18.00", "L1, %": "2.00", "L2, %": "1.00", "sum": "140", "SSIM": "0.200",
                     "seam": "0.067", "sharpness": "0.22", "spectrum": "4.00", "ms": "5.0"}
    assert dict(zip(heading, lines[1]))["over Telea"] == "–"
    truth = dict(zip(heading, lines[3]))
    assert (truth["PSNR, dB"], truth["SSIM"], truth["ms"]) == ("–", "1.000", "–")


def test_keys_choose_columns_in_every_style(record):
    for style in ("text", "markdown", "html"):
        text = table(record, style, keys=("ssim", "psnr"))
        assert "SSIM" in text and "PSNR, dB" in text and "sharpness" not in text
        assert caption(record) in text and text.endswith("\n")
    assert caption(record) == "drawn: 12 pictures at 64×64, center mask, 6% hidden; [95% interval]"


def test_text_is_aligned_and_html_escaped(record):
    _, *lines = table(record, keys=("ssim",)).splitlines()
    assert len(set(map(len, lines))) == 1
    page = table(record, "html")
    assert "<td>&lt;unet&gt;</td>" in page and "<unet>" not in page
    assert page.count("<tr>") == page.count("</tr>") == 5 and page.count("<th>") == len(ALWAYS) + 1


def test_csv_has_every_number_and_what_it_was_measured_on(record):
    lines = list(csv.DictReader(io.StringIO(table(record, "csv"))))
    assert [line["method"] for line in lines] == ["telea", "ring-mean", "<unet>"]
    for line, row in zip(lines, record["rows"]):
        assert (line["data"], line["hole"], line["seed"], line["n"]) == ("drawn", "0.25", "3", "12")
        for key, value in row.items():
            if isinstance(value, list):
                assert [float(line[f"{key}_low"]), float(line[f"{key}_high"])] == value
            elif key != "method": assert float(line[key]) == value
    assert lines[0]["gain_over_telea"] == ""


def test_an_unknown_style_is_one_line(record):
    for call in (lambda: table(record, "latex"), lambda: render("title", [["a"]], "latex")):
        with pytest.raises(InputError, match="unknown table style 'latex'.*choose from"): call()


def test_records_come_back_and_are_not_overwritten(record, tmp_path):
    save_record(record, tmp_path/"b.json")
    save_record([record | {"seed": 1}, record | {"seed": 2}], tmp_path/"a.json")
    (tmp_path/"run.json").write_text(json.dumps({"config": {}}))
    assert [each["seed"] for each in load_records(tmp_path)] == [1, 2, 3], "a run is no scoreboard"
    assert load_records(tmp_path)[2] == record
    with pytest.raises(InputError, match="exists"): save_record(record, tmp_path/"b.json")
    save_record(record | {"seed": 9}, tmp_path/"b.json", force=True)
    assert load_records(tmp_path)[2]["seed"] == 9
    with pytest.raises(InputError, match="no folder"): load_records(tmp_path/"gone")


def test_several_records_are_one_csv_with_one_line_of_headings(record, tmp_path):
    save_record([record, record | {"seed": 4}], tmp_path/"x.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path/"x.csv").read_text())))
    assert [line["seed"] for line in lines] == ["3"]*3 + ["4"]*3


def test_the_results_of_the_course_can_be_read():
    assert results_folder().is_dir() and load_records(results_folder())


def test_recorded_fills_are_cut_in_the_order_of_the_photographs(tmp_path):
    strip = torch.arange(7).repeat_interleave(8).mul(30).to(torch.uint8).expand(8, 56)
    Image.fromarray(strip.numpy()).convert("RGB").save(tmp_path/"net.fills.jpg", quality=95)
    fills = recorded_fills("net", tmp_path)
    assert fills.shape == (7, 3, 8, 8) and 0 <= fills.min() and fills.max() <= 1
    assert (fills.mean((1, 2, 3)) - torch.arange(7)*30/255).abs().max() < .02
    assert recorded_fills("another", tmp_path) is None


def test_the_environment_is_plain_json():
    known = environment()
    assert json.loads(json.dumps(known)) == known and known["torch"] == torch.__version__ and known["threads"] >= 1
    assert peak_memory() is None or .01 < peak_memory() < 1e4


def test_the_commit_is_that_of_this_package_and_of_no_other(tmp_path, monkeypatch):
    assert git_commit() is None or len(git_commit()) == 40
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path/"__init__.py").touch()
    monkeypatch.setattr(records.context_inpaint, "__file__", str(tmp_path/"__init__.py"))
    assert git_commit() is None, "the file lies in a repository that does not know it"
    git = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "add", "__init__.py"], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    assert git_commit() == head
    monkeypatch.setattr(records.context_inpaint, "__file__", str(tmp_path.parent/"__init__.py"))
    assert git_commit() is None


def test_an_optional_column_stands_only_where_a_record_has_it(record):
    assert "perceptual" not in table(record)
    for i, row in enumerate(record["rows"]): row |= {"perceptual": .123 + i/10, "perceptual_ci": [.1, .2]}
    assert "perceptual" in table(record) and "0.123 [0.100, 0.200]" in table(record)
    assert "perceptual" not in table(record, keys=["psnr"])
