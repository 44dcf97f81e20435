"""bert/report/page.py and the sections that it is made of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bert.report.inputs import Inputs, read
from bert.report.page import headlines, render
from bert.report.tables import NONE
from tests.report.pages import PARAMS, XLA, page_of
from tests.report.parsed import Parsed
from tests.report.sample import METRICS, PRETRAINED


def test_every_section_shows_its_figures(whole: str) -> None:
    page = Parsed(whole)
    for name, value in {"SQuAD data": "cloze", "seed": "12345", "fine-tuned from": "phase2"}.items():
        assert page.row(name) == [name, value]
    assert page.row("vocabulary", "4,021 pieces")
    assert page.row("wikipedia", NONE) == ["wikipedia", NONE, "206", "106", NONE, NONE, NONE]
    assert "No source is configured of: books." in whole
    assert page.row("train", "365")[1:3] == ["365", "41,022"]
    assert page.row("phase1", "train")[2:] == ["20,123", NONE, NONE, "5.3 %", NONE, NONE]
    assert page.row("made from the corpus: questions") == ["made from the corpus: questions", "3,120", "300"]
    assert page.row("examples of mrpc") == ["examples of mrpc", "3,668", "408"]
    loss = page.row("pretrain_phase1", "5.1234")
    assert loss == [
        "pretrain_phase1",
        *("5.1234", "6.3123", "1.1889", "21.2 %", "0.6512", "61.2 %", "5.0000", "0.6500"),
    ]
    assert page.row("pretrain_phase2", "5.1234")[3] == "1.4123"
    ran = ["tf32, ran as fp32", "A"]
    assert page.row("pretrain_phase1", "600")[1:] == ["600", "64", "4", "500 (5.2345)", "3", *ran]
    assert page.row("pretrain_phase1", "213.5")[1:] == ["213.5", "25,863", "1", "yes", "yes", "2,312", *ran]
    assert page.row("pretrain_phase2", "213.5")[1:5] == ["213.5", NONE, "1", "yes"], "of unknown padding"
    assert "pretrain_phase1: loss on the training text, and on held-out text, up to step 400" in whole
    assert page.row("fine-tuned from phase 2")[1:] == ["24.12", "31.46", "410"]
    assert page.row("the same from phase 1")[1:] == ["12.50", "17.20", "410"]
    assert page.row("the same from random weights")[1:] == ["10.50", "14.20", "410"]
    assert page.row("no model: random span")[1:3] == ["0.30", "15.50"]
    assert page.row("number")[1:] == ["30.10", "35.20", "120"]
    assert page.row("export", "300")[2:] == ["299", "1", "17,000,000"]
    assert page.row("export_glue@mrpc", "408")[2:] == ["408", "0", "18,000,000"]
    assert page.row("mrpc", "fine-tuned from phase 2")[2:] == ["74.12", "81.23", "408"]
    assert page.row("mrpc", "the same from random weights")[2:4] == ["60.12", "70.20"]
    assert page.row("mrpc", "no model: word overlap")[2:4] == ["70.00", "\u2013"]
    assert page.row("accuracy, %", "fp32")[2:] == ["75.00", "71.00", "73.00", "2.83", "71.00", "75.00"]
    assert page.row("accuracy, %", "bf16")[2:] == [NONE, "74.50", "74.50", NONE, "74.50", "74.50"]
    final = page.row("final loss, nats", "tf32, ran as fp32")
    assert final[2:] == ["5.6500", "5.5500", "5.6000", "0.0707", "5.5500", "5.6500"]


def test_seeds_and_batches_are_in_the_order_of_their_numbers(whole: str) -> None:
    rows = Parsed(whole).rows
    assert ["score", "precision", "seed 2", "seed 10", "mean", "std", "min", "max"] in rows
    assert [r[2] for r in rows if r[1] == "128" and r[-3:] == [XLA, "fp16", "A"]] == ["1", "8", "16"]


def test_each_figure_says_where_it_was_measured_and_how_to_measure_it_again(whole: str) -> None:
    page = Parsed(whole)
    assert page.row("A") == ["A", "none", "Xeon 8581C", "python 3.11.2", "2", "23.5"]
    assert page.row("B")[1:3] == ["NVIDIA H100, NVIDIA H100", "EPYC 9654"]
    again = "dvc repro -f -s squad"
    assert page.row("squad", "A") == ["squad", "A", "1a2b3c4 + changes", "2026-01-02 03:04:05", again, "12.3"]
    assert (
        "squad: measured on A (2 cores of Xeon 8581C) at 1a2b3c4 + changes, 2026-01-02 03:04:05; "
        "again: <code>dvc repro -f -s squad</code>" in whole
    )
    assert "benchmark_training@squad-tiny-128-8: measured on B (2 x NVIDIA H100)" in whole


def test_a_figure_without_a_record_says_so() -> None:
    assert "measured on a machine that was not recorded" in render(Inputs({"squad": METRICS["squad"]}), PARAMS)


def test_rows_are_as_wide_as_the_head_of_their_table(run: Path) -> None:
    (run / "metrics/export.json").unlink()
    (run / "metrics/vocab.json").unlink()
    tables = re.findall(r"<table .*?</table>", page_of(run), flags=re.DOTALL)
    assert len(tables) >= 10
    for table in tables:
        assert len(set(Parsed(table).widths)) == 1


def test_nothing_has_run_yet_and_each_stage_has_its_command() -> None:
    page = Parsed(render(Inputs(missing=frozenset({"glue/cola", "benchmark_training/large-384-8"})), {}))
    for label, stage in {
        **{"books": "documents@books", "vocab": "vocab", "phase2": "tfrecords@phase2", "squad": "squad"},
        **{"download@text": "download@text", "shards": "shards", "made from the corpus": "cloze"},
        **{"cola": "glue@cola", "mean and spread": "stability", "benchmark_inference": "benchmark_inference"},
        "large-384-8": "benchmark_training@large-384-8",
    }.items():
        assert page.row(label)[1] == f"not run yet: dvc repro {stage}"
    assert page.rows.count(["pretrain_phase1", "not run yet: dvc repro pretrain_phase1"]) == 1


@pytest.mark.parametrize("left_out", sorted(METRICS))
def test_any_one_stage_may_be_missing(left_out: str) -> None:
    inputs = Inputs({k: v for k, v in METRICS.items() if k != left_out}, missing=frozenset({left_out}))
    assert f"not run yet: <code>dvc repro {left_out.replace('/', '@')}</code>" in render(inputs, PARAMS), left_out


def test_a_figure_that_a_file_lacks_is_a_dash() -> None:
    keys = [*METRICS, "benchmark_training/tiny-128-8", "benchmark_inference/odd"]
    empty: dict[str, dict[str, Any]] = {key: {} for key in keys}
    page = Parsed(render(Inputs(empty, provenance=empty), {"model": None}))
    for label, *first in (
        *(("wikipedia",), ("train",), ("phase2", "train"), ("made from the corpus: questions",), ("examples of mrpc",)),
        *(("tiny-128-8", NONE, NONE), ("odd", NONE, NONE)),
        *(("fine-tuned from a model not named",), ("mrpc", "fine-tuned from a model not named")),
        ("A", "none", "unknown", "not recorded"),
    ):
        if page.row(label, *first) == [label, *first]:
            continue  # a table without its empty columns
        assert set(page.row(label, *first)[len(first) + 1 :]) == {NONE}, label
    assert not [row for row in page.rows if "here" in row], "no speed, no row"
    assert page.rows.count(["export", NONE, NONE, NONE, NONE]) == 1
    assert page.rows.count(["export_glue@mrpc", NONE, NONE, NONE, NONE]) == 1
    assert page.row("squad", NONE) == ["squad", NONE, NONE, NONE, "dvc repro -f -s squad", NONE]


def test_figures_that_the_page_does_not_know_are_left_out() -> None:
    more = {k: {**v, "new": {"key": [1, 2], "none": None}} for k, v in METRICS.items() if k != "stability"}
    assert render(Inputs({**METRICS, **more}), PARAMS) == render(Inputs(METRICS), PARAMS)
    # But for stability, which has a table for whatever tasks there are, of what it knows of them.
    stability = {**METRICS["stability"], "new": {"key": [1, 2], "fp32": {"odd": {"mean": 1}, "seeds": {"1": {}}}}}
    assert "<h3>new</h3>" in render(Inputs({"stability": stability}), PARAMS)


def test_what_metric_files_say_cannot_become_markup() -> None:
    evil: dict[str, dict[str, Any]] = {
        "glue/<script>": {"accuracy": 0.5, "precision": "<script>"},
        "shards": {"<script>": 3},
    }
    record: dict[str, Any] = {"stage": "<script>", "machine": {"cpu": "<script>"}, "commit": "<script>"}
    shown = render(Inputs(evil, provenance={"glue/<script>": record, "shards": record}), PARAMS)
    assert shown.count("<script") == 1 and "&lt;script&gt;" in shown


def test_the_page_needs_nothing_but_itself(whole: str) -> None:
    assert "@import" not in whole and "fetch(" not in whole
    links = [v or "" for k, v in Parsed(whole).attributes if k in ("src", "href", "xlink:href", "srcset", "action")]
    assert links
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert not re.search(r"url\((?!#)", whole)
    anchors = set(re.findall(r' id="([^"]+)"', whole))
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    assert len(whole) < 250_000


def test_the_best_step_says_whether_its_weights_are_the_result() -> None:
    kept = {**PRETRAINED, "kept_step": 500, "peak_device_mb": 40123.4}
    page = Parsed(render(Inputs({"pretrain_phase1": kept}), PARAMS))
    assert page.row("pretrain_phase1", "600")[4] == "500 (5.2345, kept)"
    assert page.row("pretrain_phase1", "213.5")[5:7] == ["2,312", "40,123"]


def test_published_scores_stand_beside_the_same_model_and_questions() -> None:
    squad = {"exact_match": 84.0, "f1": 91.0, "count": 10570}
    params = {"model": "large", "squad.data": "download", "finetune.init": "phase2"}
    shown = render(Inputs({"squad": squad}), params)
    assert Parsed(shown).row("published: tf32, mean of 5 seeds")[2] == "91.52"
    assert "on 8 x NVIDIA A100 40GB. Here: not recorded." in shown
    for other in ({"model": "base"}, {"squad.data": "cloze"}, {"finetune.init": "imported"}):
        assert "published: tf32" not in render(Inputs({"squad": squad}), {**params, **other})
    assert "published: tf32" not in render(Inputs({"squad": {**squad, "count": 410}}), params)
    imported = {**params, "finetune.init": "imported"}
    assert "published: tf32" in render(Inputs({"squad": {**squad, "model": "large"}}), imported)


def test_the_published_seeds_stand_below_those_of_the_same_work() -> None:
    of_seeds = {"fp32": {"accuracy": {"mean": 86.5, "min": 86.5, "max": 86.5}, "seeds": {"7": {"accuracy": 86.5}}}}
    metrics: dict[str, dict[str, Any]] = {
        "stability": {"mrpc": of_seeds},
        "glue/mrpc": {"accuracy": 86.5, "count": 408},
    }
    params = {"model": "large", "glue.data": "download", "finetune.init": "phase2"}
    row = Parsed(render(Inputs(metrics), params)).row("accuracy, %", "published: fp16")
    assert row[2:] == [
        *("84.31", "85.78", "86.76", "87.01", "86.27", "86.27", "85.54", "86.52", "86.27", "85.29"),
        *("86.00", "0.80", "84.31", "87.01"),
    ]
    for other in ({"model": "base"}, {"glue.data": "cloze"}):
        assert "published: fp16</td>" not in render(Inputs(metrics), params | other)


def test_each_task_with_several_seeds_has_a_drawing(whole: str) -> None:
    assert "pretrain_phase1: each seed a dot" in whole and "mrpc: each seed a dot" in whole
    single = {"mrpc": {"fp32": {"f1": {"mean": 1.0}, "seeds": {"1": {"f1": 1.0}}}}}
    shown = render(Inputs({"stability": single}), PARAMS)
    assert "<h3>mrpc</h3>" in shown and "each seed a dot" not in shown


def test_each_table_says_where_the_runs_of_its_own_task_were_measured() -> None:
    scores = {"f1": {"mean": 1.0}, "seeds": {"1": {"f1": 1.0}}}
    runs: dict[str, dict[str, Any]] = {f"stability_glue/{name}": {} for name in ("mrpc-default-1", "mrpc-two-bf16-2")}
    shown = render(Inputs({"stability": {"mrpc": {"fp32": scores}}, **runs}), PARAMS)
    assert "stability_glue@mrpc-default-1: measured on" in shown and "mrpc-two-bf16-2: measured" not in shown


def test_without_seeds_the_section_says_where_to_name_some() -> None:
    shown = render(Inputs({"stability": {}}), PARAMS)
    assert "No seeds are named under `stability` in params.yaml." in shown


def test_made_up_questions_are_not_passed_off_as_the_benchmark(whole: str) -> None:
    assert "The questions are made from the corpus by the cloze stage" in whole
    assert "The pairs are made" not in whole
    assert "cloze stage" not in render(Inputs(), {"squad.data": "download", "glue.data": "download"})


def test_headlines_come_with_what_they_have_to_be_seen_against(run: Path) -> None:
    read_back = read([run / "metrics"], [], [])
    found = {
        h.what: (h.value, h.against) for h in headlines(read_back, {"squad.data": "cloze", "glue.data": "download"})
    }
    assert found["nats below unigram entropy"] == ("1.41", "21.2 % of masked tokens right, phase 2")
    assert found["cloze questions, F1, %"] == ("31.46", "best without a model 15.50")
    assert found["MRPC, accuracy, %"] == ("74.12", "best without a model 70.00")
    assert found["sequences / s, pretraining phase 1"] == ("213.5", "tf32, ran as fp32, not recorded")
    assert headlines(Inputs(), {}) == []
    (worse,) = headlines(Inputs({"pretrain_phase1": {"nats_below_unigram": -0.52}}), {})
    assert (worse.value, worse.what) == ("0.52", "nats above unigram entropy")


def test_scores_of_squad_v2_are_shown_by_their_names() -> None:
    squad = {
        **{"exact": 61.5, "f1": 64.25, "total": 300, "count": 300, "HasAns_f1": 50.0},
        "by_type": {
            "no answer": {"exact": 71.0, "f1": 71.0, "total": 100},
            "name": {"exact": 31.5, "f1": 42.0, "total": 150},
        },
        "baselines": {"no_answer": {"exact": 33.25, "f1": 33.25}},
    }
    shown = render(Inputs({"squad": squad}), PARAMS)
    page = Parsed(shown)
    assert page.row("fine-tuned from phase 2")[1:] == ["61.50", "64.25", "300"]
    assert page.row("no model: no answer")[:3] == ["no model: no answer", "33.25", "33.25"]
    assert page.row("no answer") == ["no answer", "71.00", "71.00", "100"]
    assert shown.index(">name<") < shown.index(">no answer<"), "the more frequent kind first"


def test_tasks_are_averaged_as_glue_does_and_each_dev_set_has_its_rows() -> None:
    mismatched = {"accuracy": 60.0, "count": 9832, "baselines": {"majority": {"accuracy": 35.2}}}
    baselines = {"majority": {"accuracy": 35.4}}
    metrics: dict[str, Any] = {
        "glue/mrpc": {"accuracy": 70.0, "f1": 80.0, "count": 408},
        "glue/mnli": {"accuracy": 64.0, "count": 9815, "baselines": baselines, "mismatched": mismatched},
        "glue/stsb": {"pearson": 50.5, "spearman": 40.5, "count": 1500},
        "glue/qqp": {"accuracy": 10.0, "count": 40430},  # without its F1
        "glue_control/mnli-random": {"accuracy": 33.0, "count": 9815, "mismatched": {"accuracy": 32.5, "count": 9832}},
    }
    page = Parsed(render(Inputs(metrics), {"finetune.init": "phase2"}))
    rows = [row for row in page.rows if row[0].startswith("mnli")]
    assert [[row[0], row[1], row[2], row[-1]] for row in rows if len(row) > 2] == [
        ["mnli", "fine-tuned from phase 2", "64.00", "9,815"],
        ["mnli", "the same from random weights", "33.00", "9,815"],
        ["mnli", "no model: majority class", "35.40", "9,815"],
        ["mnli, mismatched", "fine-tuned from phase 2", "60.00", "9,832"],
        ["mnli, mismatched", "the same from random weights", "32.50", "9,832"],
        ["mnli, mismatched", "no model: majority class", "35.20", "9,832"],
    ]
    averages = [row for row in page.rows if len(row) == 2 and row[0] in ("mnli", "mrpc", "stsb", "mean of 3 tasks")]
    assert averages == [["mnli", "62.00"], ["mrpc", "75.00"], ["stsb", "45.50"], ["mean of 3 tasks", "60.83"]]
    assert {"Pearson correlation, %", "Spearman correlation, %"} <= {cell for row in page.rows for cell in row}


def test_tasks_of_ones_own_stand_beside_glues_and_are_not_averaged() -> None:
    metrics: dict[str, Any] = {
        "glue/mrpc": {"accuracy": 70.0, "f1": 80.0, "count": 408},
        "glue/rte": {"accuracy": 60.0, "count": 277},
        "glue/reviews": {"f1_macro": 51.25, "count": 30, "baselines": {"majority": {"f1_macro": 12.5}}},
        "stability": {"reviews": {"fp32": {"f1_macro": {"mean": 50.0}, "seeds": {"1": {"f1_macro": 50.0}}}}},
    }
    shown = render(Inputs(metrics), {"finetune.init": "phase2", "glue.data": "download"})
    page = Parsed(shown)
    assert "GLUE and tasks of one" in shown and "The pairs are made" not in shown
    assert page.row("reviews", "fine-tuned from phase 2") == [
        *("reviews", "fine-tuned from phase 2", NONE, NONE, "51.25", "30")
    ]
    assert page.row("reviews", "no model: majority class")[4] == "12.50"
    assert page.row("macro F1, %", "fp32")[2:4] == ["50.00", "50.00"]
    assert page.row("mean of 2 tasks")[1] == "67.50"
    assert {"macro F1, %"} <= {cell for row in page.rows for cell in row}
    del metrics["glue/reviews"]
    assert "tasks of one" not in render(Inputs(metrics), {})


def test_one_task_has_no_average(whole: str) -> None:
    assert "mean of 1" not in whole and "score, %" not in whole
