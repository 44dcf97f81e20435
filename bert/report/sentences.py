"""A score in sentences: beside the controls' and the best guess, over the seeds, and whether it is at chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from bert.report.chance import is_above
from bert.report.inputs import Inputs
from bert.report.scores import control_of, controls, guess, main_score, task_title
from bert.report.tables import is_number, number, score_name


def bold(text: str) -> Markup:
    return Markup("<b>{}</b>").format(text.replace(" %", "\u00a0%"))


def listed(parts: Iterable[str]) -> Markup:
    """Example: a, b and c"""
    *most, last = parts
    return Markup(" and ").join([Markup(", ").join(most), last] if most else [last])


def _others(inputs: Inputs, key: str, score: str) -> tuple[dict[str, float], dict[str, float]]:
    """Of a task the same score from its controls, and of what needs no model: {what: score}."""
    from_controls = {
        control_of(control): inputs.metrics[control][score]
        for control in controls(inputs, key)
        if is_number(inputs.metrics.get(control, {}).get(score))
    }
    baselines = inputs.metrics[key].get("baselines") or {}
    return from_controls, {guess(name): of[score] for name, of in baselines.items() if is_number(of.get(score))}


def beside(inputs: Inputs, key: str, score: str) -> Iterator[str]:
    """The result's score beside the controls' and the best baseline's, and which of them are at chance."""
    metrics = inputs.metrics[key]
    of_controls, baselines = _others(inputs, key, score)
    if of_controls:
        shown = (Markup("{} from {}").format(number(value, 1), name) for name, value in of_controls.items())
        yield Markup("The same training reaches {} {}.").format(score_name(score), listed(shown))
    if not baselines:
        return
    best = max(baselines, key=lambda name: baselines[name])
    said = f"The best guess without a model ({best}) has {number(baselines[best], 1)}"
    count = metrics.get("count")
    values = {"this model": metrics[score]} | {f"the one from {name}": value for name, value in of_controls.items()}
    no_better = [
        name
        for name, value in values.items()
        if isinstance(count, int) and not is_above(score, value, baselines[best], count)
    ]
    if not no_better:
        yield f"{said}."
        return
    verb = "is" if len(no_better) == 1 else "are"
    yield Markup("{}: {} {} {}.").format(said, listed(no_better), verb, bold("no better than that"))


def over_seeds(inputs: Inputs, task: str, score: str) -> Iterator[str]:
    """Over the seeds of the precision that has most of them."""
    found = [
        (len(of["seeds"]), of[score])
        for of in (inputs.metrics.get("stability", {}).get(task) or {}).values()
        if isinstance(of, dict) and of.get("seeds") and is_number((of.get(score) or {}).get("std"))
    ]
    if found:
        seeds, of = max(found, key=lambda item: item[0])
        mean = f"{number(of['mean'], 1)}\u00a0±\u00a0{number(of['std'], 1)}"
        yield f"Over {seeds} seeds its {score_name(score)} is {mean}."


def at_chance(inputs: Inputs, keys: Iterable[str]) -> Iterator[str]:
    """The tasks on which the result is no better than the best baseline."""
    found = []
    for key in keys:
        m, task = inputs.metrics[key], key.partition("/")[2]
        if (score := main_score(task, m)) is None or not isinstance(count := m.get("count"), int):
            continue
        _, baselines = _others(inputs, key, score)
        if baselines and not is_above(score, m[score], max(baselines.values()), count):
            found.append(task_title(task))
    if found:
        yield Markup(" {}: {}.").format(bold("At chance"), listed(found))
