"""bert/pipeline/machine.py: the BERT_* variables, parsed once."""

from __future__ import annotations

import os
import re
import sys
from subprocess import run

import pytest

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.machine import Host, MachineSettings, machine_settings, table, variables


def test_nothing_set_means_the_defaults() -> None:
    assert machine_settings({}) == MachineSettings()
    assert machine_settings({"BERT_RANKS": "", "BERT_HOSTS": " "}) == MachineSettings()
    assert machine_settings({}).wanted_ranks == 1


def test_each_variable_is_parsed() -> None:
    settings = machine_settings(
        {
            "BERT_RANKS": "3",
            "BERT_HOSTS": "one:2, two:4",
            "BERT_MIN_RANKS": "2",
            "BERT_SSH_PORT": "2222",
            "BERT_MICRO_BATCH": "pretrain_phase1=64, glue@mrpc=8,glue=4",
            "BERT_RECOMPUTE": "1",
            "BERT_SAVE_SECONDS": "0",
            "BERT_RESUME": "accept",
            "BERT_BEAM_OPTIONS": '--runner=FlinkRunner --job_name="two words"',
            "BERT_DVCLIVE": "0",
            "BERT_LOG": "debug",
        }
    )
    assert settings.hosts == (Host("one", 2), Host("two", 4))
    assert (settings.ranks, settings.min_ranks, settings.ssh_port, settings.save_seconds) == (3, 2, 2222, 0.0)
    stages = ("pretrain_phase1", "glue@mrpc", "glue@cola", "squad")
    assert [settings.micro_batch_of(stage) for stage in stages] == [64, 8, 4, None]
    assert (settings.recompute, settings.dvclive, settings.resume, settings.log) == (True, False, "accept", "DEBUG")
    assert settings.beam_options == ("--runner=FlinkRunner", "--job_name=two words")
    assert machine_settings({"BERT_HOSTS": "one:2,two:4"}).wanted_ranks == 6
    assert machine_settings({"BERT_MICRO_BATCH": "16"}).micro_batch_of("squad") == 16


def test_a_training_once_more_holds_as_many_rows_unless_something_is_said_of_it() -> None:
    settings = machine_settings({"BERT_MICRO_BATCH": "squad=8,glue=2,glue@cola=4,stability_squad@fp32-1=3"})
    for stage, repeated, rows in (
        *(("stability_squad@fp32-1", "squad", 3), ("stability_squad@fp16-1", "squad", 8)),
        *(("stability_glue@cola-fp32-1", "glue@cola", 4), ("stability_glue@mrpc-fp32-1", "glue@mrpc", 2)),
        ("stability_phase1@fp32-1", "pretrain_phase1", None),
    ):
        assert settings.micro_batch_of(stage, repeated) == rows, stage


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BERT_RANKS", "two", "BERT_RANKS is 'two', expected a positive number"),
        ("BERT_RANKS", "0", "expected a positive number"),
        ("BERT_MIN_RANKS", "-1", "expected a positive number"),
        ("BERT_HOSTS", "one", "expected host:ranks,...: 'one' is none"),
        ("BERT_HOSTS", "one:0", "'one:0' is none"),
        ("BERT_HOSTS", "one:1,one:2", "a host stands there twice"),
        ("BERT_MICRO_BATCH", "many", "expected a positive number or stage=number"),
        ("BERT_MICRO_BATCH", "squad=0", "expected a positive number or stage=number"),
        ("BERT_MICRO_BATCH", "shards=4", "shards: no stage that trains"),
        ("BERT_MICRO_BATCH", "squad=4,16", "such as pretrain_phase1=64"),
        ("BERT_SSH_PORT", "70000", "expected a port"),
        ("BERT_STALL_SECONDS", "0", "expected a positive number"),
        ("BERT_SAVE_SECONDS", "soon", "expected a number, 0 or more"),
        ("BERT_SAVE_SECONDS", "nan", "expected a number, 0 or more"),
        ("BERT_SAVE_SECONDS", "-1", "expected a number, 0 or more"),
        ("BERT_RECOMPUTE", "yes", "expected 0 or 1"),
        ("BERT_DVCLIVE", "2", "expected 0 or 1"),
        ("BERT_RESUME", "please", "expected accept or fresh"),
        ("BERT_LOG", "loud", "expected DEBUG, INFO"),
        ("BERT_BEAM_OPTIONS", "'--runner", "No closing quotation"),
    ],
)
def test_a_value_that_does_not_fit_is_one_error(name: str, value: str, said: str) -> None:
    with pytest.raises(StageError) as error:
        machine_settings({name: value})
    assert str(error.value).startswith(f"{name} is {value!r}, expected ")
    assert said in str(error.value)
    assert f"next: unset {name}, or correct it" in str(error.value)


def test_a_misspelt_variable_is_named_once() -> None:
    """Whatever a stage reads the settings for: its log, its timings, its work."""
    environment = {**os.environ, "BERT_RANK": "2", "BERT_SHARED_DATA": "x"}
    files = ["--out", "out", "--metrics", "metrics"]
    command = [sys.executable, "-m", "stages.download", "--source", "no_such", *files]
    said = run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False).stderr
    assert re.findall(r"(?m)BERT_.*$", said) == ["BERT_RANK is set, but is no setting; BERT_RANKS is"]


def test_the_docs_have_the_table() -> None:
    text = (ROOT / "docs/many-machines.md").read_text(encoding="utf-8")
    assert table() in text, "python -m bert.pipeline.machine prints it"


def test_no_other_file_reads_one_from_the_environment() -> None:
    """One home: whoever needs a setting is handed it."""
    readers = [
        str(path.relative_to(ROOT))
        for folder in ("bert", "stages")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "machine.py"
        and re.search(
            r"""environ(\.get\(|\.pop\(|\[)\s*f?["']BERT_|["']BERT_\w*["'] in os\.environ""", path.read_text("utf-8")
        )
    ]
    assert not readers, variables()
