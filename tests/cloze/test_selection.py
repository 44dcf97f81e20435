"""bert/cloze/selection.py: which documents make up a set."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bert.cloze.selection import Selection

DOCUMENTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=20, unique_by=lambda d: d[0])


def select(documents: list[tuple[int, int]], limit: int, skip: bool) -> Selection[str]:
    selection: Selection[str] = Selection(limit)
    for rank, size in documents:
        if not skip or selection.wants(rank, f"d{rank}"):
            selection.add(rank, f"d{rank}", [f"d{rank}.{n}" for n in range(size)], Counter(looked=1))
    return selection


def first_documents_with(documents: list[tuple[int, int]], limit: int) -> int:
    """How many documents in rank it takes to have `limit` items."""
    total = 0
    for count, (_, size) in enumerate(sorted(documents)):
        if total >= limit:
            return count
        total += size
    return len(documents)


@given(DOCUMENTS, st.integers(1, 30), st.randoms())
def test_the_first_documents_in_rank_are_kept_in_whatever_order_they_come(documents, limit, random) -> None:
    expected = [f"d{rank}.{n}" for rank, size in sorted(documents) for n in range(size)][:limit]
    shuffled = random.sample(documents, len(documents))
    for skip in (False, True):
        selection = select(shuffled, limit, skip)
        assert len(list(selection)) == first_documents_with(documents, limit), "none is held in vain"
        assert [item for _, items in selection for item in items] == expected
        assert selection.dropped() == select(documents, limit, skip=False).dropped()


def test_what_the_limit_cuts_off_is_counted_and_later_documents_are_not_looked_at() -> None:
    selection = select([(1, 3), (2, 3), (5, 9)], 5, skip=True)
    assert not selection.wants(5, "d5") and selection.wants(1.5, "e")
    assert selection.dropped() == Counter({"looked": 2, "beyond the limit": 1})


def test_a_document_that_comes_twice_is_there_once() -> None:
    """With and without another that pushes it out in between."""
    twice = [(4, 2), (4, 2), (1, 3), (4, 2), (2, 3)]
    assert list(select(twice, 30, skip=True)) == list(select([(4, 2), (1, 3), (2, 3)], 30, skip=True))
    assert list(select(twice, 4, skip=True)) == [("d1", ["d1.0", "d1.1", "d1.2"]), ("d2", ["d2.0"])]
