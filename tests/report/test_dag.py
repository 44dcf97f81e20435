"""bert/report/dag.py, layers.py and pipeline.py."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.params import load
from bert.report.dag import Stage, stages
from bert.report.layers import depths, place
from bert.report.pipeline import HEIGHT, LAYER, WIDTH, chapter, dag_svg, section

DVC = """
stages:
  code: {cmd: python -m stages.code, outs: [code]}
  params: {cmd: python -m stages.params, deps: [code/params.json]}
  get:
    desc: Beam. Get ${item.what}.
    cmd: python -m stages.get
    matrix: {what: [a, b]}
    deps: [code/get.json]
    outs: ["data/${item.what}"]
  train: {desc: Horovod. Train., cmd: python -m stages.train, deps: [data/a, code/train.json], outs: [data/model]}
  again:
    desc: The same.
    cmd: python -m stages.train
    matrix: {seed: "${seeds}"}
    deps: [data/a]
    metrics: ["metrics/again/${item.seed}.json": {cache: false}]
  use: {cmd: python -m stages.use, deps: [data/model/part, "data/${use.of}", data/a], metrics: [metrics/use.json]}
  report: {cmd: python -m stages.report, deps: [metrics/use.json, metrics/again, data/model], outs: [page.html]}
"""
PARAMS = {"use": {"of": "b"}, "seeds": [1, 2, 3]}


@pytest.fixture
def dvc(tmp_path: Path) -> Path:
    path = tmp_path / "dvc.yaml"
    path.write_text(DVC)
    return path


def test_stages_need_those_that_make_their_dependencies_without_detours(dvc: Path) -> None:
    found = {stage.name: stage for stage in stages(dvc, PARAMS)}
    assert {name: set(stage.needs) for name, stage in found.items()} == {
        **{"get": set(), "train": {"get"}, "again": {"get"}, "use": {"train"}},
        "report": {"use", "again"},
    }
    assert [(stage.kind, stage.members) for stage in found.values()] == [
        *(("beam", 2), ("horovod", None), ("horovod", 3), ("alone", None), ("alone", None))
    ]
    assert found["get"].desc == "Beam. Get what." and found["use"].desc == "use"


def test_an_empty_matrix_has_its_place(dvc: Path) -> None:
    again = {stage.name: stage for stage in stages(dvc, PARAMS | {"seeds": []})}["again"]
    assert again.members == 0 and again.needs == {"get"}
    assert "× 0" in dag_svg([again, Stage("get", "", "beam", None, frozenset())])


@pytest.mark.parametrize("text", ["", "stages: [", "vars: []"])
def test_what_is_no_pipeline_is_an_error(dvc: Path, text: str) -> None:
    dvc.write_text(text)
    with pytest.raises(StageError, match=r"dvc\.yaml: expected the stages"):
        stages(dvc, PARAMS)


def test_a_template_that_names_no_parameter_is_an_error(dvc: Path) -> None:
    with pytest.raises(StageError, match=r"\$\{use\.of\} is no parameter"):
        stages(dvc, {"seeds": [1]})


def test_no_stage_of_the_pipeline_stands_alone() -> None:
    listed = stages(ROOT / "dvc.yaml", load(ROOT / "params.yaml"))
    needed = frozenset().union(*(stage.needs for stage in listed))
    assert len(listed) > 20 and [stage.name for stage in listed if not stage.needs | {stage.name} & needed] == []


def test_layers_lead_down_and_nothing_overlaps() -> None:
    needs = {stage.name: stage.needs for stage in stages(ROOT / "dvc.yaml", load(ROOT / "params.yaml"))}
    depth = depths(needs)
    assert all(depth[other] < depth[name] for name, others in needs.items() for other in others)
    placed = place(needs, 100, 20)
    assert placed.at.keys() == needs.keys()
    for layer in set(depth.values()):
        xs = sorted(x for x, at in placed.at.values() if at == layer)
        assert all(b - a >= 99.9 for a, b in pairwise(xs))
    assert all([at for _, at in line] == list(range(line[0][1], line[-1][1] + 1)) for line in placed.lines)
    boxes = {(x, at) for x, at in placed.at.values()}
    for line in placed.lines:
        assert line[0] in boxes and line[-1] in boxes
        for x, at in line[1:-1]:
            assert all(abs(x - box) >= 59.9 for box, of in boxes if of == at), "a line through a box"


def test_lines_do_not_cross_where_they_need_not() -> None:
    nothing: frozenset[str] = frozenset()
    needs = {"a": nothing, "b": nothing, "of a": frozenset({"a"}), "of b": frozenset({"b"})}
    tangled = {"a": nothing, "b": nothing, "of b": frozenset({"b"}), "of a": frozenset({"a"})}
    for graph in (needs, tangled):
        at = place(graph, 100, 20).at
        assert (at["a"][0] < at["b"][0]) == (at["of a"][0] < at["of b"][0])


def test_the_picture_is_clean_and_the_same_each_time() -> None:
    listed = stages(ROOT / "dvc.yaml", load(ROOT / "params.yaml"))
    svg = dag_svg(listed)
    assert svg == dag_svg(stages(ROOT / "dvc.yaml", load(ROOT / "params.yaml")))
    tree = ElementTree.fromstring(svg)
    assert sum(element.tag == "rect" for element in tree.iter()) == len(listed)
    assert sum(element.tag == "path" for element in tree.iter()) == sum(len(stage.needs) for stage in listed)
    _, _, width, height = map(int, tree.attrib["viewBox"].split())
    for box in tree.iter("rect"):
        assert 0 <= int(box.attrib["x"]) <= width - WIDTH and 0 <= int(box.attrib["y"]) <= height - HEIGHT
    assert height < LAYER * len(listed)
    evil = dag_svg([Stage("<b>", "<script>", "alone", None, frozenset())])
    assert "<script" not in evil and "<b>" not in evil


def test_each_stage_whose_figures_are_shown_leads_to_them() -> None:
    listed = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
    shown = [dep for dep in listed["report"]["deps"] if dep.startswith("metrics/")]
    metrics = {name: str(stage["metrics"]) for name, stage in listed.items() if "metrics" in stage and name != "report"}
    names = [name for name, written in metrics.items() if any(dep in written for dep in shown)]
    assert len(names) > 15 and [name for name in names if chapter(name) is None] == []
    assert [chapter(name) for name in ("export_glue", "export", "glue_data", "glue_control", "stability_glue")] == [
        *("glue", "squad", "corpus", "glue", "stability")
    ]


def test_without_stages_there_is_no_section() -> None:
    assert section([]) == ()


def test_the_report_depends_on_each_parameter_that_dvc_yaml_names() -> None:
    """They decide what is drawn."""
    text = (ROOT / "dvc.yaml").read_text()
    declared = re.findall(r"- ([\w.]+)", text[text.index("  report:\n") :])
    named = set(re.findall(r"\$\{((?!item\.)[\w.]+)\}", text))
    assert [name for name in sorted(named) if name not in declared and name.partition(".")[0] not in declared] == []
