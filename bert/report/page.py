"""The report: one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bert.pipeline.pages import render_page
from bert.report import corpus, overview, pipeline, pretraining, scores, seeds, speed
from bert.report.dag import Stage
from bert.report.inputs import Inputs
from bert.report.story import story
from bert.report.tables import Section, is_number, number, percent

LENGTH = ".sequence_length"  # of a phase: tfrecords.phase1.sequence_length


@dataclass(frozen=True)
class Headline:
    """A figure for the top of the page, with what it has to be seen against."""

    value: str
    what: str
    against: str


def _best(baselines: dict[str, dict[str, Any]], score: str) -> float | None:
    values = [b[score] for b in baselines.values() if is_number(b.get(score))]
    return max(values) if values else None


def headlines(inputs: Inputs, params: dict[str, Any]) -> list[Headline]:
    """At most four figures, of what has run."""
    # What the stage `cloze` makes from the corpus is no SQuAD and no MRPC.
    questions = "cloze questions" if params.get("squad.data") == "cloze" else "SQuAD"
    pairs = "cloze paraphrases" if params.get("glue.data") == "cloze" else "MRPC"
    found = []
    for key in reversed(pretraining.PHASES):
        m = inputs.metrics.get(key, {})
        if is_number(m.get("nats_below_unigram")):
            nats = m["nats_below_unigram"]
            side = "below" if nats >= 0 else "above"
            against = (
                f"{percent(m.get('mlm_accuracy'))} of masked tokens right, {key.replace('pretrain_phase', 'phase ')}"
            )
            found.append(Headline(number(abs(nats), 2), f"nats {side} unigram entropy", against))
            break
    squad = inputs.metrics.get("squad", {})
    if is_number(squad.get("f1")):
        best = number(_best(squad.get("baselines") or {}, "f1"), 2)
        found.append(Headline(number(squad["f1"], 2), f"{questions}, F1, %", f"best without a model {best}"))
    mrpc = inputs.metrics.get("glue/mrpc", {})
    if is_number(mrpc.get("accuracy")):
        best = number(_best(mrpc.get("baselines") or {}, "accuracy"), 2)
        found.append(Headline(number(mrpc["accuracy"], 2), f"{pairs}, accuracy, %", f"best without a model {best}"))
    m = inputs.metrics.get(pretraining.PHASES[0], {})
    if is_number(m.get("sequences_per_second")):
        where = f"{overview.precision(m)}, {overview.hardware(inputs, pretraining.PHASES[0])}"
        found.append(Headline(number(m["sequences_per_second"]), "sequences / s, pretraining phase 1", where))
    return found


def sections(inputs: Inputs, params: dict[str, Any], stages: Sequence[Stage]) -> list[Section]:
    """The chapters in reading order."""
    model = str(params.get("model") or "not named")
    lengths = {f"pretrain_{name.split('.')[1]}": value for name, value in params.items() if name.endswith(LENGTH)}
    # An imported model is what its checkpoint says, whatever the parameters would pretrain.
    init = str(params.get("finetune.init") or "a model not named")
    finetuned = "imported" if init == "imported" else model
    return [
        pretraining.section(inputs),
        scores.squad(inputs, finetuned, params.get("squad.data"), init),
        scores.glue(inputs, finetuned, params.get("glue.data"), init),
        seeds.section(inputs, finetuned, {"squad": params.get("squad.data"), "glue": params.get("glue.data")}),
        speed.training(inputs, model, lengths),
        speed.inference(inputs),
        corpus.section(inputs),
        *pipeline.section(stages),
        overview.where(inputs, params),
    ]


def render(inputs: Inputs, params: dict[str, Any], stages: Sequence[Stage] = ()) -> str:
    """The page.

    params: {dotted name: value} of the parameters to show; `model` is the pretrained model's name. stages: to draw.
    """
    return render_page(
        "bert.report",
        title="BERT, from a Wikipedia dump to scores",
        story=story(inputs, params),
        headlines=headlines(inputs, params),
        sections=sections(inputs, params, stages),
    )
