"""bert/report/figures.py."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bert.report.figures import Seeds, curve_svg, drawing, spread_svg, thin
from bert.report.inputs import Curve, Inputs
from bert.report.latencies import Latencies, latencies_svg
from bert.report.standing import Standing, standing_svg
from bert.report.standing import drawing as standing_drawing

GUESSES = {"mlm_loss": ("unigram entropy", 6.3), "nsp_loss": ("coin toss", 0.69)}


def curve(steps: int, rate: float = 1e-3) -> Curve:
    names = ("loss", "mlm_loss", "nsp_loss", "grad_norm")
    return {
        "step": [float(n) for n in range(1, steps + 1)],
        **{name: [9 - 8 * n / steps for n in range(steps)] for name in names},
        "learning_rate": [rate * (1 - n / steps) for n in range(1, steps + 1)],  # the last is 0
    }


def test_a_point_is_the_mean_of_as_many_steps_as_it_takes() -> None:
    assert thin({"step": [1.0, 2.0, 3.0, 4.0, 5.0], "loss": [1.0, 3.0, 5.0, 9.0, 2.0]}, points=3) == {
        "step": [1.5, 3.5, 5.0],
        "loss": [2.0, 7.0, 2.0],
    }
    short = {"step": [1.0, 2.0], "loss": [3.0, 4.0]}
    assert thin(short, points=2) == short


def test_a_long_run_makes_no_larger_drawing() -> None:
    assert len(curve_svg(curve(30_000), GUESSES)) < 2 * len(curve_svg(curve(300), GUESSES))


def test_the_drawing_is_clean_xml_in_the_colours_of_the_page() -> None:
    svg = curve_svg(curve(50), GUESSES)
    ElementTree.fromstring(svg)
    assert "currentColor" in svg
    assert "#010203" not in svg
    for leak in ("<style", "<metadata", "<?xml", "<!", "<script", "unigram_entropy"):
        assert leak not in svg
    assert "coin" in svg and "unigram" in svg
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", svg))
    assert used <= set(re.findall(r" id=\"([^\"]+)\"", svg))


def test_the_drawing_is_the_same_each_time_and_follows_the_curve() -> None:
    assert curve_svg(curve(50), GUESSES) == curve_svg(curve(50), GUESSES)
    assert curve_svg(curve(50), GUESSES) != curve_svg(curve(51), GUESSES)


def test_held_out_text_is_a_line_of_its_own_in_each_panel_that_has_it() -> None:
    few: Curve = {"step": [10.0, 50.0], "mlm_loss": [8.0, 7.0], "mlm_accuracy": [0.1, 0.2]}
    one = curve_svg(curve(50), {}, few)
    both = curve_svg(curve(50), {}, few | {"nsp_loss": [0.7, 0.6]})
    assert one.count("held-out text") == both.count("held-out text") == 1, "one legend for all panels"
    lines = [svg.count("stroke: #d97706; stroke-width") for svg in (curve_svg(curve(50), {}), one, both)]
    assert lines[0] == 0 < lines[1] < lines[2]
    assert "held-out" not in curve_svg(curve(50), {}, {"step": [], "mlm_loss": []})


@pytest.mark.parametrize("rate", [0.0, 1e-12])
@pytest.mark.parametrize("steps", [1, 2])
def test_short_runs_and_a_rate_of_zero_can_be_drawn(steps: int, rate: float) -> None:
    svg = curve_svg(curve(steps, rate), {})
    assert "learning rate" in svg
    assert "unigram" not in svg


def dots(svg: str) -> int:
    """Seeds in a drawing: marks in the colour of a line that are filled."""
    return len(re.findall(r"<use [^>]*fill: #3d85c8", svg))


def test_each_seed_is_a_dot_and_each_precision_has_its_mean() -> None:
    rows = {"fp32": Seeds([70.0, 80.0, 75.0], 75.0, 5.0), "tf32, ran as fp32": Seeds([71.0], 71.0, None)}
    svg = spread_svg({"accuracy, %": rows, "F1, %": rows})
    ElementTree.fromstring(svg)
    assert dots(svg) == 8 and svg.count("tf32, ran as fp32") == 2
    assert "accuracy, %" in svg and "F1, %" in svg and "currentColor" in svg and "<style" not in svg
    assert svg == spread_svg({"accuracy, %": rows, "F1, %": rows})
    apart = spread_svg({"accuracy, %": {"fp32": Seeds([70.0, 80.0, 75.0], 75.0, 9.0)}})
    assert apart != spread_svg({"accuracy, %": {"fp32": Seeds([70.0, 80.0, 75.0], 75.0, 5.0)}})


def test_a_training_with_one_loss_has_one_panel_and_none_has_no_drawing() -> None:
    tuned = {"step": [10.0, 20.0], "loss": [5.0, 4.0], "task_loss": [5.0, 4.0], "learning_rate": [1e-3, 1e-4]}
    inputs = Inputs(curves={"squad": tuned, "empty": {"step": [], "loss": [], "learning_rate": []}})
    (shown,) = drawing(inputs, "squad")
    assert shown.caption == "squad: loss on the training text up to step 20"
    assert shown.svg.count("loss, nats") == 1 and "coin" not in shown.svg
    del tuned["task_loss"]
    assert curve_svg(tuned, {}).count("loss, nats") == 1
    assert curve_svg(curve(50), {}).count("loss, nats") == 2
    assert drawing(inputs, "empty") == drawing(inputs, "glue/mrpc") == ()


def test_a_score_is_drawn_among_its_controls_and_guesses_with_its_error() -> None:
    of = Standing("f1", 80.0, [4.0, 7.0], [10.0, 2.0, 34.0], 300)
    svg = standing_svg({"F1": of})
    ElementTree.fromstring(svg)
    assert svg == standing_svg({"F1": of}) and "currentColor" in svg
    marks = [len(re.findall(rf"<use [^>]*fill: {colour}", svg)) for colour in ("#3d85c8", "#d97706", "currentColor")]
    assert marks[:2] == [1 + 1, 2 + 1], "each a mark, and one in the legend"
    known, unknown = (standing_svg({"F1": Standing("f1", 80.0, [], [1.0], count)}) for count in (300, 0))
    lines = [svg.count("stroke: #3d85c8; stroke-width: 1.4") for svg in (known, unknown)]
    assert lines == [1, 0], "no error is known without the number of examples"
    assert standing_svg({"correlation": Standing("mcc", -30.0, [], [0.0], 10)}) != known
    assert standing_drawing({"F1": Standing("f1", 80.0, [], [], 300)}, "SQuAD") == ()


def test_latencies_have_a_row_for_each_cell_and_an_axis_that_shows_them_all() -> None:
    row = {"p50": 8.0, "p90": 9.0, "p95": 9.5, "p99": 12.0, "p100": 13.0}
    near = latencies_svg({"tiny-128-8, fp32": Latencies(row), "tiny-128-1, fp32": Latencies({"p50": 5.0})})
    ElementTree.fromstring(near)
    assert "tiny-128-8, fp32" in near and "tiny-128-1, fp32" in near and dots(near) == 3 and "#d97706" not in near
    beside = latencies_svg({"large": Latencies(row, (7.0, 7.5, 9.0))})
    assert "#d97706" in beside
    far = latencies_svg({"fast": Latencies({"p50": 1.0, "p100": 2.0}), "slow": Latencies({"p50": 100.0})})
    assert [at for at in (1, 2, 5, 10, 20, 50, 100) if f">{at}</text>" not in far] == [], "by decades"
    assert ">0</text>" in near and ">5</text>" not in near
