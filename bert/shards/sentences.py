"""A passage -> its sentences."""

from __future__ import annotations

from sentencex import segment


def split_sentences(passage: str, language: str) -> list[str]:
    """Sentences of one passage, stripped, none empty.

    Args:
        passage: prose without line breaks.
        language: ISO 639 code, for abbreviations ("en").

    >>> split_sentences("Dr. Grey wrote it. J. R. R. did not.", "en")
    ['Dr. Grey wrote it.', 'J. R. R. did not.']
    """
    # Spaces first: a wider one before a full stop (U+2009, U+3000) makes the segmenter panic inside that character.
    # A plain space is the only one that is printable, so most passages need no more than two looks.
    if not passage.isprintable() or "  " in passage:
        passage = " ".join(passage.split())
    return [stripped for sentence in segment(language, passage) if (stripped := sentence.strip())]
