"""Sentences -> WordPiece ids, with the way back to the characters.

One vocabulary file (`vocab.txt`, a piece a line, the line number is the id) and tensorflow-text's one-pass tokenizer:
text is case-folded and accents are stripped, unless the vocabulary is cased; words are split at white space,
punctuation and around CJK characters, and each word becomes the longest pieces that the vocabulary knows.

Some habits of tensorflow-text differ from Google's BERT code, on rare text only: case folding is NFKC (a ligature "fi"
becomes two letters, a superscript two becomes 2), control characters part words instead of vanishing, U+FFFD is a
character like others, and a word may have 100 bytes (not 100 characters) before it is [UNK].
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bert.tokens.casing import lower_cases
from bert.tokens.vocabulary import SPECIAL_PIECES, UNK, Vocabulary

Int32Array = npt.NDArray[np.int32]


class WordPieceTokenizer:
    """BERT's tokenizer over one vocabulary file, cased or uncased as the file beside it says (bert/tokens/casing.py).

    Building one imports tensorflow-text (6-10 s and 800 MB in a fresh process), so a Beam DoFn builds it in `setup`.
    A pickled tokenizer is its path and casing: unpickling reads the file again.

        tokenizer = WordPieceTokenizer("data/vocab.txt")
        tokenizer.tokenize(["Hello, world"])       # [array([7592, 1010, 2088], dtype=int32)] with BERT's vocabulary
    """

    def __init__(self, path: str | Path, do_lower_case: bool | None = None) -> None:
        """Read the vocabulary.

        do_lower_case: where it is known already; the file beside the vocabulary is not looked for then.
        """
        self.path = Path(path)
        self.do_lower_case = lower_cases(self.path, "dvc repro vocab") if do_lower_case is None else do_lower_case
        vocabulary = Vocabulary.read(self.path)
        self.vocab: list[str] = list(vocabulary.pieces)
        self.sha256: str = vocabulary.sha256
        id_of = {piece: index for index, piece in enumerate(self.vocab)}
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (id_of[piece] for piece in SPECIAL_PIECES)

        # Here and not above: readers of a Vocabulary, and everything that only mentions the class, stay light.
        import tensorflow as tf
        import tensorflow_text as text

        self._tf: Any = tf
        self._normalizer = text.FastBertNormalizer(lower_case_nfd_strip_accents=self.do_lower_case)
        self._wordpiece = text.FastWordpieceTokenizer(self.vocab, unknown_token=UNK, token_out_type=tf.int32)

    def __reduce__(self) -> tuple[type[WordPieceTokenizer], tuple[Path, bool]]:
        return (type(self), (self.path, self.do_lower_case))

    @property
    def size(self) -> int:
        """Number of pieces."""
        return len(self.vocab)

    def tokenize(self, texts: Sequence[str]) -> list[Int32Array]:
        """The ids of each text, without [CLS] and [SEP], in one call into TensorFlow."""
        if not texts:
            return []
        with self._tf.device("CPU:0"):
            ids = self._wordpiece.tokenize(self._normalizer.normalize(_utf8(texts)))
        return _rows(ids.values.numpy(), ids.row_splits.numpy())

    def tokenize_with_offsets(
        self, texts: Sequence[str]
    ) -> tuple[list[Int32Array], list[Int32Array], list[Int32Array]]:
        """The ids of each text and the characters that each piece was made from: `text[start:end]`, end exclusive.

        Offsets count the characters of the Python string. A piece's span holds the combining marks that were stripped
        from it; pieces made from one character (a fraction, a Hangul syllable) all span that character. Of a cased
        vocabulary nothing is stripped, and a span is its piece.

            tokenize_with_offsets(["un café"])     # ids of un, cafe; starts [0, 3]; ends [2, 7]

        Lone surrogates, which UTF-8 cannot hold, are read as "?".
        """
        if not texts:
            return [], [], []
        encoded = _utf8(texts)
        with self._tf.device("CPU:0"):
            normalized, origins = self._normalizer.normalize_with_offsets(encoded)
            ids, starts, ends = self._wordpiece.tokenize_with_offsets(normalized)
        splits = ids.row_splits.numpy()
        row_of_token = np.repeat(np.arange(len(texts)), np.diff(splits))
        # `origins` says for each normalized byte (and for the end) at which byte of the input it arose. The piece's
        # own first and last byte are asked, not the byte after it: that one may lie in the same expanded character.
        first_origin = origins.row_splits.numpy()[row_of_token]
        origin = origins.values.numpy()
        first_byte = origin[first_origin + starts.values.numpy()]
        last_byte = origin[first_origin + ends.values.numpy() - 1]

        # All texts joined by line feeds, so that a row's end is never the next row's start.
        first_text_byte = _row_starts(encoded)[row_of_token]
        first_text_char = _row_starts(texts)[row_of_token]
        char_of_byte = _char_of_byte(b"\n".join(encoded))
        start = char_of_byte[first_text_byte + first_byte]
        end = char_of_byte[first_text_byte + last_byte] + 1
        if self.do_lower_case:
            end = _after_marks("\n".join(texts) + "\n")[end]
        return (
            _rows(ids.values.numpy(), splits),
            _rows((start - first_text_char).astype(np.int32), splits),
            _rows((end - first_text_char).astype(np.int32), splits),
        )


def _utf8(texts: Sequence[str]) -> list[bytes]:
    # "replace" writes one "?" for a lone surrogate, so characters and bytes still correspond.
    return [text.encode("utf-8", errors="replace") for text in texts]


def _rows(values: npt.NDArray[Any], splits: npt.NDArray[Any]) -> list[Any]:
    """The rows of a ragged array as views: values (T,), splits (N + 1,) -> N arrays."""
    bounds = splits.tolist()
    return [values[start:end] for start, end in pairwise(bounds)]


def _char_of_byte(utf8: bytes) -> npt.NDArray[np.int64]:
    """(bytes,) The index of the character that each byte of UTF-8 text belongs to."""
    is_first_byte = (np.frombuffer(utf8, np.uint8) & 0xC0) != 0x80
    return np.cumsum(is_first_byte) - 1


def _row_starts(texts: Sequence[str] | Sequence[bytes]) -> npt.NDArray[np.int64]:
    """(N,) Where each text starts when all are joined by one-element separators."""
    return np.cumsum([0] + [len(text) + 1 for text in texts[:-1]])


def _after_marks(text: str) -> npt.NDArray[np.int64]:
    r"""(characters,) For each position of `text`, the next one at or after it that holds no combining mark.

    "e\u0301a\n" -> [0, 2, 2, 3]. The last character must be none.
    """
    points = np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), np.uint32)
    position = np.arange(len(points))
    distinct = np.unique(points[points > 0x7F])
    marks = [point for point in distinct.tolist() if unicodedata.category(chr(point)) == "Mn"]
    if not marks:
        return position
    unmarked = np.where(np.isin(points, marks), len(points), position)
    return np.minimum.accumulate(unmarked[::-1])[::-1]
