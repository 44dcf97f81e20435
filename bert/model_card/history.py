"""What a model was made from and by which stages, in words."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML

from bert.model_card.lineage import Step
from bert.model_card.sources import CHECKPOINT, UNKNOWN, seen_by

PUBLISHED = {"1.1": "rajpurkar/squad", "2.0": "rajpurkar/squad_v2"}
GLUE = "nyu-mll/glue"


def on_a_hub(steps: Sequence[Step]) -> list[str]:
    """Data sets by the names that the hub has for them, where they were downloaded as published."""
    names = {step.stage for step in steps}
    if "download@squad" in names:
        version = str(steps[0].params.get("squad", {}).get("version"))
        unanswered = "exact" in steps[0].metrics()
        return [PUBLISHED.get(version, PUBLISHED["2.0" if unanswered else "1.1"])]
    return [GLUE] if "download@glue" in names and not has_own_task(steps) else []


def languages(steps: Sequence[Step]) -> list[str]:
    """Of the sentence splitter; English of SQuAD, GLUE and what the stage `cloze` makes."""
    of_corpus = [str(step.params["shards"]["language"]) for step in steps if "shards" in step.params]
    english = ["en"] if on_a_hub(steps) or has_cloze(steps) else []
    return list(dict.fromkeys(of_corpus + english))


def has_own_task(steps: Sequence[Step]) -> bool:
    """Whether it has learned a task that is none of GLUE's."""
    return any("train_file" in task for task in _glue_params(steps))


def has_cloze(steps: Sequence[Step]) -> bool:
    """Whether its questions or pairs were made from the corpus."""
    return any(step.stage == "cloze" for step in steps)


def _glue_params(steps: Sequence[Step]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        for key, value in step.params.items():
            if key.startswith("glue.") and isinstance(value, dict):
                yield value


def task_data(steps: Sequence[Step]) -> str:
    """What the nearest step has learned from and was measured on."""
    stage = steps[0].stage
    if stage.startswith("pretrain"):
        return "held-out text of the corpus"
    name = stage.partition("@")[2]
    task = "SQuAD" if stage == "squad" else f"`{name}`" if has_own_task(steps) else name.upper()
    made = "questions" if stage == "squad" else "pairs"
    return f"{made} made from the corpus, like {task}" if has_cloze(steps) else task


def origin(steps: Sequence[Step]) -> str:
    """From which weights, and how they were trained. Example: 'imported weights, fine-tuned on MRPC'"""
    stages = [step.stage for step in steps]
    if stages[0] == "random_weights":  # in the shape of another model, which is in its lineage for that
        return "random weights"
    imported = any(seen.of == CHECKPOINT for seen in seen_by(steps))
    # Where a model has been made anew since, the lineage ends before it.
    first = "imported weights" if imported else "random weights" if "no_weights" in stages else "weights not known here"
    said = [first]
    if any(stage.startswith("pretrain") for stage in stages):
        said.append("pretrained on the corpus below")
    if stages[0] == "squad" or stages[0].startswith("glue@"):
        said.append(f"fine-tuned on {task_data(steps)}")
    return ", ".join(said)


def made(steps: Sequence[Step]) -> str:
    """The stages, with the commits of trainings, and the parameters of the nearest, in Markdown."""
    if not steps:
        return f"Not known: no dvc.lock names this model. Parameters, commit: {UNKNOWN}."
    stages = ", ".join(f"`{step.stage}`{_commit(step)}" for step in _with_data(steps))
    said = f"By these stages, the last one first: {stages}."
    # Sources stand above, and may have paths of this machine.
    params = {k: v for k, v in steps[0].params.items() if k not in ("import_checkpoint", "download")}
    if not params:
        return said
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(params, text)
    values = text.getvalue().rstrip("\n")
    return f"{said}\n\nThe parameters of `{steps[0].stage}`:\n\n```yaml\n{values}\n```"


def _with_data(steps: Sequence[Step]) -> list[Step]:
    """Without the stages of a source that is configured to be empty: they have made nothing of it."""
    empty = {
        f"{stage}@{key.removeprefix('download.')}"
        for step in steps
        for key, value in step.params.items()
        if step.stage == f"download@{key.removeprefix('download.')}" and not value
        for stage in ("download", "documents")
    }
    return [step for step in steps if step.stage not in empty]


def _commit(step: Step) -> str:
    """Of trainings it is recorded."""
    record = step.provenance()
    if not record.get("commit"):
        return " (commit unknown: its record was not at hand)" if step.keeps_provenance else ""
    changed = " and changes to it" if record.get("dirty") else ""
    return f" (commit `{record['commit']}`{changed})"
