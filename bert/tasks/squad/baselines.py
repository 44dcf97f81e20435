"""What SQuAD scores without reading the question: the floor that a model has to rise above.

position: one fixed place in every context, the best of a small family of rules, chosen on the training set.
random_span: a span of as many words as training answers have, anywhere.
random_span_of_type: a span of the right kind, which the gold answer tells; where the rules find none, a random span.

A context made from news or an encyclopedia names its subject early and has few dates, so none of these is near zero.
The random ones are means over several seeds, each its own Philox stream. SQuAD v2.0 adds `no_answer`.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial

import numpy as np

from bert.tasks.squad.answer_types import Span, answer_type, find_spans
from bert.tasks.squad.data import Question, evenly_spaced
from bert.tasks.squad.metrics import question_scores
from bert.tasks.squad.metrics_v2 import overall_v2

log = logging.getLogger(__name__)

# A word without the punctuation around it: "$1,500" and "Levi's" are one word each.
WORD = re.compile(r"[$£€]?\w+(?:[-'’.,:/]\w+)*%?")

# The position rules are compared on so many training questions; their scores differ by whole points.
FIT_QUESTIONS = 2000

Rule = Callable[[str], str]


def question_blind_scores(
    train: Sequence[Question], dev: Sequence[Question], seeds: Sequence[int]
) -> dict[str, dict[str, float]]:
    """{baseline: {"exact_match": per cent, "f1": per cent}} of the three baselines on `dev`.

    The same questions and seeds give the same figures, in any process. Questions without answers are left out.

    Raises:
        ValueError: no question with an answer, or no seed.
    """
    train, dev = [q for q in train if q.answers], [q for q in dev if q.answers]
    if not (train and dev and seeds):
        raise ValueError(f"expected questions with answers and seeds, got {len(train)}, {len(dev)}, {len(seeds)}")
    lengths = np.array([max(len(WORD.findall(q.answers[0][0])), 1) for q in train])
    name, rule = fit_position(train)
    log.info("position baseline: %s", name)
    drawn = {
        "random_span": [random_spans(dev, lengths, seed) for seed in seeds],
        "random_span_of_type": [random_spans_of_type(dev, lengths, seed) for seed in seeds],
    }
    scores = {"position": _scores(dev, [rule(q.context) for q in dev])}
    for baseline, draws in drawn.items():
        runs = [_scores(dev, texts) for texts in draws]
        scores[baseline] = {metric: float(np.mean([run[metric] for run in runs])) for metric in runs[0]}
    return scores


def question_blind_scores_v2(
    train: Sequence[Question], dev: Sequence[Question], seeds: Sequence[int]
) -> dict[str, dict[str, float]]:
    """{baseline: {"exact": per cent, "f1": per cent}} on all questions of SQuAD v2.0. `no_answer`: always empty.

    The others always answer, so they gain nothing where there is no answer. Raises as `question_blind_scores`.
    """
    answered = [question for question in dev if question.answers]
    scores = {}
    if answered:
        share = len(answered) / len(dev)
        for name, of_answered in question_blind_scores(train, answered, seeds).items():
            scores[name] = {"exact": share * of_answered["exact_match"], "f1": share * of_answered["f1"]}
    empty = overall_v2(dev, {question.id: "" for question in dev})
    return scores | {"no_answer": {"exact": empty["exact"], "f1": empty["f1"]}}


@lru_cache(maxsize=1 << 15)
def word_spans(text: str) -> tuple[Span, ...]:
    """The (start, end) characters of each word."""
    return tuple(match.span() for match in WORD.finditer(text))


@lru_cache(maxsize=1 << 15)
def typed_spans(context: str, kind: str) -> tuple[Span, ...]:
    """`find_spans`, remembered: a context has five questions on average. () also for a kind without a rule."""
    return tuple(find_spans(context, kind) or ())


def fit_position(train: Sequence[Question]) -> tuple[str, Rule]:
    """(name, rule) of the position rule with the highest F1 on at most FIT_QUESTIONS training questions.

    The family: 1 to 3 words from a fixed word (the five most frequent places of training answers), 1 to 3 words from
    a fixed tenth of the context, and the first or last name, number or date. Equal rules: the one listed first.
    """
    sample = evenly_spaced(train, FIT_QUESTIONS)
    rules = dict(_position_rules(sample))
    f1 = {name: _scores(sample, [rule(q.context) for q in sample])["f1"] for name, rule in rules.items()}
    best = max(f1, key=lambda name: f1[name])
    return best, rules[best]


def random_spans(questions: Sequence[Question], lengths: np.ndarray, seed: int) -> list[str]:
    """One span a question: its number of words drawn from `lengths`, its place evenly among those that fit."""
    rng = np.random.Generator(np.random.Philox(seed))
    length, place = rng.choice(lengths, len(questions)), rng.random(len(questions))
    return [
        _words_at(q.context, fraction=fraction, count=n)
        for q, n, fraction in zip(questions, length.tolist(), place.tolist(), strict=True)
    ]


def random_spans_of_type(questions: Sequence[Question], lengths: np.ndarray, seed: int) -> list[str]:
    """One span a question, drawn evenly from those of its answer's kind; none there: as `random_spans`."""
    anywhere = random_spans(questions, lengths, seed)
    place = np.random.Generator(np.random.Philox([seed, 1])).random(len(questions)).tolist()
    texts = []
    for question, fallback, fraction in zip(questions, anywhere, place, strict=True):
        spans = typed_spans(question.context, answer_type(question))
        start, end = spans[int(fraction * len(spans))] if spans else (0, 0)
        texts.append(question.context[start:end] if spans else fallback)
    return texts


def _position_rules(train: Sequence[Question]) -> Iterable[tuple[str, Rule]]:
    places = Counter(len(WORD.findall(q.context[: q.answers[0][1]])) for q in train)
    # Ties by place: Counter's own order is that of the file.
    frequent = sorted(places, key=lambda place: (-places[place], place))[:5]
    for count in (1, 2, 3):
        for place in frequent:
            yield f"{count} words from word {place}", partial(_words, first=place, count=count)
        for tenth in range(10):
            yield f"{count} words from {10 * tenth} %", partial(_words_at, fraction=tenth / 10, count=count)
    for kind in ("name", "number", "date"):
        yield f"first {kind}", partial(_typed, kind=kind, index=0)
        yield f"last {kind}", partial(_typed, kind=kind, index=-1)


def _words(context: str, *, first: int, count: int) -> str:
    """`count` words from word `first` on, or the last ones that there are."""
    words = word_spans(context)
    if not words:
        return ""
    first = max(min(first, len(words) - count), 0)
    return context[words[first][0] : words[min(first + count, len(words)) - 1][1]]


def _words_at(context: str, *, fraction: float, count: int) -> str:
    """`count` words that start at a fraction in [0, 1) of the places where so many fit."""
    return _words(context, first=int(fraction * max(len(word_spans(context)) - count + 1, 1)), count=count)


def _typed(context: str, *, kind: str, index: int) -> str:
    """The first (0) or last (-1) thing of a kind, or the first word."""
    spans = typed_spans(context, kind)
    return context[slice(*spans[index])] if spans else _words(context, first=0, count=1)


def _scores(questions: Sequence[Question], texts: Sequence[str]) -> dict[str, float]:
    scored = [question_scores(question, text) for question, text in zip(questions, texts, strict=True)]
    per_cent = 100 / max(len(scored), 1)
    return {
        "exact_match": per_cent * sum(exact for exact, _ in scored),
        "f1": per_cent * sum(value for _, value in scored),
    }
