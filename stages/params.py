"""Hold all of params.yaml against what the stages read: a typo is found before anything runs, not after a training.

Reads   params.yaml
Writes  nothing

A key that no stage reads, one that is missing and a value that does not fit are named, with the key or the word that
was probably meant. Values that fit, but make little sense beside each other, are warned of. -S takes overrides as
`dvc exp run -S` does, and leaves the file as it is.

Examples:
  python -m stages.params
  python -m stages.params -S precision=bf16 -S pretrain.phase1.steps=2000
  python -m stages.params -S 'download.text=[{url: "~/texts"}]'
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings, Cell, TrainingCell
from bert.checkpoints.settings import ImportSettings
from bert.cloze.settings import ClozeSettings
from bert.documents.settings import DocumentsSettings
from bert.download.settings import AnySource, DownloadSettings, Source
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.inference.settings import InferenceSettings
from bert.model.config import MODELS
from bert.pipeline.code import checked_code
from bert.pipeline.errors import StageError
from bert.pipeline.job import parser, run
from bert.pipeline.nearest import meant, meant_key
from bert.pipeline.overrides import overridden
from bert.pipeline.params import keys, load, value
from bert.report.stability import StabilitySettings
from bert.shards.settings import ShardsSettings
from bert.tasks.glue.own.settings import OwnTaskSettings, check_name
from bert.tasks.settings import FILE_KEYS, OF_THE_DAG, Control, FinetuneSettings, GlueTaskSettings, SquadSettings
from bert.tokens.learner import VocabSettings
from bert.training.settings import ComputeSettings, PhaseTraining, PretrainSettings

log = logging.getLogger("stages.params")

SOURCES = ("wikipedia", "books", "text", "squad", "glue")
PHASES = ("phase1", "phase2")
Model = Literal[MODELS]  # type: ignore[valid-type]
Kind = tuple[Any, Collection[str]]
"""What a key's value is, and which keys in it are of another kind."""

KINDS: Mapping[str, Kind] = {
    "seed": (int, ()),
    "model": (Model, ()),
    **{name: (field.rebuild_annotation(), ()) for name, field in ComputeSettings.model_fields.items()},
    "download": (DownloadSettings, SOURCES),
    **{f"download.{name}": (list[AnySource] | None, ()) for name in SOURCES},
    "documents": (DocumentsSettings, ()),
    "shards": (ShardsSettings, ()),
    "vocab": (VocabSettings, ("source",)),
    "vocab.source": (Source | None, ()),
    "tfrecords.examples": (ExamplesSettings, ()),
    **{f"tfrecords.{phase}": (PhaseSettings, ()) for phase in PHASES},
    "cloze": (ClozeSettings, ()),
    "pretrain": (PretrainSettings, (*PHASES, "init")),
    "pretrain.init": (Literal["none", "imported"], ()),
    **{f"pretrain.{phase}": (PhaseTraining, ()) for phase in PHASES},
    "import_checkpoint": (ImportSettings, ("source",)),
    "import_checkpoint.source": (list[Source] | None, ()),
    "finetune": (FinetuneSettings, OF_THE_DAG),
    "finetune.controls": (tuple[Control, ...], ()),
    "finetune.random_like": (Literal["phase1", "phase2", "imported"], ()),
    "squad": (SquadSettings, ()),
    "glue.data": (Literal["cloze", "download"], ()),
    "glue.tasks": (tuple[str, ...], ()),
    "stability": (StabilitySettings, ()),
    "inference": (InferenceSettings, ()),
    "benchmark_training": (BenchmarkTrainingSettings, ()),
    "benchmark_inference": (BenchmarkInferenceSettings, ()),
}
"""{key: what its stages take}; the tasks of `glue` come besides."""


def _section(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A section; nothing where there is none, which is said elsewhere."""
    node = params.get(name)
    return node if isinstance(node, dict) else {}


def _unread(params: Mapping[str, Any]) -> Iterator[str]:
    """Keys of the file, and of its sections that have no model of their own, that no stage reads."""
    known = set(KINDS) | {"tfrecords", "glue"} | {f"download.{name}" for name in DownloadSettings.model_fields}
    there = {name: params[name] for name in params}
    for section in ("download", "tfrecords"):
        there |= {f"{section}.{name}": node for name, node in _section(params, section).items()}
    for name in there.keys() - known:
        yield f"{name}: no stage reads it (got {there[name]!r}){meant_key(name, known | set(keys(params)))}"


def _without_words(params: Mapping[Any, Any], inside: str = "") -> Iterator[str]:
    """Keys that YAML does not read as text, at any depth of sections: 7, true, null."""
    for key, node in params.items():
        name = json.dumps(key) if key is None or isinstance(key, bool) else str(key)
        if not isinstance(key, str):
            yield f'{inside}{name}: a key has to be a word; between quotation marks, "{name}", it is one'
        if isinstance(node, dict):
            yield from _without_words(node, f"{inside}{name}.")


def _task(params: Mapping[str, Any], name: str, path: Path) -> None:
    """The section of a task of `glue`: how it is trained, and of one's own what its files are."""
    value(params, GlueTaskSettings, f"glue.{name}", path, FILE_KEYS)
    if check_name(name, _section(params, "glue")):
        value(params, OwnTaskSettings, f"glue.{name}", path, list(GlueTaskSettings.model_fields))


def _listed(section: Mapping[str, Any], name: str) -> list[Any]:
    """A list in a section; nothing where there is none, which is said elsewhere."""
    node = section.get(name)
    return node if isinstance(node, list) else []


def _misfits(read: Callable[[], Any]) -> list[str]:
    """What the error says that reading a section raises, if any."""
    try:
        read()
    except StageError as error:
        return [str(error.args[0])]
    return []


def check(params: Mapping[str, Any], path: Path) -> None:
    """Hold `params`, which were read from `path`, against what the stages read.

    Raises:
        StageError: names all that is unknown, missing, or does not fit.
    """
    if strange := [f"{path}: {said}" for said in _without_words(params)]:
        raise StageError("\n".join(strange), run=f"correct {path}, or the -S that set it")
    found = [f"{path}: {said}" for said in sorted(_unread(params))]
    glue = _section(params, "glue")
    for key, (kind, without) in KINDS.items():
        found += _misfits(partial(value, params, kind, key, path, without))
    for task in sorted(glue.keys() - {"data", "tasks"}):
        found += _misfits(partial(_task, params, task, path))
    for task in [task for task in _listed(glue, "tasks") if isinstance(task, str) and task not in glue]:
        near = meant(task, glue.keys() - {"data", "tasks"})
        found.append(f"{path}: glue.tasks: there is no section glue.{task}{near}")
    for section, kind_of_cell in (("benchmark_training", TrainingCell), ("benchmark_inference", Cell)):
        for cell in _listed(_section(params, section), "cells"):
            found += [f"{path}: {section}.cells: {said}" for said in _misfits(partial(kind_of_cell.parse, str(cell)))]
    if found:
        raise StageError("\n".join(found), run=f"correct {path}, or the -S that set it")


def check_whole(params: Mapping[str, Any], path: Path) -> None:
    """What a whole `dvc repro` needs besides, and one of a few stages may not.

    Raises:
        StageError: names the data that a task would look for in vain.
    """
    found = []
    for task in ("squad", "glue"):
        if _section(params, task).get("data") == "download" and not _section(params, "download").get(task):
            found.append(f"{path}: {task}.data is download, and download.{task} names no files")
    stability, trained = _section(params, "stability"), _section(params, "glue").get("tasks") or ()
    for task in stability.get("tasks") or ():
        if stability.get("seeds") and task not in trained:
            found.append(
                f"{path}: stability.tasks: {task} is not among glue.tasks, whose data its seeds are trained on"
            )
    if found:
        raise StageError("\n".join(found), run=f"correct {path}, or name what to run: dvc repro pretrain_phase2")


def doubtful(params: Mapping[str, Any]) -> Iterator[str]:
    """What trains, and was hardly meant: values that fit alone and not beside others. Of parameters that fit."""
    only_rises = "the learning rate rises to the last step and never falls"
    for phase in PHASES:
        key, own = f"pretrain.{phase}", params["pretrain"][phase]
        if own["warmup_steps"] >= own["steps"]:
            yield f"{key}.warmup_steps is {own['warmup_steps']} and {key}.steps {own['steps']}: {only_rises}"
    tasks = {"squad": params["squad"], **{f"glue.{task}": params["glue"][task] for task in params["glue"]["tasks"]}}
    for key, task in tasks.items():
        if task["warmup_proportion"] == 1:
            yield f"{key}.warmup_proportion is 1, all of the steps: {only_rises}"
    squad = params["squad"]
    # [CLS] question [SEP] context [SEP]; a stride beyond the context is cut to it (bert/tasks/squad/features.py).
    length, query, stride = squad["max_seq_length"], squad["max_query_length"], squad["doc_stride"]
    if stride >= (room := length - query - 3):
        yield (
            f"squad.doc_stride is {stride}, but a window of squad.max_seq_length {length} has room for {room} tokens "
            f"of context beside a question of squad.max_query_length {query}: windows do not overlap, and an answer "
            "on the border of two is whole in none"
        )


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("-S", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="may be given again")
    args = p.parse_args(argv)
    checked_code("stages.params")
    path = Path("params.yaml")
    params = overridden(path, args.overrides) if args.overrides else load(path)
    check(params, path)
    if not args.overrides:  # as in dvc.yaml
        check_whole(params, path)
    for said in doubtful(params):
        log.warning("%s: %s", path, said)
    log.info("%s: every key is known, and every value fits", path)


if __name__ == "__main__":
    run(main)
