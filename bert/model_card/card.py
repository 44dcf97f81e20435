"""A model card in Hugging Face's format: https://huggingface.co/docs/hub/model-cards

The same bytes for the same model, metrics and records: nothing of the time and the machine in which it is written.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

from bert.model.config import BertConfig
from bert.model_card.history import has_cloze, languages, made, on_a_hub, origin, task_data
from bert.model_card.lineage import Step
from bert.model_card.scores import METRICS, score_table, scores_of
from bert.model_card.sources import CHECKPOINT, licence_of, seen_by
from bert.pipeline.files import write_text

NAME = "README.md"
Task = Literal["question-answering", "text-classification", "fill-mask", "feature-extraction"]
"""Of the hub's."""


@dataclass(frozen=True)
class Folder:
    """What is given away.

    Attributes:
        task: what the model does
        library: that loads it, by the hub's name; None where it has none
        tags: for a search
        does: the same in words, as in "it answers questions"
        length: how much text it takes, and what becomes of more; a sentence
        use: how it is used, in Markdown
    """

    task: Task
    library: str | None
    tags: tuple[str, ...]
    does: str
    length: str
    use: str


def write_card(folder: Path, what: Folder, name: str, config: BertConfig, steps: Sequence[Step]) -> None:
    """README.md of `folder`; the others as those of `model_card`."""
    write_text(folder / NAME, model_card(what, name, config, steps))


def model_card(what: Folder, name: str, config: BertConfig, steps: Sequence[Step]) -> str:
    """name: the model's. steps: its lineage, [] where nothing is known of it."""
    text = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(_head(what, name, steps), text)
    sections = [f"---\n{text.getvalue()}---\n", *_body(what, name, config, steps)]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _head(what: Folder, name: str, steps: Sequence[Step]) -> dict[str, Any]:
    seen, trained = seen_by(steps), on_a_hub(steps)
    scores = scores_of(steps)
    head: dict[str, Any] = {"license": licence_of(seen)}
    if head["license"] == "other":
        head["license_name"] = "-and-".join(sorted({s.licence.lower().replace(" ", "-") for s in seen}))
    optional = {
        "language": languages(steps),
        "library_name": what.library,
        "pipeline_tag": what.task,
        "tags": ["bert", *what.tags],
        "datasets": trained,
        "metrics": sorted({METRICS[metric][0] for _, metric, _ in scores}),
    }
    head |= {key: value for key, value in optional.items() if value}
    if scores:
        of = {"type": trained[0] if trained else "own", "name": task_data(steps).strip("`")}
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


def _body(what: Folder, name: str, config: BertConfig, steps: Sequence[Step]) -> Iterator[str]:
    history = f" The model: {origin(steps)}." if steps else ""
    yield (
        f"# BERT: {name}\n\nAn encoder of {config.num_hidden_layers} layers, hidden size {config.hidden_size}, "
        f"{config.num_attention_heads} heads and {config.vocab_size} word pieces; it {what.does}. {what.length}\n\n"
        f"Written by reproducible-bert, a DVC pipeline that trains and scores BERT.{history}"
    )
    yield f"## Use\n\n{what.use}"
    if what.task == "question-answering" and has_cloze(steps):
        yield (
            "It was fine-tuned on cloze questions alone, sentences of a text in which a phrase is replaced by `which "
            "city`, `how many` or the like. So it answers questions in the words of the text: `Ada was born in which "
            "city in 1843?` rather than `Where was Ada born?`."
        )
    yield f"## Scores\n\n{score_table(steps, task_data(steps) if steps else '')}"
    yield f"## Data\n\n{_data_table(steps)}"
    yield f"## How it was made\n\n{made(steps)}"
    yield (
        "## Limits\n\n- It has learned from the data above what these say and how they say it, prejudice included; "
        "nobody has looked for that.\n- Its scores hold for text like that of the set that they were measured on.\n"
        f"- {what.length}"
    )


def _data_table(steps: Sequence[Step]) -> str:
    seen = seen_by(steps)
    if not seen:
        return f"Not known: {'no source is named' if steps else 'no dvc.lock names this model'}. Say so yourself."
    rows = [f"| {s.of} | `{s.name}` | {s.licence} |" for s in seen]
    said = (
        "Licences are those that the parameters of the pipeline give. Where one is unknown, find it out and say it "
        "yourself; whoever publishes the weights decides on theirs."
    )
    if any(s.of == CHECKPOINT for s in seen):
        said += " What the checkpoint was trained on, its own card has to say."
    if not languages(steps):
        said += " The language of the data is not known here: write it into the head of this file, as `language: en`."
    return "\n".join(["| of | source | licence |", "|---|---|---|", *rows, "", said])
