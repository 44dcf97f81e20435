"""bert/examples/windows.py: a text shard in windows of whole documents."""

from __future__ import annotations

import numpy as np
import pytest

from bert.examples import windows
from tests.examples.shards import shard


def cut(text: str, window: int, monkeypatch: pytest.MonkeyPatch) -> list[list[list[str]]]:
    monkeypatch.setattr(windows, "WINDOW_BYTES", window)
    data = text.encode()
    return list(windows.windows(data.splitlines(keepends=True), len(data)))


def documents_of(text: str) -> list[list[str]]:
    return [block.strip("\n").split("\n") for block in text.split("\n\n")]


@pytest.mark.parametrize("window", [1, 300, 1000, 5000, 10**6])
def test_windows_hold_every_document_once_in_order(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shard(range(40))
    found = cut(text, window, monkeypatch)
    assert [document for part in found for document in part] == documents_of(text)
    assert all(len(part) >= windows.LEAST_DOCUMENTS for part in found)


def test_windows_are_about_equal_and_not_a_full_one_and_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shard(range(200))
    size = len(text.encode())
    for parts in (1.4, 1.6, 2.3, 7.5):
        found = cut(text, int(size / parts), monkeypatch)
        sizes = [sum(len(s) + 1 for document in part for s in document) for part in found]
        assert len(found) == round(parts) and np.ptp(sizes) < size / 20


def test_a_document_of_many_windows_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = ("The keeper sold a lamp.\n" * n for n in (2, 100))
    found = cut("\n".join([small, large, *[small] * 20]), len(small) * 5, monkeypatch)
    assert [len(part) for part in found] == [2, 5, 5, 5, 5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\n\n", []),
        ("One.\n", [[["One."]]]),
        ("One.", [[["One."]]]),
        ("\n\nOne.\nTwo.\n\n\n\nThree.\x85 x\n\n", [[["One.", "Two."], ["Three.\x85 x"]]]),
    ],
)
def test_blank_lines_are_no_documents(text: str, expected: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    assert cut(text, 10**6, monkeypatch) == expected
