"""`python -m stages.<name> --help`: what it reads and writes, with a command to copy that would run."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from bert.pipeline.code import ROOT
from tests.pages import check_command

STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if "def main(" in path.read_text("utf-8"))
COMMAND = re.compile(r"(?m)^ *((?:python -m stages\.|dvc |env ).*)$")


def examples(text: str) -> list[str]:
    """The commands in a help text, without what is said beside them, and with a name for NAME."""
    found = COMMAND.findall(re.sub(r"\\\n *", "", text))
    return [re.sub(r"\bNAME\b", "dgxa100_8gpu_fp16", re.split(r" {2,}", command)[0]) for command in found]


@pytest.mark.parametrize("stage", STAGES)
def test_the_help_of_a_stage_has_an_example_that_would_run(stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        import_module(f"stages.{stage}").main(["--help"])
    assert ended.value.code == 0
    commands = examples(capsys.readouterr().out)
    named = [command for command in commands if re.search(rf"\b{stage}\b", command)]
    assert named, f"stages/{stage}.py: no line of the docstring is a command: python -m stages.{stage} ..."
    for command in commands:
        check_command(command, ROOT / "params.yaml")
