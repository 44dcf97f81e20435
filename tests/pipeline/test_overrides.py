"""bert/pipeline/overrides.py: an -S that DVC cannot read or apply is one error, whose cure is taken."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.pipeline.overrides import overridden

TEXT = """\
precision: fp32
seed: 1
download: {text: []}
squad: {epochs: 1, batch_size: 8}
stability: {seeds: [3]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (file := tmp_path / "params.yaml").write_text(TEXT)
    return file


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stability.seeds=1,2", "several values are several experiments"),
        ("precision=fp16,bf16", "several values are several experiments"),
        ("seed=range(1,4)", "several values are several experiments"),
        ("squad={a: 1}", "has no parameter squad.a"),
        ("squad={epoch: 1}", "has no parameter squad.epoch; did you mean squad.epochs?"),
        ("squad=[1]", "has keys at squad"),
        ("download.text={url: a}", "has a list at download.text"),
        ("download.text=~/x", "DVC cannot read it as it stands"),
        ("precision =bf16", "DVC cannot read it as it stands"),
        ("download.text=[", 'expected a number, a word, "text", [a list] or {key: value} after the ='),
        ("precision", "expected KEY=VALUE"),
        ("", "expected KEY=VALUE"),
        ("=3", "expected KEY=VALUE"),
        ("precision=${nothing}", "DVC cannot apply it: Interpolation key 'nothing' not found"),
        ("precison=bf16", "has no parameter precison; did you mean precision?"),
        ("squad@here=3", "has no parameter squad@here"),
        ("~squad.epoch", "has no parameter squad.epoch; did you mean squad.epochs?"),
    ],
)
def test_each_is_said_in_words_of_ours(override: str, message: str, path: Path) -> None:
    with pytest.raises(StageError) as caught:
        overridden(path, [override])
    said = str(caught.value.args[0])
    assert said.startswith(f"-S {override}: ") and message in said and "\n" not in said
    assert "hydra" not in str(caught.value).lower() and caught.value.run


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("download.text=~/x", "text", "~/x"),
        ("download.text=[{url: ~/x}, {url: ~/y}]", "text", [{"url": "~/x"}, {"url": "~/y"}]),
        ("download.text=[{url: ~/x, name: a&b}]", "text", [{"url": "~/x", "name": "a&b"}]),
        ("download.text=http://host/x?a=b&c=d", "text", "http://host/x?a=b&c=d"),
        ("download.text={url: a}", "text", [{"url": "a"}]),
        ("download.text=a.txt,b.txt", "text", ["a.txt", "b.txt"]),
    ],
)
def test_the_override_that_the_error_gives_is_the_one_that_was_meant(
    override: str, key: str, value: object, path: Path
) -> None:
    with pytest.raises(StageError) as caught:
        overridden(path, [override])
    assert caught.value.run is not None
    *_, cure = shlex.split(caught.value.run.partition("-S ")[2])
    assert overridden(path, [cure])["download"][key] == value


def test_keys_of_a_section_may_be_set_together_where_they_are_there(path: Path) -> None:
    assert overridden(path, ["squad={epochs: 2}", "seed=5"])["squad"] == {"epochs": 2, "batch_size": 8}
    assert overridden(path, ["++precison=bf16"])["precison"] == "bf16"
    assert path.read_text() == TEXT
