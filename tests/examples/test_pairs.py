"""bert/examples/pairs.py: what holds of every pair, whatever the documents."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bert.examples.pairs import Ids, Pair, make_pairs, make_runs, truncate

# Documents as the lengths of their sentences.
lengths = st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=8), min_size=1, max_size=6)
seeds = st.integers(0, 2**32)


def documents_of(lengths: list[list[int]]) -> list[list[Ids]]:
    """Each token tells where it is from: document * 1000 + its place in it."""
    documents = []
    for number, document in enumerate(lengths):
        ends = np.cumsum(document)
        documents.append(
            [number * 1000 + np.arange(e - n, e, dtype=np.int32) for n, e in zip(document, ends, strict=True)]
        )
    return documents


def pairs(lengths: list[list[int]], most: int, short: float, seed: int) -> tuple[list[Pair], Counter[str]]:
    dropped: Counter[str] = Counter()
    rng = np.random.default_rng(seed)
    return list(make_pairs(documents_of(lengths), most, short, rng, dropped)), dropped


@given(lengths=lengths, most=st.integers(5, 60), short=st.floats(0, 1), seed=seeds)
def test_no_pair_is_too_long_or_has_an_empty_segment(
    lengths: list[list[int]], most: int, short: float, seed: int
) -> None:
    for pair in pairs(lengths, most, short, seed)[0]:
        assert len(pair.a) and len(pair.b)
        assert len(pair.a) + len(pair.b) <= most


@given(lengths=lengths, most=st.integers(5, 60), short=st.floats(0, 1), seed=seeds)
def test_segments_are_runs_of_one_document_each(lengths: list[list[int]], most: int, short: float, seed: int) -> None:
    for pair in pairs(lengths, most, short, seed)[0]:
        for segment in (pair.a, pair.b):
            assert (np.diff(segment) == 1).all(), "neighbouring tokens of one document"
            assert int(segment[-1]) % 1000 < sum(lengths[segment[0] // 1000])


@given(lengths=lengths, most=st.integers(5, 60), short=st.floats(0, 1), seed=seeds)
def test_a_random_next_segment_is_of_another_document_and_an_actual_one_follows(
    lengths: list[list[int]], most: int, short: float, seed: int
) -> None:
    for pair in pairs(lengths, most, short, seed)[0]:
        same = pair.a[0] // 1000 == pair.b[0] // 1000
        assert pair.label == (not same)
        if same:
            assert pair.b[0] > pair.a[-1]


@given(lengths=lengths, seed=seeds)
def test_every_sentence_comes_to_stand_in_a_pair(lengths: list[list[int]], seed: int) -> None:
    """What a random segment displaces is used again; nothing is lost but by truncation, which is counted."""
    made, dropped = pairs(lengths, 10_000, 0.0, seed)
    if len(lengths) == 1 and len(lengths[0]) == 1:
        assert made == [] and dropped == {"single_sentence_without_other_document": 1}
        return
    firsts = [set(pair.a.tolist()) | (set() if pair.label else set(pair.b.tolist())) for pair in made]
    seen = Counter(token for tokens in firsts for token in tokens)
    every = [int(t) for document in documents_of(lengths) for sentence in document for t in sentence]
    if len(lengths) > 1:
        assert sorted(seen) == sorted(every) and set(seen.values()) == {1}
    assert dropped["truncated_tokens"] == 0


@given(one=st.integers(1, 30), other=st.integers(1, 30), most=st.integers(5, 60), seed=seeds)
def test_truncated_tokens_are_counted(one: int, other: int, most: int, seed: int) -> None:
    made, dropped = pairs([[one], [other]], most, 0.0, seed)  # either document beside the other
    assert len(made) == 2 and dropped["truncated_tokens"] == 2 * max(0, one + other - most)


@given(documents=st.integers(2, 6), seed=seeds)
def test_documents_of_one_sentence_get_a_random_next_each(documents: int, seed: int) -> None:
    made, _ = pairs([[5]] * documents, 60, 0.0, seed)
    assert len(made) == documents and all(pair.label for pair in made)


@given(sentences=st.integers(2, 10), seed=seeds)
def test_a_single_document_gives_actual_pairs_alone(sentences: int, seed: int) -> None:
    made, _ = pairs([[5] * sentences], 12, 0.5, seed)
    assert not any(pair.label for pair in made)


def test_half_of_the_pairs_are_random_and_all_other_documents_are_drawn() -> None:
    made, _ = pairs([[6] * 40] * 5, 30, 0.0, seed=1)
    for seed in range(2, 30):
        made += pairs([[6] * 40] * 5, 30, 0.0, seed)[0]
    share = sum(pair.label for pair in made) / len(made)
    assert abs(share - 0.5) < 0.05
    drawn = Counter((int(p.a[0]) // 1000, int(p.b[0]) // 1000) for p in made if p.label)
    assert len(drawn) == 20 and min(drawn.values()) > 0.5 * max(drawn.values())


def test_short_sequences_come_as_often_as_asked() -> None:
    targets = [[3] * 400] * 2
    full = [len(p.a) + len(p.b) for p in pairs(targets, 60, 0.0, seed=1)[0] if not p.label]
    assert np.median(full) == 60
    short = [len(p.a) + len(p.b) for p in pairs(targets, 60, 1.0, seed=1)[0] if not p.label]
    assert min(short) < 15 and np.mean(short) < 45


@given(a=st.integers(1, 60), b=st.integers(1, 60), most=st.integers(2, 80), seed=seeds)
def test_truncate_takes_as_much_of_each_as_the_loop_one_by_one(a: int, b: int, most: int, seed: int) -> None:
    left = [a, b]
    while sum(left) > most:  # truncate_seq_pair of create_pretraining_data.py
        left[0 if left[0] > left[1] else 1] -= 1
    first, second = np.arange(a, dtype=np.int32), np.arange(100, 100 + b, dtype=np.int32)
    got = truncate(first, second, most, np.random.default_rng(seed))
    assert [len(got[0]), len(got[1])] == left
    for segment in got:
        assert (np.diff(segment) == 1).all(), "taken from the ends alone"


def test_truncate_takes_from_front_and_back_alike() -> None:
    a, b = np.arange(50, dtype=np.int32), np.arange(1, dtype=np.int32)
    fronts = [int(truncate(a, b, 31, np.random.default_rng(n))[0][0]) for n in range(500)]
    assert abs(np.mean(fronts) - 10) < 0.4 and abs(np.std(fronts) - 5**0.5) < 0.3


@given(lengths=lengths, most=st.integers(5, 60), short=st.floats(0, 1), seed=seeds)
def test_sentence_order_pairs_are_neighbours_and_the_label_tells_which_came_first(
    lengths: list[list[int]], most: int, short: float, seed: int
) -> None:
    dropped: Counter[str] = Counter()
    rng = np.random.default_rng(seed)
    for pair in make_pairs(documents_of(lengths), most, short, rng, dropped, sentence_order=True):
        assert len(pair.a) and len(pair.b) and len(pair.a) + len(pair.b) <= most
        assert pair.a[0] // 1000 == pair.b[0] // 1000
        assert pair.label == (pair.b[-1] < pair.a[0])


def test_half_of_the_sentence_order_pairs_are_swapped_and_no_token_goes_uncounted() -> None:
    dropped: Counter[str] = Counter()
    made = list(make_pairs(documents_of([[6] * 90] * 10), 30, 0.1, np.random.default_rng(1), dropped, True))
    assert 0.35 < np.mean([pair.label for pair in made]) < 0.65
    alone = dropped["single_sentence_without_neighbour"]
    kept = sum(len(pair.a) + len(pair.b) for pair in made)
    assert kept + dropped["truncated_tokens"] + 6 * alone == 10 * 90 * 6


@given(lengths=lengths, most=st.integers(5, 60), short=st.floats(0, 1), seed=seeds)
def test_runs_hold_every_token_once_in_its_order(lengths: list[list[int]], most: int, short: float, seed: int) -> None:
    made = list(make_runs(documents_of(lengths), most, short, np.random.default_rng(seed)))
    for run in made:
        assert 1 <= len(run.a) <= most and not len(run.b) and len(set((run.a // 1000).tolist())) == 1
    every = np.concatenate([sentence for document in documents_of(lengths) for sentence in document])
    np.testing.assert_array_equal(np.concatenate([run.a for run in made]), every)
