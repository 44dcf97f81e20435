"""stages/params.py: what is no parameter at all is an error and no traceback; what makes little sense, a warning."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.overrides import overridden
from bert.pipeline.params import load
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import make_windows
from bert.tokens.tokenizer import WordPieceTokenizer
from stages.params import check, doubtful, main

PATH = ROOT / "params.yaml"


@pytest.mark.parametrize("override", ["glue.tasks=[[a]]", "glue.tasks=[{a: 1}]", "glue.tasks=[true, mrpc]"])
def test_a_task_that_is_no_word_is_refused(override: str) -> None:
    with pytest.raises(StageError, match=r"params\.yaml: glue\.tasks\.0: "):
        check(overridden(PATH, [override]), Path("params.yaml"))


@pytest.mark.parametrize(
    ("line", "key"), [("7: {a: 1}", "7"), ("true: 3", "true"), ("null: 3", "null"), ("2024-01-01: x", "2024-01-01")]
)
@pytest.mark.parametrize("section", ["", "glue", "squad", "download", "tfrecords"])
def test_a_key_that_is_no_word_is_named(line: str, key: str, section: str, tmp_path: Path) -> None:
    text = PATH.read_text()
    text = text.replace(f"\n{section}:", f"\n{section}:\n  {line}\n#", 1) if section else f"{text}\n{line}\n"
    (tmp_path / "params.yaml").write_text(text)
    name = f"{section}.{key}" if section else key
    with pytest.raises(StageError) as caught:
        check(load(tmp_path / "params.yaml"), Path("params.yaml"))
    assert str(caught.value.args[0]) == (
        f'params.yaml: {name}: a key has to be a word; between quotation marks, "{key}", it is one'
    )


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], []),
        (["pretrain.phase1.warmup_steps=999"], []),
        (
            ["pretrain.phase1.warmup_steps=5000"],
            ["pretrain.phase1.warmup_steps is 5000 and pretrain.phase1.steps 1000: the learning rate rises"],
        ),
        (
            ["pretrain.phase2.steps=4"],
            ["pretrain.phase2.warmup_steps is 4 and pretrain.phase2.steps 4: the learning rate rises"],
        ),
        (["squad.doc_stride=108"], []),
        (
            ["squad.doc_stride=500"],
            ["squad.doc_stride is 500, but a window of squad.max_seq_length 160 has room for 109 tokens of context"],
        ),
        (
            ["squad.warmup_proportion=1", "glue.mrpc.warmup_proportion=1.0", "glue.rte.warmup_proportion=1"],
            ["squad.warmup_proportion is 1, all", "glue.mrpc.warmup_proportion is 1, all"],
        ),
    ],
)
def test_values_that_make_no_sense_together_are_named_both(overrides: list[str], said: list[str]) -> None:
    params = overridden(PATH, overrides)
    check(params, PATH)
    found = list(doubtful(params))
    assert len(found) == len(said)
    assert all(line.startswith(beginning) for line, beginning in zip(found, said, strict=True)), found


def test_windows_do_not_overlap_where_the_stride_is_doubted(tmp_path: Path) -> None:
    """In the code that cuts them, of a question that is as long as may be."""
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n")
    tokenizer = WordPieceTokenizer(tmp_path / "vocab.txt")
    questions = [Question("id", "a " * 20, "b " * 40, ())]
    for stride, overlap in ((12, True), (13, False), (500, False)):
        windows = make_windows(questions, tokenizer, max_seq_length=24, max_query_length=8, doc_stride=stride)
        assert (windows.first_token[1] < windows.context_length[0]) == overlap
        sizes = {"max_seq_length": 24, "max_query_length": 8, "doc_stride": stride}
        said = doubtful(overridden(PATH, [f"squad.{key}={size}" for key, size in sizes.items()]))
        assert bool(list(said)) != overlap


def test_they_are_warned_of_and_nothing_ends(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with caplog.at_level(logging.WARNING, logger="stages"):
        main(["-S", "squad.doc_stride=500"])
    (record,) = caplog.records
    assert record.getMessage().startswith("params.yaml: squad.doc_stride is 500, ")
