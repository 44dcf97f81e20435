"""A model card in Hugging Face's format: https://huggingface.co/docs/hub/model-cards

The same bytes for the same model, metrics and records: nothing of the time and the machine in which it is written.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

from bert.model.config import BertConfig
from bert.model_card.lineage import Step, lineage
from bert.model_card.sources import CHECKPOINT, UNKNOWN, licence_of, seen_by
from bert.pipeline.files import write_text

NAME = "README.md"
Task = Literal["question-answering", "text-classification", "fill-mask", "feature-extraction"]
"""Of the hub's."""
IN_WORDS: dict[Task, str] = {
    "question-answering": "answers to questions from a text",
    "text-classification": "labels or a number for a text or a pair of texts",
    "fill-mask": "words that are masked",
    "feature-extraction": "features of a text",
}

# {ours: (the hub's type, name)}
METRICS = {
    "exact_match": ("exact_match", "exact match"),
    "exact": ("exact_match", "exact match"),
    "accuracy": ("accuracy", "accuracy"),
    "f1": ("f1", "F1"),
    "f1_macro": ("f1", "macro F1"),
    "mcc": ("matthews_correlation", "Matthews correlation"),
    "pearson": ("pearsonr", "Pearson correlation"),
    "spearman": ("spearmanr", "Spearman correlation"),
    "mlm_loss": ("loss", "masked LM loss, nats"),
    "mlm_accuracy": ("accuracy", "masked LM accuracy"),
    "nsp_accuracy": ("accuracy", "next sentence accuracy"),
}
PUBLISHED = {"1.1": "rajpurkar/squad", "2.0": "rajpurkar/squad_v2"}
GLUE = "nyu-mll/glue"


@dataclass(frozen=True)
class Folder:
    """What is given away.

    Attributes:
        task: what the model does
        library: that loads it, by the hub's name; None where it has none
        tags: for a search
        use: how it is used, in Markdown
    """

    task: Task
    library: str | None
    tags: tuple[str, ...]
    use: str


def write_card(folder: Path, what: Folder, model: Path, config: BertConfig) -> None:
    """README.md of `folder`, which was made from the model folder `model`."""
    write_text(folder / NAME, model_card(what, model.name, config, lineage(model)))


def model_card(what: Folder, name: str, config: BertConfig, steps: Sequence[Step]) -> str:
    """steps: the lineage of the model, [] where nothing is known of it."""
    text = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(_head(what, name, steps), text)
    sections = [f"---\n{text.getvalue()}---\n", *_body(what, name, config, steps)]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _head(what: Folder, name: str, steps: Sequence[Step]) -> dict[str, Any]:
    seen, trained = seen_by(steps), _on_a_hub(steps)
    scores = _scores(steps)
    head: dict[str, Any] = {"license": licence_of(seen)}
    if head["license"] == "other":
        head["license_name"] = "-and-".join(sorted({s.licence.lower().replace(" ", "-") for s in seen}))
    optional = {
        "language": _languages(steps),
        "library_name": what.library,
        "pipeline_tag": what.task,
        "tags": ["bert", *what.tags],
        "datasets": trained,
        "metrics": sorted({METRICS[metric][0] for _, metric, _ in scores}),
    }
    head |= {key: value for key, value in optional.items() if value}
    if scores:
        of = {"type": trained[0] if trained else "own", "name": _data(steps)}
        head["model-index"] = [
            {
                "name": f"bert-{name}",
                "results": [
                    {
                        "task": {"type": what.task},
                        "dataset": {**of, "split": split},
                        "metrics": [
                            {"type": METRICS[metric][0], "name": METRICS[metric][1], "value": value}
                            for of_split, metric, value in scores
                            if of_split == split
                        ],
                    }
                    for split in dict.fromkeys(split for split, _, _ in scores)
                ],
            }
        ]
    return head


def _languages(steps: Sequence[Step]) -> list[str]:
    """Of the sentence splitter; English of SQuAD, GLUE and what the stage `cloze` makes."""
    of_corpus = [str(step.params["shards"]["language"]) for step in steps if "shards" in step.params]
    english = ["en"] if _on_a_hub(steps) or any(step.stage == "cloze" for step in steps) else []
    return list(dict.fromkeys(of_corpus + english))


def _scores(steps: Sequence[Step]) -> list[tuple[str, str, float]]:
    """(set, metric, value) of the nearest step, as its metrics have them."""
    measured = steps[0].metrics() if steps else {}
    sets = {"held-out" if "mlm_loss" in measured else "dev": measured} | {
        f"dev_{name}": value for name, value in measured.items() if isinstance(value, dict) and name == "mismatched"
    }
    return [(split, metric, of[metric]) for split, of in sets.items() for metric in METRICS if metric in of]


def _on_a_hub(steps: Sequence[Step]) -> list[str]:
    """Data sets by the names that the hub has for them, where they were downloaded as published."""
    names = {step.stage for step in steps}
    if "download@squad" in names:
        version = str(steps[0].params.get("squad", {}).get("version"))
        unanswered = "exact" in steps[0].metrics()
        return [PUBLISHED.get(version, PUBLISHED["2.0" if unanswered else "1.1"])]
    own = any("train_file" in task for task in _glue_params(steps))
    return [GLUE] if "download@glue" in names and not own else []


def _glue_params(steps: Sequence[Step]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        for key, value in step.params.items():
            if key.startswith("glue.") and isinstance(value, dict):
                yield value


def _data(steps: Sequence[Step]) -> str:
    stages = {step.stage for step in steps}
    stage = steps[0].stage
    if stage.startswith("pretrain"):
        return "held-out text of the corpus"
    task = "SQuAD" if stage == "squad" else stage.partition("@")[2].upper()
    made = "questions" if stage == "squad" else "pairs"
    return f"{made} made out of the corpus, like {task}" if "cloze" in stages else task


def _body(what: Folder, name: str, config: BertConfig, steps: Sequence[Step]) -> Iterator[str]:
    yield (
        f"# BERT: {name}\n\nAn encoder of {config.num_hidden_layers} layers, hidden size {config.hidden_size}, "
        f"{config.num_attention_heads} heads, {config.vocab_size} word pieces, at most "
        f"{config.max_position_embeddings} tokens; it gives {IN_WORDS[what.task]}. Made by a DVC pipeline from its "
        "corpus to its scores, that of reproducible-bert."
    )
    yield f"## Use\n\n{what.use}"
    yield f"## Scores\n\n{_score_table(steps)}"
    yield f"## Data\n\n{_data_table(steps)}"
    yield f"## How it was made\n\n{_made(steps)}"
    yield (
        "## Limits\n\n- It has learned from the data above what these say and how they say it, prejudice included; "
        "nobody has looked for that.\n- Its scores hold for text like that of the set that they were measured on.\n"
        f"- What is longer than {config.max_position_embeddings} tokens it reads in parts, or not at all."
    )


def _score_table(steps: Sequence[Step]) -> str:
    scores = _scores(steps)
    if not scores:
        return "None are known of it."
    measured = steps[0].metrics()
    rows = ["| set | metric | score | without training |", "|---|---|---|---|"]
    baselines: Mapping[str, Any] = measured.get("baselines", {})
    for split, metric, value in scores:
        without = ", ".join(
            f"{of[metric]:.1f} ({name.replace('_', ' ')})" for name, of in baselines.items() if metric in of
        )
        shown = f"{value:.3f}" if metric.startswith(("mlm", "nsp")) else f"{value:.1f}"
        rows.append(f"| {split} | {METRICS[metric][1]} | {shown} | {without if split == 'dev' else ''} |")
    return "\n".join([f"On {_data(steps)}.", "", *rows])


def _data_table(steps: Sequence[Step]) -> str:
    seen = seen_by(steps)
    if not seen:
        return f"Not known: {'no source is named' if steps else 'no dvc.lock names this model'}. Say so yourself."
    rows = [f"| {s.of} | `{s.name}` | {s.licence} |" for s in seen]
    said = (
        "Licences are those that the parameters of the pipeline give. Where one is unknown, find it out and say it "
        "yourself; whoever publishes the weights decides on theirs."
    )
    started = any(s.of == CHECKPOINT for s in seen)
    more = " What the checkpoint was trained on, its own card has to say." if started else ""
    return "\n".join(["| of | source | licence |", "|---|---|---|", *rows, "", said + more])


def _made(steps: Sequence[Step]) -> str:
    if not steps:
        return f"Not known: no dvc.lock names this model. Parameters, commit: {UNKNOWN}."
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    # Sources stand above, and may have paths of this machine.
    yaml.dump({k: v for k, v in steps[0].params.items() if k not in ("import_checkpoint", "download")}, text)
    stages = ", ".join(f"`{step.stage}`{_commit(step)}" for step in steps)
    said = f"By these stages, the last one first: {stages}.\n\nThe parameters of `{steps[0].stage}`:"
    return "\n".join([said, "", "```yaml", text.getvalue().rstrip("\n"), "```"])


def _commit(step: Step) -> str:
    """Of trainings it is recorded."""
    record = step.provenance()
    changed = " and changes to it" if record.get("dirty") else ""
    return f" (commit `{record['commit']}`{changed})" if record.get("commit") else ""
