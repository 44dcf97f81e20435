"""Language variants: the words of `-{zh-hans:计算机;zh-hant:電腦}-` that a reader of one variant sees.

Wikis in languages of two scripts write both and show one (https://www.mediawiki.org/wiki/Writing_systems/Syntax). What
MediaWiki converts character by character, without such marks, stays as it was written.
"""

from __future__ import annotations

import re

# Variant -> those that stand in for it, best first: MediaWiki's includes/language/converters/*.php. What a language's
# own code stands for comes first in its line.
_FALLBACKS: dict[str, tuple[str, ...]] = {
    "zh": ("zh-hans", "zh-cn", "zh-sg", "zh-my", "zh-hant", "zh-tw", "zh-hk", "zh-mo"),
    "zh-hans": ("zh-cn", "zh-sg", "zh-my"),
    "zh-hant": ("zh-tw", "zh-hk", "zh-mo"),
    "zh-cn": ("zh-hans", "zh-sg", "zh-my"),
    "zh-sg": ("zh-my", "zh-hans", "zh-cn"),
    "zh-my": ("zh-sg", "zh-hans", "zh-cn"),
    "zh-tw": ("zh-hant", "zh-hk", "zh-mo"),
    "zh-hk": ("zh-mo", "zh-hant", "zh-tw"),
    "zh-mo": ("zh-hk", "zh-hant", "zh-tw"),
    "gan": ("gan-hant", "gan-hans"),
    "gan-hans": (),
    "gan-hant": (),
    "wuu": ("wuu-hans", "wuu-hant"),
    "wuu-hans": (),
    "wuu-hant": (),
    "sr": ("sr-ec", "sr-el"),
    "sr-ec": ("sr-cyrl",),
    "sr-el": ("sr-latn",),
    "sr-cyrl": ("sr-ec",),
    "sr-latn": ("sr-el",),
    "sh": ("sh-latn", "sh-cyrl"),
    "sh-latn": (),
    "sh-cyrl": (),
    "kk": ("kk-cyrl", "kk-kz", "kk-latn", "kk-tr", "kk-arab", "kk-cn"),
    "kk-cyrl": ("kk-kz",),
    "kk-latn": ("kk-tr",),
    "kk-arab": ("kk-cn",),
    "kk-kz": ("kk-cyrl",),
    "kk-tr": ("kk-latn",),
    "kk-cn": ("kk-arab",),
    "ku": ("ku-latn", "ku-arab"),
    "ku-latn": (),
    "ku-arab": (),
    "uz": ("uz-latn", "uz-cyrl"),
    "uz-latn": (),
    "uz-cyrl": (),
    "tg": ("tg-cyrl", "tg-latn"),
    "tg-cyrl": (),
    "tg-latn": (),
    "tly": ("tly-latn", "tly-cyrl"),
    "tly-latn": (),
    "tly-cyrl": (),
    "crh": ("crh-latn", "crh-cyrl"),
    "crh-latn": (),
    "crh-cyrl": (),
    "iu": ("ike-cans", "ike-latn"),
    "ike-cans": (),
    "ike-latn": (),
    "shi": ("shi-latn", "shi-tfng"),
    "shi-latn": (),
    "shi-tfng": (),
    "zgh": ("zgh-tfng", "zgh-latn"),
    "zgh-tfng": (),
    "zgh-latn": (),
    "mni": ("mni-mtei", "mni-beng"),
    "mni-mtei": (),
    "mni-beng": (),
    "ban": ("ban-latn", "ban-bali", "ban-x-dharma", "ban-x-palmleaf", "ban-x-pku"),
    "ban-latn": (),
    "ban-bali": (),
    "ban-x-dharma": (),
    "ban-x-palmleaf": (),
    "ban-x-pku": (),
}
VARIANTS = tuple(sorted(_FALLBACKS))
"""Codes that a rule may name: languages that have variants, and these variants."""

# Title, hidden, remove, describe and name of a variant: nothing of it stands in the text.
_SILENT = frozenset("THD-N")
_RULE = re.compile(r"\s*([a-z]{2,3}(?:-[a-z]+)*)\s*:", re.IGNORECASE)


def variant_of(language: str, wanted: str | None) -> str | None:
    """The variant to read a wiki in.

    Args:
        language: the wiki's, as a dump's `xml:lang` has it: `zh`, also `zh-hans`.
        wanted: a parameter's value; one of another language than the wiki's does not matter to it.

    Returns:
        One of VARIANTS: `wanted`, else the language's own code; None where the language has no variants.
    """
    code = language.lower()
    base = next((name for name in (code, code.partition("-")[0]) if name in _FALLBACKS), None)
    if base is None:
        return None
    own = {base, *_FALLBACKS[base], *_FALLBACKS.get(base.partition("-")[0], ())}
    return wanted if wanted in own else base


def words_of(parts: list[str], variant: str) -> str:
    """What a reader of a variant sees of `-{parts[0]|parts[1]|...}-`.

    Without a rule for the variant, those that stand in for it are looked for, then the first rule is taken.

    >>> words_of(["zh-hans:计算机;zh-hant:電腦;"], "zh-tw")
    '電腦'
    >>> words_of(["T", "zh-hans:计算机;zh-hant:電腦"], "zh"), words_of(["R", "台灣"], "zh")
    ('', '台灣')
    """
    rules = "|".join(parts)
    if len(parts) > 1:  # what stands before the first bar is flags, known or not
        flags, rules = {flag.strip() for flag in parts[0].split(";")}, "|".join(parts[1:])
        if "R" in flags:
            return rules
        if flags & _SILENT:
            return ""
    words = _words_by_variant(rules)
    if not words:
        return rules
    for code in (variant, *_FALLBACKS.get(variant, ()), *_FALLBACKS.get(variant.partition("-")[0], ())):
        if code in words:
            return words[code]
    return next(iter(words.values()))


def _words_by_variant(rules: str) -> dict[str, str]:
    """Of `zh-hans:A;zh-hant:B`, and of one-way rules `C=>zh-hans:A;`; nothing where these are no rules.

    A semicolon that no variant follows belongs to the words, as that of an entity does.
    """
    pieces: list[str] = []
    for piece in rules.split(";"):
        rule = piece.partition("=>")[2] if "=>" in piece else piece
        found = _RULE.match(rule)
        if found and found[1].lower() in _FALLBACKS:
            pieces.append(rule)
        elif not pieces:
            return {}
        else:
            pieces[-1] += f";{piece}"
    words: dict[str, str] = {}
    for piece in pieces:
        code, _, text = piece.partition(":")
        words.setdefault(code.strip().lower(), text.rstrip("; \n").strip())
    return words
