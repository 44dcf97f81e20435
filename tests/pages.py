"""README.md and the pages under docs/: the commands in them, and whether each would do what the page says.

Blocks fenced as `sh` hold commands. A block that needs more than this repository says so in a line above it:
`<!-- needs: an S3 bucket -->`. Commands in the text, and parameters as `-S` sets them, are looked at too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dvc.cli import DvcParserError
from dvc.cli.parser import get_main_parser
from dvc.utils.hydra import get_hydra_sweeps
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from bert.pipeline.machine import machine_settings, variables
from bert.pipeline.overrides import overridden
from bert.pipeline.params import load
from stages.params import check

NEEDS = re.compile(r"<!-- needs: (.+) -->")
FENCED = re.compile(r"(?ms)^(?P<above>[^\n]*)\n```(?P<language>\w*)\n(?P<text>.*?)^```$")
SPAN = re.compile(r"`([^`\n]+)`")
OPERATORS = ("&&", "||", "|", ";")
GIT = ("add", "checkout", "clone", "commit", "diff", "fetch", "log", "pull", "push", "status", "switch")
DVC_YAML: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]


class Wrong(Exception):
    """A command that would not do what the page says."""


class Unknown(Exception):
    """A command of a program that is not this project's, DVC's or make's."""


@dataclass(frozen=True)
class Block:
    """A fenced block of commands. needs: what a reader has to have; None: this repository, and nothing else."""

    page: str
    line: int
    needs: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}" + (f" needs {self.needs}" if self.needs else "")

    def commands(self) -> Iterator[str]:
        """Without comments, each on one line."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.strip()


def pages() -> list[str]:
    """README.md and docs/*.md."""
    return ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """The blocks of commands on a page."""
    found, text = [], read(page)
    for match in FENCED.finditer(text):
        if match["language"] == "sh":
            needs = NEEDS.fullmatch(match["above"].strip())
            line = text.count("\n", 0, match.start("text")) + 1
            found.append(Block(page, line, needs[1] if needs else None, match["text"]))
    return found


def spans(page: str) -> list[str]:
    """Commands in the text of a page, and parameters as a command that sets them; not those with a place to fill in."""
    found = []
    for span in SPAN.findall(FENCED.sub("", read(page))):
        if re.search(r"<|\.\.\.|…|\bNAME\b", span):
            continue
        if re.fullmatch(r"dvc [a-z-]+( [a-z-]+)?", span):  # the name of a command
            found.append(f"{span} --help")
        elif re.match(r"(dvc|make|python -m (stages|benchmarks)\.\w+) ", span):
            found.append(span)
        elif span.startswith("-S "):
            found.append(f"dvc exp run {span}")
        elif re.match(r"'?[a-z]\w*(\.\w+)+=\S", span):
            found.append(f"dvc exp run -S {span}")
    return found


def given_sections(page: str) -> dict[str, Any]:
    """What the page tells a reader to write into params.yaml: its blocks of YAML."""
    found: dict[str, Any] = {}
    for match in FENCED.finditer(read(page)):
        if match["language"] == "yaml":
            found = merged(found, YAML(typ="safe", pure=True).load(match["text"]))
    return found


def merged(one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {**one, **{key: merged(one.get(key), value) for key, value in other.items()}}


def check_command(command: str, params: Path) -> None:
    """Hold a command line against the programs that it calls, without what they would do.

    Args:
        params: the params.yaml that `-S` is about.

    Raises:
        Wrong: a flag, stage, parameter, value, target or machine setting that is not there.
        Unknown: a program of others.
    """
    for call in calls(substituted(command)):
        words = assigned(call)
        if words:
            _check_call(words, params)


def substituted(command: str) -> str:
    """With the output of each $(...) in it, which must be a command of this project."""
    return re.sub(r"\$\(([^()]*)\)", lambda inner: output_of(inner[1]), command)


@cache
def output_of(command: str) -> str:
    words = shlex.split(command)
    if words[:2] != ["python", "-m"] or not words[2].startswith("stages."):
        raise Unknown(command)
    done = ran(words, ROOT)
    return done.stdout.replace("\n", " ").strip()


def ran(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command, which must succeed."""
    words = [sys.executable if words[0] == "python" else words[0], *words[1:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise Wrong(f"{shlex.join(words)}: {done.stderr.strip()[-500:]}")
    return done


def calls(command: str) -> Iterator[list[str]]:
    """The calls of a line, without redirections."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="<>|&;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in OPERATORS:
            yield words
            words = []
        else:
            words.append(word)
    while len(words) > 2 and words[-2] in (">", ">>", "<"):
        words = words[:-2]
    yield words


def assigned(words: list[str]) -> list[str]:
    """What is left of a call without variables before it (`env A=1 B=2 ...`), which are held against ours."""
    if words[0] == "export" or words[0] == "env":
        words = words[1:]
    given: dict[str, str] = {}
    while words and (match := re.fullmatch(r"([A-Z][A-Z0-9_]*)=(.*)", words[0])):
        given[match[1]] = match[2]
        words = words[1:]
    if strange := {name for name in given if name.startswith("BERT_")} - variables().keys():
        raise Wrong(f"{', '.join(strange)}: no machine setting")
    machine_settings(given)
    return words


def _check_call(words: list[str], params: Path) -> None:
    match words:
        case ["dvc", *rest]:
            _check_dvc(rest, params)
        case ["python", "-m", module, *rest] if module.startswith(("stages.", "benchmarks.")):
            check_flags(module, rest)
        case ["python", file, *rest] if file.startswith("benchmarks/"):
            check_flags(file.removesuffix(".py").replace("/", "."), rest)
        case ["make", *rest]:
            targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
            if wrong := [word for word in rest if "=" not in word and word not in targets]:
                raise Wrong(f"make has no target {', '.join(wrong)}")
        case ["git", command, *_] if command in GIT:
            pass
        case ["cd", _] | ["source", ".venv/bin/activate"]:
            pass
        case _:
            raise Unknown(shlex.join(words))


class _Parsed(Exception):
    """The flags were taken."""


def check_flags(module: str, words: Sequence[str]) -> None:
    """Whether the parser of a module's `main` takes the flags."""
    if not (ROOT / f"{module.replace('.', '/')}.py").is_file():
        raise Wrong(f"there is no module {module}")
    parse = argparse.ArgumentParser.parse_args

    def only_parse(parser: argparse.ArgumentParser, args: Any = None, namespace: Any = None) -> Any:
        parse(parser, args, namespace)
        raise _Parsed

    def refuse(_: argparse.ArgumentParser, message: str) -> None:
        raise Wrong(f"python -m {module} {shlex.join(words)}: {message}")

    main = importlib.import_module(module).main
    with (
        patch.object(argparse.ArgumentParser, "parse_args", only_parse),
        patch.object(argparse.ArgumentParser, "error", refuse),
        patch.object(sys, "argv", [module, *words]),
    ):
        try:
            main()
        except _Parsed:
            return
        except SystemExit as ended:
            if "--help" in words and not ended.code:
                return
            raise
    raise Wrong(f"{module} has parsed nothing")


def _check_dvc(words: list[str], params: Path) -> None:
    try:
        args = get_main_parser().parse_args(words)
    except SystemExit:  # --help
        return
    except DvcParserError:
        raise Wrong(f"dvc {shlex.join(words)}: not as DVC takes it") from None
    values = _values(params, tuple(getattr(args, "set_param", None) or ()))
    if words[0] in ("repro", "status", "pull", "push", "fetch", "checkout") or words[:2] == ["exp", "run"]:
        for target in args.targets or []:
            if not is_target(target, values):
                raise Wrong(f"dvc {shlex.join(words)}: dvc.yaml has no {target}")


@cache
def _values(params: Path, overrides: tuple[str, ...]) -> dict[str, Any]:
    """The parameters with overrides, which fit; of several experiments the last one's.

    Nothing changes a params.yaml while tests run.
    """
    values = load(params)
    # A list without brackets stands for several experiments: precision=fp32,bf16
    for (one,) in (each.values() for each in get_hydra_sweeps({"params.yaml": list(overrides)}) if overrides):
        values = overridden(params, one)
        check(values, params)
    return values


def is_target(target: str, values: Mapping[str, Any]) -> bool:
    """Whether it is a stage, an item of one, or an out."""
    name, _, item = target.partition("@")
    if name in DVC_YAML:
        return not item or item in items(DVC_YAML[name].get("matrix", {}), values)
    outs = [
        re.escape(next(iter(out)) if isinstance(out, dict) else out)
        for stage in DVC_YAML.values()
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]
    ]
    return any(re.fullmatch(re.sub(r"\\\$\\\{[^}]*\}", "[^/]+", out), target) for out in outs)


def items(matrix: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """As DVC names them. Example: mrpc-default-1"""
    found = [""]
    for members in matrix.values():
        if isinstance(members, str):
            members = _members(members.removeprefix("${").removesuffix("}"), values)
        found = [f"{above}-{member}" if above else str(member) for above in found for member in members]
    return found


def _members(key: str, values: Mapping[str, Any]) -> list[str]:
    """The list at a dotted key; for `glue.tasks` all tasks that may be in it."""
    node: Any = values
    above, _, name = key.rpartition(".")
    for part in above.split("."):
        node = node[part]
    return [task for task in node if task not in ("data", "tasks")] if key == "glue.tasks" else list(node[name])
