"""Rewriting rules that turn passive into active and back, where the sentence is simple enough to be sure."""

from __future__ import annotations

import re

import numpy as np

from bert.cloze.english.capitals import Capitals
from bert.cloze.english.words import OBJECT_FORM, PARTICIPLE_OF, PAST_OF, PREPOSITIONS, SUBJECT_FORM, TRANSITIVE_PASTS
from bert.cloze.paraphrases.rules import EMBEDDING, capital, num_words, plural

_TAIL = r"((?: (?:in|on|at|during|after|before|from|until|for|as|with|because|when|while|under|near) .+)?)"
_PASSIVE = re.compile(
    rf"^([^,;:]{{2,60}}?) (?:was|were) ((?:(?:also|later|first|originally|soon|\w+ly) )?)(\w+) "
    rf"by ((?:the |a |an |his |her |its |their |[A-Z])[^,;:]{{2,50}}?|him|her|them|it|us){_TAIL}\.$"
)
_TIMES = re.compile(r"(?:the )?(?:end|time|late|early|middle|beginning|turn|year|means|way|use|fact|mid|\d)")
_OBJECT_WORD = rf"(?!(?:{'|'.join(sorted(PREPOSITIONS))}|and|or|that|who|which|when|while|because)\b)[\w-]+"
_ACTIVE = re.compile(
    rf"^([^,;:]{{2,50}}?) ({'|'.join(sorted(TRANSITIVE_PASTS))}) "
    rf"((?:the|a|an|his|her|its|their)(?: {_OBJECT_WORD}){{1,4}}){_TAIL}\.$"
)
# What stands before a past tense that is no subject, and what ends an object that is none.
_NO_SUBJECT = re.compile(
    r"\b(?:\w+ly|also|later|then|first|soon|never|is|was|are|were|be|been|has|have|had|not|of|in|on|by|for|at|with|from|"
    r"an?|the)$"
)
_NO_OBJECT = re.compile(r"(?:ly|ing|\bas|\bto|\bby|\bout|\bup|\bof)$")


def active(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Passive to active: "It was built by the king in 1905." -> "The king built it in 1905."."""
    match = _PASSIVE.match(sentence)
    if match is None or EMBEDDING.search(match[1]) or EMBEDDING.search(match[4]) or _TIMES.match(match[4]):
        return None
    participle = match[3]
    if not (participle in PAST_OF or participle.endswith("ed")) or num_words(match[4]) > 7:
        return None
    subject = capitals.lower_first(match[1])
    if re.search(r"\b(?:there|this|not|never|who|which)$", subject) or _starts_elsewhere(match[1]):
        return None
    agent, verb = SUBJECT_FORM.get(match[4], match[4]), PAST_OF.get(participle, participle)
    return f"{capital(agent)} {match[2]}{verb} {OBJECT_FORM.get(subject, subject)}{match[5]}."


def passive(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Active to passive: "The king built a house in 1905." -> "A house was built by the king in 1905."."""
    match = _ACTIVE.match(sentence)
    if match is None or EMBEDDING.search(match[1]) or EMBEDDING.search(match[3]) or num_words(match[1]) > 6:
        return None
    if _starts_elsewhere(match[1]) or _NO_SUBJECT.search(match[1]):
        return None
    # A second verb or a relative clause in the tail has the old subject.
    if re.search(r"\b(?:and|which|who)\b", match[4]):
        return None
    # The verb of a longer object ("the man that ...") or a second object ("gave her a book") would be left behind.
    last = match[3].split()[-1]
    if match[2] in ("gave", "taught", "brought", "made", "sold") or _NO_OBJECT.search(last):
        return None
    subject = capitals.lower_first(match[1])
    agent = OBJECT_FORM.get(subject.lower(), subject)
    be = "were" if plural(last) and not re.match(r"an? ", match[3]) else "was"
    return f"{capital(match[3])} {be} {PARTICIPLE_OF.get(match[2], match[2])} by {agent}{match[4]}."


def _starts_elsewhere(subject: str) -> bool:
    """Whether what stands before the verb opens with an adverbial: "In Norland Grey" is no subject."""
    first = subject.split()[0].lower()
    return first in PREPOSITIONS or first in ("when", "then", "there", "here", "if") or first.endswith("ing")
