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
    return [" ".join(s.split()) for s in segment(language, passage) if s.strip()]
