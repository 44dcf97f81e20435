"""Text that was decoded by the wrong table: whether Windows-1252, which takes any bytes, can have been right."""

from __future__ import annotations

import re
from collections import Counter

# Letters outside ASCII of the languages that are written in Windows-1252 (its main and auxiliary exemplar characters
# in the Unicode CLDR, https://cldr.unicode.org): Afrikaans, Catalan and Occitan, Danish, German, Spanish and Galician,
# Estonian and Finnish, French, Icelandic, Faroese, Italian, Norwegian, Dutch, Portuguese, Swedish.
_ALPHABETS = tuple(
    map(
        frozenset,
        (
            "áâèéêëîïôöûü",
            "àáçèéíïñòóúüªº",
            "åæøáàéèêóòôüöä",
            "äöüßéèà",
            "áéíñóúüçïªº",
            "äåõöüšž",
            "àâæçèéêëîïôœùûüÿñ",
            "áæðéíóöúýþ",
            "áæðíóøúý",
            "àèéìíîòóùúªº",
            "åæøàéèêóòôöäü",
            "áâäéèêëíïóöúü",
            "àáâãçéêíóôõúüòªº",
            "åäöáàéèüæøëç",
        ),
    )
)
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]")
# Never in a word of any of them: what the table lacks, a sign between two letters, a capital behind a small letter.
_MISPLACED = re.compile(
    r"\ufffd"
    r"|(?<=[^\W\d_])[€‰‹›™•“”£§©®¯°²³µ¹×÷](?=[^\W\d_])"
    r"|(?<=[^\W\d_])[¡¢¤¥¦¨¬±¶¸¼-¿†‡‚„ˆ˜]"
    r"|(?<=[a-zß-öø-ÿ])[À-ÖØ-ÞŠŒŽŸ](?=[a-zß-öø-ÿ])"
)
# Where fewer letters than these fit no language, they are a name, a quotation or a slip.
_LEAST, _LEAST_SHARE = 3, 0.005


def is_mojibake(text: str) -> bool:
    """Whether text decoded as Windows-1252 is another encoding's.

    It is where more than 1 in 200 letters, and at least three, are strange: of no use in the one language whose
    alphabet fits best, or where no language has them. Cyrillic, Greek, Hebrew or Chinese text is nearly all strange,
    Czech or Polish text has a strange letter in twenty, an English or French one that quotes others one in 1,000.
    """
    outside = _OUTSIDE_ASCII.findall(text)
    if len(outside) < _LEAST:
        return False
    foreign = Counter(letter for letter in "".join(outside).lower() if letter.isalpha())
    if any(alphabet.issuperset(foreign) for alphabet in _ALPHABETS):
        fit = foreign.total()
    else:
        fit = max(sum(n for letter, n in foreign.items() if letter in alphabet) for alphabet in _ALPHABETS)
    strange = foreign.total() - fit + len(_MISPLACED.findall(text))
    return strange >= _LEAST and strange > _LEAST_SHARE * sum(map(str.isalpha, text))
