"""stages/vocab.py with a given vocabulary; bert/tokens/learner.py's test learns one."""

from __future__ import annotations

import hashlib
import json

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages.vocab import main
from tests.corpus import PIECES, document
from tests.project import Project, files


@pytest.fixture
def arguments(project: Project) -> list[str]:
    """Of a run over one train shard; a vocabulary stands beside it."""
    shards = project.path / "data/shards/train"
    shards.mkdir(parents=True)
    (shards / "train.txt").write_text("\n".join(document(n) for n in range(30)) + "\n")
    manifest.write(shards, [{"path": "train.txt"}])
    (project.path / "given.txt").write_text("\n".join(PIECES) + "\n")
    return ["--shards", "data/shards/train", *project.arguments("vocab")]


def test_a_given_vocabulary_is_taken_byte_for_byte_and_described(project: Project, arguments: list[str]) -> None:
    given = (project.path / "given.txt").read_bytes()
    project.set(vocab={"source": {"url": "given.txt", "sha256": hashlib.sha256(given).hexdigest()}})
    main(arguments)
    assert files(project.path / "data")["vocab.txt"] == given
    metrics = json.loads((project.path / "metrics/vocab.json").read_text())
    assert (metrics["size"], metrics["learned"]) == (len(PIECES), False)


def test_a_vocabulary_is_learned_where_none_is_given(project: Project, arguments: list[str]) -> None:
    main(arguments)
    pieces = (project.path / "data/vocab.txt").read_text().splitlines()
    metrics = json.loads((project.path / "metrics/vocab.json").read_text())
    assert (metrics["size"], metrics["learned"]) == (len(pieces), True)
    assert casing(project) == (True, True) and not any(piece[0].isupper() for piece in pieces[5:])
    assert pieces[:5] == PIECES[:5] and len(pieces) <= 200


CASED = [*PIECES[:5], *(piece.capitalize() for piece in PIECES[5:] if piece[0] != "#")]


def casing(project: Project) -> tuple[bool, bool]:
    """As the file says, and as the metrics do."""
    said = json.loads((project.path / "data/tokenizer_config.json").read_text())
    return said["do_lower_case"], json.loads((project.path / "metrics/vocab.json").read_text())["do_lower_case"]


@pytest.mark.parametrize(
    ("pieces", "beside", "parameter", "expected"),
    [
        (PIECES, None, None, True),
        (CASED, None, None, False),
        (PIECES, {"do_lower_case": False}, None, False),
        (PIECES, {"do_lower_case": False}, True, True),
        (CASED, None, True, True),
    ],
)
def test_a_given_vocabulary_keeps_the_casing_of_its_folder_or_of_its_pieces(
    project: Project,
    arguments: list[str],
    pieces: list[str],
    beside: dict[str, bool] | None,
    parameter: bool | None,
    expected: bool,
) -> None:
    folder = project.path / "model"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)) + "\n")
    if beside is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(beside))
    project.set(vocab={"source": {"url": "model/vocab.txt"}, "do_lower_case": parameter})
    main(arguments)
    assert casing(project) == (expected, expected)


def test_a_learned_vocabulary_may_be_cased(project: Project, arguments: list[str]) -> None:
    project.set(vocab={"do_lower_case": False})
    main(arguments)
    pieces = (project.path / "data/vocab.txt").read_text().splitlines()
    assert casing(project) == (False, False) and any(piece[0].isupper() for piece in pieces[5:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": {"url": "given.txt", "sha256": "0" * 64}}, "sha256 .*, expected 0000"),
        ({"source": {"url": "nowhere.txt"}}, "nowhere.txt: no such file"),
        ({"source": {"url": "data"}}, "vocab.source: data is a folder"),
        ({"source": {"url": "params.yaml"}}, r"no \[PAD\] \[UNK\]"),
        ({"size": 10}, r"vocab\.size"),
        ({"sise": 10}, r"vocab\.sise"),
        ({"source": "given.txt"}, r"vocab\.source"),
    ],
)
def test_what_is_no_vocabulary_is_named_and_not_published(
    project: Project, arguments: list[str], changes: dict[str, object], message: str
) -> None:
    project.set(vocab=changes)
    with pytest.raises(StageError, match=message):
        main(arguments)
    assert not (project.path / "data/vocab.txt").exists()
