"""What came out, in a few sentences: what was trained, on what, how well, and what is no better than a guess."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any

from markupsafe import Markup

from bert.benchmark.rows import VOCAB_SIZE
from bert.report.chance import is_above
from bert.report.corpus import RECORDS, SOURCES
from bert.report.inputs import Inputs, Metrics
from bert.report.overview import hardware, precision
from bert.report.pretraining import PHASES
from bert.report.scores import MODELS, main_score, task_title
from bert.report.sentences import at_chance, beside, bold, listed, over_seeds
from bert.report.tables import is_number, number, percent, score_name
from bert.tasks.glue.average import task_score
from bert.tasks.glue.tasks import TASKS

FEW = 3  # tasks with a sentence each; of more there is one about their mean
KINDS = {"wikipedia": "Wikipedia articles", "books": "books", "text": "documents of plain text"}


def _pretrained(inputs: Inputs, params: dict[str, Any]) -> Iterator[str]:
    phases = [key for key in PHASES if is_number(inputs.metrics.get(key, {}).get("steps"))]
    if not phases:
        return
    counts = {name: inputs.metrics.get(f"documents/{name}", {}).get("documents") for name in SOURCES}
    parts = [f"{number(count)} {KINDS[name]}" for name, count in counts.items() if is_number(count) and count]
    words_kept = (inputs.metrics.get("shards", {}).get("train") or {}).get("words")
    model = f"A BERT of the shape “{params.get('model')}” was pretrained"
    corpus = Markup(" on {}").format(listed(parts)) if parts else ""
    kept = f" ({number(words_kept)} words to train on)" if is_number(words_kept) else ""
    runs = []
    for key in phases:
        m, length = inputs.metrics[key], params.get(f"tfrecords.{key.removeprefix('pretrain_')}.sequence_length")
        tokens = f" of {length} tokens" if length else ""
        epochs = f" ({number(m['epochs'], 2)} epochs)" if is_number(m.get("epochs")) else ""
        runs.append(f"{number(m['steps'])} steps of {number(m.get('global_batch'))} sequences{tokens}{epochs}")
    first = inputs.metrics[phases[0]]
    on = hardware(inputs, phases[0])
    yield Markup("{}{}{}: {}, in {} on {}.").format(
        model, corpus, kept, Markup(", then ").join(runs), precision(first), on
    )


def _constant_answer(inputs: Inputs, key: str) -> float:
    """The share of held-out pairs that the same answer to all of them gets right."""
    records = inputs.metrics.get(RECORDS[PHASES.index(key)], {}).get("test") or {}
    random, examples = records.get("random_next"), records.get("examples")
    if not (is_number(random) and is_number(examples) and examples):
        return 0.5
    return max(random, examples - random) / examples


def _learned(inputs: Inputs) -> Iterator[str]:
    """Of the last phase that has run: what it knows of held-out text."""
    key = next((k for k in reversed(PHASES) if is_number(inputs.metrics.get(k, {}).get("nats_below_unigram"))), None)
    if key is None:
        return
    m = inputs.metrics[key]
    nats = m["nats_below_unigram"]
    frequency = "that of a model that knows how frequent each token is and nothing of its context"
    yield Markup("On held-out text it finds {} of the masked tokens. Its loss is {} {}{}.").format(
        bold(percent(m.get("mlm_accuracy"))),
        bold(f"{number(abs(nats), 2)} nats {'below' if nats > 0 else 'above'}"),
        frequency,
        "" if nats > 0 else ": it has learned nothing from context",
    )
    right = m.get("nsp_accuracy", 0.0)
    if is_number(m.get("nsp_accuracy")):
        guess, pairs = _constant_answer(inputs, key), m.get("held_out_sequences")
        said = Markup(
            "Whether one sentence follows another it tells right in {} of {} pairs; "
            "the same answer to all of them would be right in {}"
        ).format(bold(percent(right)), number(pairs), percent(guess))
        known = isinstance(pairs, int) and is_above("accuracy", 100 * right, 100 * guess, pairs)
        yield said + ("." if known or not isinstance(pairs, int) else Markup(": {}.").format(bold("at chance")))


def _subject(init: str) -> str:
    """The model that a task is fine-tuned from, as a sentence begins with it."""
    model = MODELS.get(init, init)
    return {"random": f"A model of {model}", "imported": "The imported model"}.get(init, f"The model of {model}")


def _squad(inputs: Inputs, params: dict[str, Any]) -> Iterator[str]:
    m = inputs.metrics.get("squad", {})
    if not is_number(m.get("f1")):
        return
    init = str(params.get("finetune.init"))
    second = init == "imported" and any(key in inputs.metrics for key in PHASES)
    subject = "A second model, imported and fine-tuned" if second else f"{_subject(init)}, fine-tuned"
    made = " made from the corpus" if params.get("squad.data") == "cloze" else ""
    trained = f" on {number(m['train_questions'])} questions{made}" if "train_questions" in m else ""
    yield Markup("{}{}, answers {} of {} {} exactly (F1 {}).").format(
        subject,
        trained,
        bold(f"{number(m.get('exact_match', m.get('exact')), 1)} %"),
        number(m.get("count")),
        "others" if trained else "questions",
        bold(number(m["f1"], 1)),
    )
    yield from over_seeds(inputs, "squad", "f1")
    yield from beside(inputs, "squad", "f1")


def _trained_on(m: Metrics) -> int | None:
    """How many examples of a task the training has seen: all, or as many as its steps take."""
    counts: list[Any] = [m.get("train_examples")]
    if is_number(m.get("steps")) and is_number(m.get("global_batch")):
        counts.append(m["steps"] * m["global_batch"])
    return min(counts) if None not in counts else None


def _task(inputs: Inputs, key: str, params: dict[str, Any]) -> Iterator[str]:
    m, task = inputs.metrics[key], key.partition("/")[2]
    if (score := main_score(task, m)) is None:
        return
    made = params.get("glue.data") == "cloze"
    title = task_title(task)
    examples = f"pairs made from the corpus, in the format of {title}" if made else f"examples of {title}"
    trained = _trained_on(m)
    value, others = bold(f"{number(m[score], 1)} %"), f"{number(m.get('count'))} others"
    result = (
        Markup("is right on {} of {}").format(value, others)
        if score == "accuracy"
        else Markup("reaches {} in {} on {}").format(value, score_name(score), others)
    )
    yield Markup("{}, fine-tuned on {}, {}.").format(
        _subject(str(params.get("finetune.init"))),
        examples if trained is None else f"{number(trained)} {examples}",
        result,
    )
    yield from over_seeds(inputs, task, score)
    yield from beside(inputs, key, score)


def _tasks(inputs: Inputs, params: dict[str, Any]) -> Iterator[Markup]:
    done = [key for key in inputs.group("glue") if key in inputs.metrics]
    if len(done) <= FEW:
        for key in done:
            yield Markup(" ").join(_task(inputs, key, params))
        return
    scores = [
        value
        for key in done
        if (task := key.partition("/")[2]) in TASKS
        and (value := task_score(TASKS[task], inputs.metrics[key])) is not None
    ]
    if scores:
        yield Markup("{}, fine-tuned on each of {} tasks of GLUE, has a mean score of {}.{}").format(
            _subject(str(params.get("finetune.init"))),
            len(scores),
            bold(f"{number(fmean(scores), 1)} %"),
            Markup("").join(at_chance(inputs, done)),
        )


def _fastest(inputs: Inputs, kind: str) -> tuple[str, Metrics] | None:
    timed = [
        (key.partition("/")[2], inputs.metrics[key])
        for key in inputs.group(kind)
        if is_number(inputs.metrics.get(key, {}).get("sequences_per_second"))
    ]
    return max(timed, key=lambda cell: cell[1]["sequences_per_second"]) if timed else None


def _speed(inputs: Inputs) -> Iterator[str]:
    parts = []
    for kind, what in (("benchmark_training", "training takes"), ("benchmark_inference", "inference")):
        if (found := _fastest(inputs, kind)) is not None:
            name, m = found
            rate = f"{number(m['sequences_per_second'], 0)} sequences a second"
            peak = (m.get("roofline") or {}).get("peak_fraction")
            share = f", {percent(peak)} of the machine's measured peak" if is_number(peak) else ""
            parts.append(Markup("{} {} ({}, {}{})").format(what, bold(rate), name, precision(m), share))
    if parts:
        yield Markup(
            "The benchmarks time random tokens, with a vocabulary of {} pieces and batches of their own: their speeds "
            "are not those of the trainings above. In the fastest cells {}."
        ).format(number(VOCAB_SIZE), listed(parts))


def _unfinished(inputs: Inputs) -> Iterator[str]:
    if count := len(inputs.missing):
        stages = "stage has" if count == 1 else "stages have"
        yield f"{count} {stages} not run yet; below, each stands with its command."


def story(inputs: Inputs, params: dict[str, Any]) -> tuple[Markup, ...]:
    """The paragraphs, of what has run. params: as `page.render` takes them."""
    paragraphs = [
        Markup(" ").join([*_pretrained(inputs, params), *_learned(inputs)]),
        Markup(" ").join(_squad(inputs, params)),
        *_tasks(inputs, params),
        Markup(" ").join([*_speed(inputs), *_unfinished(inputs)]),
    ]
    return tuple(paragraph for paragraph in paragraphs if paragraph)
