"""stages/params.py: a typo in params.yaml or in -S is one error that names what was probably meant."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.overrides import overridden
from bert.pipeline.params import keys, load
from stages.params import check, check_whole, main

PATH = ROOT / "params.yaml"
PARAMS = load(PATH)
FILE = Path("params.yaml")
EXTRA = "unknown key"


def leaves(node: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of all parameters that are no sections."""
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{inside}{name}.")
        else:
            yield f"{inside}{name}", value


def said(params: dict[str, Any]) -> list[str]:
    """The lines of the one error, without the file's name."""
    with pytest.raises(StageError) as caught:
        check(params, FILE)
    assert caught.value.run == "correct params.yaml, or the -S that set it"
    return [line.removeprefix("params.yaml: ") for line in str(caught.value.args[0]).splitlines()]


def changed(*overrides: str) -> dict[str, Any]:
    return overridden(PATH, overrides)


def test_the_project_s_own_file_fits() -> None:
    check(load(PATH), FILE)


def renamed(key: str) -> tuple[dict[str, Any], str]:
    """The parameters with another last letter of one key, and its new name."""
    params = deepcopy(PARAMS)
    *above, name = key.split(".")
    node = params
    for part in above:
        node = node[part]
    wrong = f"{name[:-1]}{'y' if name.endswith('x') else 'x'}"
    node[wrong] = node.pop(name)
    return params, wrong


def test_each_key_that_is_renamed_is_named() -> None:
    """None of the file is left unread, but for `glue`, where another name is a task of one's own."""
    for key in keys(PARAMS):
        if key.startswith("glue."):
            continue
        params, wrong = renamed(key)
        assert any(wrong in line for line in said(params)), key


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("+precison=bf16", "precison: no stage reads it (got 'bf16'); did you mean precision?"),
        ("+download.wikpedia=[]", "download.wikpedia: no stage reads it (got []); did you mean download.wikipedia?"),
        ("+download.contct=x", "download.contct: no stage reads it (got 'x'); did you mean download.contact?"),
        ("+pretrain.steps=3", f"pretrain.steps: {EXTRA} (got 3); did you mean pretrain.phase1.steps?"),
        ("+glue.mrpc.epoch=3", f"glue.mrpc.epoch: {EXTRA} (got 3); did you mean glue.mrpc.epochs?"),
        (
            "benchmark_inference.cells=[tinny-128-8]",
            "benchmark_inference.cells: benchmark cell 'tinny-128-8': tinny is none of tiny, mini, small, medium, "
            "base, large",
        ),
        ("glue.tasks=[mprc]", "glue.tasks: there is no section glue.mprc; did you mean mrpc?"),
        ("allreduce=fp61", "allreduce: expected fp32 or fp16 (got 'fp61'); did you mean fp16?"),
        ("pretrain.keep=bst", "pretrain.keep: expected last or best (got 'bst'); did you mean best?"),
        ("squad.epochs=-1", "squad.epochs: expected more than 0 (got -1)"),
    ],
)
def test_what_nobody_reads_or_does_not_fit_is_named(override: str, line: str) -> None:
    assert line in said(changed(override))


def test_all_is_named_at_once() -> None:
    assert len(said(changed("+precison=bf16", "seed=x", "squad.epochs=0"))) == 3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("precison=bf16", "-S precison=bf16: .* has no parameter precison; did you mean precision"),
        ("pretrain.phase1.step=3", "has no parameter pretrain.phase1.step; did you mean pretrain.phase1.steps"),
        ("zebra=3", r"has no parameter zebra\n"),
    ],
)
def test_an_override_that_dvc_would_refuse_is_refused_with_the_nearest_key(override: str, message: str) -> None:
    with pytest.raises(StageError, match=message):
        changed(override)


def test_an_override_is_applied_as_dvc_does_and_the_file_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(PATH, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    main(["-S", "precision=bf16", "-S", 'download.text=[{url: "~/texts"}]'])
    assert (tmp_path / "params.yaml").read_bytes() == PATH.read_bytes()
    with pytest.raises(StageError, match="precision: expected fp32"):
        main(["-S", "precision=bf15"])


def test_of_the_file_an_override_changes_its_own_line_alone(tmp_path: Path) -> None:
    """DVC writes the whole file: what is not in its layout would be in the diff of every experiment."""
    copy = Path(shutil.copy(PATH, tmp_path / "params.yaml"))
    apply_overrides(copy, ["precision=bf16"])
    expected = PATH.read_text().replace("precision: fp32 ", "precision: bf16 ", 1)
    assert copy.read_text() == expected != PATH.read_text()


LISTS = [key for key, node in leaves(PARAMS) if isinstance(node, list)]


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("value", [[], ["x"], ["x", "y"]], ids=len)
def test_a_list_can_be_set(tmp_path: Path, key: str, value: list[str]) -> None:
    """DVC writes no YAML where a comment stands between the name of a list and its items, and [] is to replace these.

    The comments that stand below the items of a list are lost, so that none may.
    """
    copy = Path(shutil.copy(PATH, tmp_path / "params.yaml"))
    apply_overrides(copy, [f"{key}=[{','.join(value)}]"])
    assert dict(leaves(load(copy))) == {**dict(leaves(PARAMS)), key: value}
    assert copy.read_text().count("#") == PATH.read_text().count("#")


def test_a_task_of_one_s_own_says_what_its_files_are() -> None:
    params = load(PATH)
    params["glue"]["reviews"] = dict(params["glue"]["rte"])
    (line,) = said(params)
    assert "reviews" in line and "train_file" in line


def test_the_pipeline_begins_with_it() -> None:
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
    assert list(stages)[:2] == ["code", "params"]
    assert stages["params"]["params"] == [{"params.yaml": None}], "all of the file"


def test_a_whole_run_needs_the_data_of_each_task_with_seeds() -> None:
    check_whole(PARAMS, FILE)
    check_whole(changed("stability.tasks=[cola]", "stability.seeds=[]"), FILE)
    with pytest.raises(StageError, match=r"params.yaml: stability.tasks: cola is not among glue.tasks"):
        check_whole(changed("stability.tasks=[cola]"), FILE)
    with pytest.raises(StageError, match=r"params.yaml: squad.data is download, and download.squad names no files"):
        check_whole(changed("squad.data=download"), FILE)
