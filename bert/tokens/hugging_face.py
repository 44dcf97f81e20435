"""What the files beside somebody's vocab.txt say of its tokenizer: Hugging Face's names and keys.

tokenizer_config.json, tokenizer.json, special_tokens_map.json and added_tokens.json, each of which may be missing. Only
the casing is a setting here; what else would cut text into other pieces than this project's tokenizer is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json
from bert.tokens.casing import KEY, TOKENIZER_CONFIG
from bert.tokens.vocabulary import CLS, MASK, PAD, SEP, SPECIAL_PIECES, UNK, Vocabulary

SPECIAL_KEYS = {"pad_token": PAD, "unk_token": UNK, "cls_token": CLS, "sep_token": SEP, "mask_token": MASK}
TOKENIZERS = ("BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend")
# Of BertJapaneseTokenizer: words by a morphological analyser, or one character a piece.
WORD_TOKENIZERS = {"word_tokenizer_type": ("basic",), "subword_tokenizer_type": ("wordpiece",)}


def _objects(path: Path, made_by: str) -> dict[str, Any]:
    """The JSON object in a file, {} where there is none."""
    if not path.exists():
        return {}
    values = read_json(path, made_by)
    if not isinstance(values, dict):
        raise StageError(f"{path}: expected a JSON object, got {type(values).__name__}", run=made_by)
    return values


def _text(token: Any) -> Any:
    """A special token as it is written: alone, or as an object with its `content`."""
    return token.get("content") if isinstance(token, dict) else token


def _added(values: Any) -> Iterator[tuple[str, int]]:
    """(token, id) of `added_tokens_decoder`, of tokenizer.json's list, or of added_tokens.json."""
    if isinstance(values, list):
        yield from ((token["content"], int(token["id"])) for token in values)
        return
    for key, value in values.items():
        yield (value["content"], int(key)) if isinstance(value, dict) else (key, int(value))


def casing_beside(vocab: Path, vocabulary: Vocabulary, made_by: str) -> tuple[bool | None, str]:
    """Whether text is lower-cased, by the files beside `vocab`, and which of them says so; (None, "") if none does.

    made_by: the command of whoever wants the tokenizer, for messages.

    Raises:
        StageError: the files contradict each other, or describe a tokenizer that this project has not; names the key.
    """

    def refuse(path: Path, key: str, value: Any, known: str) -> StageError:
        shown = json.dumps(value, ensure_ascii=False)
        return StageError(
            f"{path}: {key} is {shown}: text is cut otherwise then; this project's tokenizer has {known}", run=made_by
        )

    config_path, fast_path = vocab.with_name(TOKENIZER_CONFIG), vocab.with_name("tokenizer.json")
    config, fast = _objects(config_path, made_by), _objects(fast_path, made_by)
    said: dict[str, bool] = {}

    def look(path: Path, values: dict[str, Any], lower: str, chinese: str) -> None:
        if (value := values.get(lower)) is not None:
            if not isinstance(value, bool):
                raise refuse(path, lower, value, "true or false")
            said[path.name] = value
        if values.get(chinese) is False:
            raise refuse(path, chinese, False, "true")
        # null: as the lower-casing is; otherwise the two would have to be told apart.
        strip, lowered = values.get("strip_accents"), said.get(path.name, True)
        if strip is not None and strip != lowered:
            raise refuse(path, "strip_accents", strip, f"{json.dumps(lowered)}, as {lower} is")

    look(config_path, config, KEY, "tokenize_chinese_chars")
    kind = str(config.get("tokenizer_class", TOKENIZERS[0]))
    if kind not in TOKENIZERS:
        raise refuse(config_path, "tokenizer_class", kind, " or ".join(TOKENIZERS[:2]))
    if config.get("do_basic_tokenize") is False:
        raise refuse(config_path, "do_basic_tokenize", False, "true")
    for key, known in WORD_TOKENIZERS.items():
        if config.get(key, known[0]) not in known:
            raise refuse(config_path, key, config[key], known[0])
    normalizer = fast.get("normalizer") or {}
    if normalizer:
        if normalizer.get("type") != "BertNormalizer":
            raise refuse(fast_path, "normalizer.type", normalizer.get("type"), "BertNormalizer")
        look(fast_path, normalizer, "lowercase", "handle_chinese_chars")
    elif fast:
        raise refuse(fast_path, "normalizer", None, "BertNormalizer")
    _check_special(vocab, config, refuse, made_by)
    _check_added(vocab, vocabulary, config, fast, made_by)
    if len(set(said.values())) > 1:
        raise StageError(
            f"{vocab.parent}: {TOKENIZER_CONFIG} has {KEY}: {json.dumps(said[TOKENIZER_CONFIG])}, tokenizer.json has "
            f"lowercase: {json.dumps(said['tokenizer.json'])}: expected the same",
            run=f"correct one of them, then {made_by}",
        )
    return next(((value, name) for name, value in said.items()), (None, ""))


def _check_special(
    vocab: Path,
    config: dict[str, Any],
    refuse: Callable[[Path, str, Any, str], StageError],
    made_by: str,
) -> None:
    """[PAD] and the others are called so."""
    map_path = vocab.with_name("special_tokens_map.json")
    for path, values in ((vocab.with_name(TOKENIZER_CONFIG), config), (map_path, _objects(map_path, made_by))):
        for key, ours in SPECIAL_KEYS.items():
            if values.get(key) is not None and _text(values[key]) != ours:
                raise refuse(path, key, _text(values[key]), ours)
        more = [_text(token) for token in values.get("additional_special_tokens") or []]
        if others := [token for token in more if token not in SPECIAL_PIECES]:
            raise refuse(path, "additional_special_tokens", others, " ".join(SPECIAL_PIECES))


def _check_added(
    vocab: Path, vocabulary: Vocabulary, config: dict[str, Any], fast: dict[str, Any], made_by: str
) -> None:
    """Tokens that are added to the vocabulary are found in text before it is cut into words: none here are."""
    path = vocab.with_name("added_tokens.json")
    lists = {
        path: _objects(path, made_by),
        vocab.with_name(TOKENIZER_CONFIG): config.get("added_tokens_decoder") or {},
        vocab.with_name("tokenizer.json"): fast.get("added_tokens") or [],
    }
    for path, values in lists.items():
        try:
            added = list(_added(values))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise StageError(f"{path}: expected added tokens with their ids, got {values!r}", run=made_by) from None
        for token, number in added:
            there = vocabulary.pieces[number] if 0 <= number < len(vocabulary.pieces) else None
            if token == there and (token in SPECIAL_PIECES or token.startswith("[unused")):
                continue
            where = f"{there!r} there" if there is not None else f"{len(vocabulary.pieces)} pieces"
            raise StageError(
                f"{path}: adds the token {token!r} with id {number} to {vocab.name}, which has {where}: this project's "
                "tokenizer knows the pieces of vocab.txt alone",
                run=f"use a checkpoint without added tokens, or leave {path.name} away, then {made_by}",
            )
