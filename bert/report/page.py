"""The report: one HTML page that needs nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bert.report import corpus, overview, pretraining, scores, speed
from bert.report.inputs import Inputs
from bert.report.tables import Section, is_number, number, percent


@dataclass(frozen=True)
class Headline:
    """A figure for the top of the page, with what it has to be seen against."""

    value: str
    what: str
    against: str


def _best(baselines: dict[str, dict[str, Any]], score: str) -> float | None:
    values = [b[score] for b in baselines.values() if is_number(b.get(score))]
    return max(values) if values else None


def headlines(inputs: Inputs) -> list[Headline]:
    """At most four figures, of what has run."""
    found = []
    for key in reversed(pretraining.PHASES):
        m = inputs.metrics.get(key, {})
        if is_number(m.get("nats_below_unigram")):
            value = number(m["nats_below_unigram"], 2)
            against = f"{percent(m.get('mlm_accuracy'))} of masked tokens right, {inputs.stage(key)}"
            found.append(Headline(value, "nats below unigram entropy", against))
            break
    squad = inputs.metrics.get("squad", {})
    if is_number(squad.get("f1")):
        best = number(_best(squad.get("baselines") or {}, "f1"), 2)
        found.append(Headline(number(squad["f1"], 2), "SQuAD F1, %", f"best without a model {best}"))
    for key in inputs.group("glue"):
        m = inputs.metrics.get(key, {})
        if is_number(m.get("accuracy")) and key == "glue/mrpc":
            best = number(_best(m.get("baselines") or {}, "accuracy"), 4)
            task = key.partition("/")[2].upper()
            found.append(Headline(number(m["accuracy"], 4), f"{task} accuracy", f"best without a model {best}"))
    m = inputs.metrics.get(pretraining.PHASES[0], {})
    if is_number(m.get("sequences_per_second")):
        where = f"{overview.precision(m)}, {overview.hardware(inputs, pretraining.PHASES[0])}"
        found.append(Headline(number(m["sequences_per_second"]), "sequences / s, phase 1", where))
    return found


def sections(inputs: Inputs, params: dict[str, Any]) -> list[Section]:
    """The chapters in reading order."""
    model = params.get("model")
    if isinstance(model, dict):
        model = model.get("name")
    model = str(model or "not named")
    # An imported model is what its checkpoint says, whatever the parameters would pretrain.
    finetuned = "imported" if params.get("finetune.init") == "imported" else model
    return [
        overview.section(inputs, params),
        corpus.section(inputs),
        pretraining.section(inputs),
        scores.squad(inputs, finetuned),
        scores.glue(inputs, finetuned),
        scores.stability(inputs),
        speed.section(inputs, model),
        overview.where(inputs),
    ]


def render(inputs: Inputs, params: dict[str, Any]) -> str:
    """The page. params: {dotted name: value} of the parameters to show; `model` is the pretrained model's name."""
    environment = Environment(
        loader=PackageLoader("bert.report", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(headlines=headlines(inputs), sections=sections(inputs, params))
