"""Whether a vocabulary is of lower-cased text: a setting of the model, in `tokenizer_config.json` beside its vocab.txt.

File and key are Hugging Face's. A model folder without the file is lower-cased, as all were before there was one.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json, write_text

TOKENIZER_CONFIG = "tokenizer_config.json"
KEY = "do_lower_case"
# A vocabulary of lower-cased text has none (BERT's 30,522: none); what somebody added to it may have a few.
FEW = 0.01


def lower_cases(vocab: Path, made_by: str) -> bool:
    """What the file beside `vocab` says; true where there is none.

    Raises:
        StageError: the file is none of this project's; names it.
    """
    path = vocab.with_name(TOKENIZER_CONFIG)
    if not path.exists():
        return True
    values = read_json(path, made_by)
    if not isinstance(values, dict) or not isinstance(values.get(KEY), bool):
        raise StageError(f"{path}: expected {KEY}: true or false, got {values!r}", run=made_by)
    return bool(values[KEY])


def write_casing(folder: Path, do_lower_case: bool) -> None:
    """Into the file that `lower_cases` reads."""
    write_text(folder / TOKENIZER_CONFIG, json.dumps({KEY: do_lower_case}, indent=2) + "\n")


def never_made(pieces: Iterable[str]) -> list[str]:
    """The pieces that no lower-cased text without accents is cut into. Those in brackets are not made from text.

    >>> never_made(["[UNK]", "the", "The", "##é"])
    ['The', '##é']
    """
    found = []
    for piece in pieces:
        bare = "".join(c for c in unicodedata.normalize("NFD", piece.lower()) if unicodedata.category(c) != "Mn")
        if bare != piece and not (piece.startswith("[") and piece.endswith("]")):
            found.append(piece)
    return found


def looks_lower_cased(pieces: tuple[str, ...]) -> bool | None:
    """By its pieces; None where they leave it open: some have capitals or accents, and less than one in a hundred."""
    count = len(never_made(pieces))
    if count == 0:
        return True
    return False if count > FEW * len(pieces) else None


def decide(pieces: tuple[str, ...], path: Path, said: bool | None, by: str, parameter: str) -> tuple[bool, str]:
    """Whether text is lower-cased for this vocabulary, and what says so: `by`, or the pieces where `said` is None.

    Args:
        path: of the vocabulary, for messages.
        said: what is known of it.
        by: who said so: the parameter, or a file.
        parameter: what a user can set to decide it.

    Raises:
        StageError: the pieces leave it open, or belie the file; names some of them.
    """
    looks = looks_lower_cased(pieces)
    if said is None and looks is not None:
        return looks, "the pieces"
    if said is None or (said and looks is False and by != parameter):
        odd = never_made(pieces)
        raise StageError(
            f"{path}: {len(odd)} of {len(pieces)} pieces have capitals or accents, such as {' '.join(odd[:3])}, "
            + ("so it is open whether text is to be lower-cased" if said is None else f"but {by} says {KEY}: true"),
            run=f"set {parameter} to true or false in params.yaml, then dvc repro {parameter.split('.')[0]}",
        )
    return said, by
