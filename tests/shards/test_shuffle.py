"""bert/shards/shuffle.py and bert/shards/pieces.py: rows through files, on a disk and on S3."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert.beam.run import Part, Workplace
from bert.documents.document import Document
from bert.pipeline import manifest
from bert.shards.pieces import cut, read_piece
from bert.shards.shuffle import bucket_of, read_bucket, read_buckets, write_run

BUCKETS = 5
ROWS = st.lists(st.tuples(st.integers(0, BUCKETS - 1), st.binary(max_size=9)), max_size=12)


@given(runs=st.lists(ROWS, max_size=4))
def test_a_bucket_has_its_rows_of_all_runs_in_order(runs: list[list[tuple[int, bytes]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = [Part(folder, str(n)) for n in range(len(runs))]
        for part, rows in zip(parts, runs, strict=True):
            write_run(part, "a.run", rows, BUCKETS)
        paths = [part.path("a.run") for part in parts]
        for bucket in range(BUCKETS):
            expected = [row for rows in runs for number, row in rows if number == bucket]
            assert list(read_buckets(paths, bucket)) == expected


def test_the_buckets_of_hashes_are_ranges_in_their_order() -> None:
    hashes = [n.to_bytes(8, "big") + b"more" for n in (0, 2**62, 2**63 - 1, 2**63, 2**64 - 1)]
    assert [bucket_of(h, 4) for h in hashes] == [0, 1, 1, 2, 3]


def test_a_bucket_of_a_run_is_read_from_s3(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_WORK", bucket)
    part = Part(Workplace(tmp_path).parts, "one")
    write_run(part, "a.run", [(3, b"x" * 70_000), (1, b"some"), (3, b"more")], BUCKETS)
    assert [list(read_bucket(part.path("a.run"), n)) for n in range(BUCKETS)] == [
        [],
        [b"some"],
        [],
        [b"x" * 70_000, b"more"],
        [],
    ]


@settings(deadline=None)  # files: on a busy machine one example may take long
@given(texts=st.lists(st.text("ab é\n", max_size=30), min_size=1, max_size=6), size=st.integers(1, 200))
def test_each_document_is_in_one_piece_of_any_size(texts: list[str], size: int) -> None:
    documents = [Document(f"text:{n}", "u", "", text) for n, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "text"
        folder.mkdir()
        (folder / "documents.jsonl").write_bytes(b"".join(d.to_json() for d in documents))
        manifest.write(folder)
        pieces = cut([folder], size, Workplace(Path(temporary)))
        assert all(piece["bytes"] <= size for piece in pieces)
        assert len({piece["name"] for piece in pieces}) == len(pieces)
        assert [document for piece in pieces for document in read_piece(piece)] == documents
