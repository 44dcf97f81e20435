"""bert/pipeline/params.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.params import Section, load, section, top_level


class Optimizer(Section):
    rate: float
    steps: Annotated[int, Field(ge=1)]


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text("seed: 3\nphase:\n  optimizer:\n    rate: 1e-05\n    steps: 10\n")
    return path


def test_a_section_is_read_as_its_model(params: Path) -> None:
    assert section(Optimizer, "phase.optimizer", params) == Optimizer(rate=0.00001, steps=10)
    assert section(int, "seed", params) == 3


class Shared(Section):
    seed: Annotated[int, Field(ge=1)]


def test_a_model_is_read_from_the_top_of_the_file(params: Path) -> None:
    assert top_level(Shared, params) == Shared(seed=3), "whatever else stands there"
    params.write_text("seed: 0\n")
    with pytest.raises(StageError, match=r"params\.yaml: seed: expected at least 1 \(got 0\)"):
        top_level(Shared, params)
    params.write_text("seeds: 1\n")
    with pytest.raises(StageError, match="parameter 'seed' is missing"):
        top_level(Shared, params)


def test_a_number_without_a_point_in_front_of_its_exponent_is_a_number(params: Path) -> None:
    # `dvc exp run -S rate=1e-5` writes 1e-05; a YAML 1.1 reader takes that for a string.
    assert load(params)["phase"]["optimizer"]["rate"] == 1e-5
    assert isinstance(load(params)["phase"]["optimizer"]["rate"], float)


def test_a_section_cannot_be_changed(params: Path) -> None:
    with pytest.raises(ValidationError):
        section(Optimizer, "phase.optimizer", params).steps = 11


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("    rate: 0.1\n    steps: 10\n    stepz: 1\n", r"phase\.optimizer\.stepz: unknown key \(got 1\)"),
        ("    rate: fast\n    steps: 10\n", r"phase\.optimizer\.rate: .*number.* \(got 'fast'\)"),
        ("    rate: 0.1\n    steps: 0\n", r"phase\.optimizer\.steps: expected at least 1 \(got 0\)"),
        ("    rate: 0.1\n    steps: 1.5\n", r"phase\.optimizer\.steps: expected a whole number \(got 1\.5\)"),
        ("    rate: 0.1\n", r"phase\.optimizer\.steps: is missing"),
        ("    - rate\n", r"phase\.optimizer: expected keys and values \(got \['rate'\]\)"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"phase:\n  optimizer:\n{text}")
    with pytest.raises(StageError, match=message) as caught:
        section(Optimizer, "phase.optimizer", path)
    assert str(path) in str(caught.value) and caught.value.run


def test_all_that_does_not_fit_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("phase: {rate: fast, stepz: 1}\n")
    with pytest.raises(StageError) as caught:
        section(Optimizer, "phase", path)
    assert [name in str(caught.value) for name in ("phase.rate", "phase.steps", "phase.stepz")] == [True] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("phase: {rate: 0.1, steps: 1, stepz: 1}", r"phase\.stepz: unknown key \(got 1\); did you mean phase\.steps\?"),
        ("phase: {rate: 0.1, steps: 1, width: 1}\nmodel: {width: 3}", r"phase\.width: .*; did you mean model\.width\?"),
        ("phase: {rate: 0.1, steps: 1, quite_another: 1}", r"phase\.quite_another: .* \(got 1\)$"),
    ],
    ids=["misspelt", "of another section", "nothing near"],
)
def test_of_an_unknown_key_the_nearest_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text + "\n")
    with pytest.raises(StageError) as caught:
        section(Optimizer, "phase", path)
    assert re.search(message, str(caught.value.args[0])), caught.value


class Nested(Section):
    word: Literal["alpha", "beta"] | None
    parts: tuple[Optimizer, ...]


def test_the_nearest_key_or_word_is_found_below_lists_and_alternatives(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("all: {word: alpa, parts: [{rate: 1, steps: 1}, {rate: 1, steps: 1, rat: 2}]}\n")
    with pytest.raises(StageError) as caught:
        section(Nested | None, "all", path)
    assert "word: expected alpha or beta (got 'alpa'); did you mean alpha?" in str(caught.value)
    assert "parts.1.rat: unknown key (got 2); did you mean" in str(caught.value)
    assert "parts.1.rate?" in str(caught.value)


def test_of_a_missing_key_the_one_is_named_that_may_be_it(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("phase: {one: {stepz: 1}}\n")
    with pytest.raises(StageError, match=r"parameter 'phase\.one\.steps' is missing; stepz is there"):
        section(int, "phase.one.steps", path)


@pytest.mark.parametrize("key", ["nowhere", "phase.nowhere", "phase.optimizer.nowhere", "seed.nowhere"])
def test_a_missing_section_is_named(params: Path, key: str) -> None:
    with pytest.raises(StageError, match=f"'{key}' is missing") as caught:
        section(Optimizer, key, params)
    assert caught.value.run == f"add {key} to {params}"


def test_keys_of_another_model_are_left_out_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("phase: {rate: 0.1, steps: 1, source: null}\n")
    assert section(Optimizer, "phase", path, without=("source",)).steps == 1
    with pytest.raises(StageError, match=r"phase\.source"):
        section(Optimizer, "phase", path, without=("sauce",))


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no such file"), ("a: [1\n", "not valid YAML"), ("", "expected sections"), ("- a\n", "expected sections")],
)
def test_a_file_that_is_no_params_yaml_is_a_stage_error(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "params.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StageError, match=message):
        load(path)


def test_the_project_s_own_params_are_read() -> None:
    assert isinstance(section(int, "seed", ROOT / "params.yaml"), int)
