"""bert/tokens/tokenizer.py: ids, and the characters that they come from, with a vocabulary made here."""

from __future__ import annotations

import hashlib
import pickle
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert.pipeline.errors import StageError
from bert.tokens.casing import write_casing
from bert.tokens.tokenizer import WordPieceTokenizer
from bert.tokens.vocabulary import SPECIAL_PIECES, Vocabulary

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789αωжя日本語か人ᄒᄀ각ᅡᆨᆫ⁄"
WORDS = ["un", "##aff", "##able", "cafe", "hello", "world", "strasse", "##s", "fi", "##ne"]
PIECES = [*SPECIAL_PIECES, *WORDS, *".,!?'-$%", *LETTERS, *("##" + letter for letter in LETTERS if letter != "s")]


@pytest.fixture(scope="module")
def vocab_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tokenizer(vocab_path: Path) -> WordPieceTokenizer:
    return WordPieceTokenizer(vocab_path)


def spans(tokenizer: WordPieceTokenizer, text: str) -> list[tuple[str, str]]:
    """(piece, the characters it was made from) of one text."""
    (ids,), (starts,), (ends,) = tokenizer.tokenize_with_offsets([text])
    return [(tokenizer.vocab[i], text[start:end]) for i, start, end in zip(ids, starts, ends, strict=True)]


def normal_form(text: str) -> str:
    """What the tokenizer makes of a text before it looks for pieces: folded, decomposed, without marks."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in unicodedata.normalize("NFD", folded) if unicodedata.category(c) not in ("Mn", "Cf"))


def test_ids_are_line_numbers_and_words_become_the_longest_pieces(tokenizer: WordPieceTokenizer) -> None:
    (ids,) = tokenizer.tokenize(["Unaffable, HELLO!"])
    assert [tokenizer.vocab[i] for i in ids] == ["un", "##aff", "##able", ",", "hello", "!"]
    assert ids.dtype == np.int32
    assert ids.tolist() == [PIECES.index(p) for p in ["un", "##aff", "##able", ",", "hello", "!"]]


def test_special_pieces_have_their_ids_and_never_arise_from_text(tokenizer: WordPieceTokenizer) -> None:
    names = ("pad", "unk", "cls", "sep", "mask")
    assert [getattr(tokenizer, f"{name}_id") for name in names] == [0, 1, 2, 3, 4]
    (ids,) = tokenizer.tokenize(["[MASK] [CLS] [PAD]"])
    assert not {tokenizer.mask_id, tokenizer.cls_id, tokenizer.pad_id} & set(ids.tolist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("un Café!", [("un", "un"), ("cafe", "Café"), ("!", "!")]),
        ("cafe\u0301 un", [("cafe", "cafe\u0301"), ("un", "un")]),
        ("日本 un", [("日", "日"), ("本", "本"), ("un", "un")]),
        ("😀 un", [("[UNK]", "😀"), ("un", "un")]),
        ("ﬁne", [("fi", "ﬁ"), ("##ne", "ne")]),
        ("1½", [("1", "1"), ("##1", "½"), ("##⁄", "½"), ("##2", "½")]),
        ("Straße", [("strasse", "Straße")]),
        ("\u200bun\u200b hello", [("un", "un"), ("hello", "hello")]),
        ("\u0301un", [("un", "un")]),
        ("가 un", [("ᄀ", "가"), ("##ᅡ", "가"), ("un", "un")]),
        ("un\x00 hello", [("un", "un"), ("hello", "hello")]),
        ("un\ud800!", [("un", "un"), ("?", "\ud800"), ("!", "!")]),
    ],
)
def test_spans_are_characters_of_the_original(
    tokenizer: WordPieceTokenizer, text: str, expected: list[tuple[str, str]]
) -> None:
    assert spans(tokenizer, text) == expected


def test_a_mark_that_opens_a_text_does_not_lengthen_the_text_before(tokenizer: WordPieceTokenizer) -> None:
    _, _, ends = tokenizer.tokenize_with_offsets(["un", "\u0301un", "", "\u0301"])
    assert [e.tolist() for e in ends] == [[2], [3], [], []]


# Every kind of character that moves offsets: 1 to 4 bytes, precomposed, marks, expansions, invisible, white, surrogate.
AWKWARD = (
    "aunéñÅ\u0301\u0302ßﬁ½²ΩωЖ日本か\u3099가각😀👩\u200d\u200b\ufeff \t\n.,!'İ\u0e31\x00\x01\ufffd\u2028\u00a0\ud800"
)
awkward_texts = st.lists(st.text(st.sampled_from(AWKWARD), max_size=12), max_size=5)


@settings(max_examples=150, deadline=None)
@given(texts=awkward_texts)
def test_each_span_holds_its_piece_and_tokens_lose_no_visible_character(
    tokenizer: WordPieceTokenizer, texts: list[str]
) -> None:
    ids, starts, ends = tokenizer.tokenize_with_offsets(texts)
    assert [i.tolist() for i in ids] == [i.tolist() for i in tokenizer.tokenize(texts)]
    for text, row, start, end in zip(texts, ids, starts, ends, strict=True):
        text = text.replace("\ud800", "?")
        covered: set[int] = set()
        for piece_id, a, b in zip(row.tolist(), start.tolist(), end.tolist(), strict=True):
            assert 0 <= a < b <= len(text)
            piece = tokenizer.vocab[piece_id].removeprefix("##")
            assert piece == "[UNK]" or piece in normal_form(text[a:b])
            covered |= set(range(a, b))
        assert (np.diff(start) >= 0).all()
        for index, character in enumerate(text):
            invisible = unicodedata.category(character) in ("Cc", "Cf", "Mn", "Zs", "Zl")
            assert index in covered or invisible, (index, character)


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.sampled_from("aun hello wrd.,日本é"), max_size=20))
def test_spans_without_expansions_are_exactly_the_piece(tokenizer: WordPieceTokenizer, text: str) -> None:
    for piece, characters in spans(tokenizer, text):
        assert piece == "[UNK]" or piece.removeprefix("##") == normal_form(characters)


def test_an_empty_batch_and_empty_texts_have_no_tokens(tokenizer: WordPieceTokenizer) -> None:
    assert tokenizer.tokenize([]) == []
    assert tokenizer.tokenize_with_offsets([]) == ([], [], [])
    assert [row.tolist() for row in tokenizer.tokenize(["", " "])] == [[], []]
    assert [row.tolist() for row in tokenizer.tokenize_with_offsets([""])[2]] == [[]]


def test_a_pickled_tokenizer_is_the_same_tokenizer(tokenizer: WordPieceTokenizer, vocab_path: Path) -> None:
    twin = pickle.loads(pickle.dumps(tokenizer))
    assert (twin.vocab, twin.sha256, twin.size) == (tokenizer.vocab, tokenizer.sha256, len(PIECES))
    assert tokenizer.sha256 == hashlib.sha256(vocab_path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"[PAD]\n[UNK]\n[SEP]\na\n", r"4 pieces, but no \[CLS\] \[MASK\]"),
        (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\na\n", "'a' stands on line 6 and on line 8"),
        (b"[PAD]\n[UNK]\n\n[CLS]\n", "line 3 is blank"),
        (b"[PAD]\n\xff\n", "expected UTF-8"),
    ],
)
def test_a_bad_vocabulary_names_its_file_and_fault(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(StageError, match=message) as caught:
        Vocabulary.read(path)
    assert str(path) in str(caught.value) and caught.value.run == "dvc repro vocab"


def test_a_missing_vocabulary_is_a_stage_error(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no such vocabulary file"):
        WordPieceTokenizer(tmp_path / "vocab.txt")


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*SPECIAL_PIECES, "\u0085"]).encode())
    assert Vocabulary.read(path).pieces == (*SPECIAL_PIECES, "\u0085")


# What Google's BasicTokenizer(do_lower_case=False) and WordpieceTokenizer make of text, by hand.
CASED_WORDS = ["Café", "caf", "##e", "##é", "##\u0301", "U", "##S", "us", "Paris", "paris", "ﬁ", "½", ".", "日"]
CASED = [*SPECIAL_PIECES, *CASED_WORDS]


@pytest.fixture(scope="module")
def cased(tmp_path_factory: pytest.TempPathFactory) -> WordPieceTokenizer:
    path = tmp_path_factory.mktemp("cased") / "vocab.txt"
    path.write_text("\n".join(CASED) + "\n", encoding="utf-8")
    write_casing(path.parent, False)
    return WordPieceTokenizer(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Paris paris", [("Paris", "Paris"), ("paris", "paris")]),
        ("US us", [("U", "U"), ("##S", "S"), ("us", "us")]),
        ("PARIS", [("[UNK]", "PARIS")]),
        ("Café.", [("Café", "Café"), (".", ".")]),
        ("café", [("caf", "caf"), ("##é", "é")]),
        # A composed letter and one with a mark behind it are different letters: nothing is decomposed or stripped.
        ("cafe\u0301", [("caf", "caf"), ("##e", "e"), ("##\u0301", "\u0301")]),
        ("ﬁ ½", [("ﬁ", "ﬁ"), ("½", "½")]),
        ("Paris日us", [("Paris", "Paris"), ("日", "日"), ("us", "us")]),
        ("us\u3000Paris\u00a0us\tParis", [("us", "us"), ("Paris", "Paris")] * 2),
        ("\u200bParis\x00 us", [("Paris", "Paris"), ("us", "us")]),
        ("😀 Paris", [("[UNK]", "😀"), ("Paris", "Paris")]),
    ],
)
def test_a_cased_vocabulary_keeps_capitals_and_accents(
    cased: WordPieceTokenizer, text: str, expected: list[tuple[str, str]]
) -> None:
    assert not cased.do_lower_case
    assert spans(cased, text) == expected
    assert cased.tokenize([text])[0].tolist() == [CASED.index(piece) for piece, _ in expected]


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(st.text(st.sampled_from(AWKWARD + "PSUé"), max_size=12), max_size=5))
def test_a_span_of_a_cased_text_is_its_piece(cased: WordPieceTokenizer, texts: list[str]) -> None:
    ids, starts, ends = cased.tokenize_with_offsets(texts)
    assert [i.tolist() for i in ids] == [i.tolist() for i in cased.tokenize(texts)]
    for text, row, start, end in zip(texts, ids, starts, ends, strict=True):
        for piece_id, a, b in zip(row.tolist(), start.tolist(), end.tolist(), strict=True):
            assert cased.vocab[piece_id] in ("[UNK]", text[a:b], "##" + text[a:b]) and a < b
        assert (end[:-1] <= start[1:]).all()


def test_a_pickled_tokenizer_keeps_its_casing(cased: WordPieceTokenizer) -> None:
    twin = pickle.loads(pickle.dumps(cased))
    assert spans(twin, "US") == [("U", "U"), ("##S", "S")]
    told = WordPieceTokenizer(cased.path, do_lower_case=True)
    assert spans(told, "Paris") == spans(pickle.loads(pickle.dumps(told)), "Paris") == [("paris", "Paris")]
