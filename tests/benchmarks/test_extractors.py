"""benchmarks/extractors.py: what only one of two extractors has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.extractors import Difference, differences, main, read


def write(path: Path, *documents: tuple[str, str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = ("id", "title", "text")
    path.write_text("".join(json.dumps(dict(zip(keys, d, strict=True))) + "\n" for d in documents))


def test_differences_are_the_runs_of_words_that_one_side_has() -> None:
    found = list(differences("Heron", "The heron stands one metre tall here.", 'Look. The heron stands tall "here."'))
    assert found == [
        Difference("Heron", "", [], ["Look."]),
        Difference("Heron", "The heron stands", ["one", "metre"], []),
        Difference("Heron", "The heron stands one metre tall", ["here."], ['"here."']),
    ]


def test_pages_are_matched_by_id_and_those_of_one_side_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path / "ours/documents-00000.jsonl",
        ("wikipedia:1", "Heron", "It flew off."),
        ("wikipedia:2", "Crane", "It ate."),
    )
    (tmp_path / "ours/errors.jsonl").write_text("")
    (tmp_path / "ours/manifest.json").write_text('{"files":\n []}')
    write(
        tmp_path / "theirs/AA/wiki_00",
        ("1", "Heron", "It flew away."),
        ("3", "Stork", "It slept."),
        ("4", "Empty", " "),
    )
    assert set(read(tmp_path / "theirs")) == {"1", "3"}
    main([str(tmp_path / "ours"), str(tmp_path / "theirs")])
    said = capsys.readouterr().out
    assert "ours: 2 pages, 5 words\n  only here: Crane\n" in said
    assert "theirs: 2 pages, 5 words\n  only here: Stork\n" in said
    assert "1 differences: words of ours only 1, of theirs only 1" in said
    assert "Heron: ... It flew\n    ours:   off.\n    theirs: away." in said
