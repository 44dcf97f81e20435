"""Rewriting rules that move phrases and clauses, or turn a construction round."""

from __future__ import annotations

import re

import numpy as np

from bert.cloze.draws import choose
from bert.cloze.english.capitals import Capitals
from bert.cloze.english.words import MONTHS
from bert.cloze.paraphrases.rules import EMBEDDING, capital, num_words, put

_MONTH = "|".join(MONTHS)
_DATE = rf"(?:(?:{_MONTH}) \d{{1,2}}, \d{{4}}|(?:\d{{1,2}} )?(?:{_MONTH})(?: \d{{1,2}})?(?: \d{{4}})?|\d{{4}}s?)"
_LEADING = re.compile(
    r"^((?!For (?:example|instance))"
    r"(?:In|On|At|During|By|Since|Before|After|Until|From|Throughout|Under|Within|For|Despite|Among|Between) "
    rf"(?:{_DATE}|[^,;:]{{2,60}}?)|[A-Z][a-z]+ly|Later|Today|Soon|Then), ([^,;:]+)\.$"
)
_TRAILING = re.compile(
    rf"^([^,;:]+?) ((?:in|on|by|since|until|before|after) (?:the |early |late |mid-|about )*{_DATE}"
    r"|in the (?:early |late |mid-)?\w+ century|(?:in|at|near) [A-Z]\w+(?: [A-Z]\w+)*"
    r"|(?:during|after|before|throughout|despite|because of|due to|as a result of) "
    r"(?:the |a |an |his |her |its |their )[\w -]{3,40})\.$"
)


def fronted(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Move an adverbial from the front to the end: "In 1905, he left." -> "He left in 1905."."""
    match = _LEADING.match(sentence)
    if match is None or num_words(match[1]) > 9 or num_words(match[2]) < 3:
        return None
    if re.match(r"(?:and|but|or|which|who|where|when)\b", match[2]):
        return None
    return f"{capital(match[2])} {capitals.lower_first(match[1])}."


def trailing(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Move an adverbial from the end to the front: "He left in 1905." -> "In 1905, he left."."""
    match = _TRAILING.match(sentence)
    if match is None or EMBEDDING.search(match[1]) or num_words(match[1]) < 3:
        return None
    # Another adverbial before it may be what it belongs to: "until its fall in 1905".
    if re.search(r"(?i)\b(?:until|before|after|during|since|within|despite|also in)\b", match[1]):
        return None
    return f"{capital(match[2])}, {capitals.lower_first(match[1])}."


_CONJUNCTION = "although|though|while|when|if|because|since|after|before|once|unless|until|as|whereas|as soon as"
_CLAUSE_FIRST = re.compile(rf"^((?i:{_CONJUNCTION}) [^,;:]{{8,}}), ([^,;:]+)\.$")
_CLAUSE_LAST = re.compile(
    r"^([^,;:]{12,}?),? ((?:although|though|while|when|because|after|before|unless|until) "
    r"(?:the|he|she|it|they|a|an|his|her|its|their|there|this|[A-Z]\w+)\b[^,;:]{6,})\.$"
)
_CONTRAST = ("although", "though", "while", "whereas")


def clauses(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Swap main and subordinate clause: "When it rained, they left." <-> "They left when it rained."."""
    match = _CLAUSE_FIRST.match(sentence)
    if match is not None and not re.match(r"(?:and|but|or|which|who|so)\b", match[2]):
        clause = match[1][:1].lower() + match[1][1:]
        return f"{capital(match[2])}{',' if clause.startswith(_CONTRAST) else ''} {clause}."
    match = _CLAUSE_LAST.match(sentence)
    if match is None or EMBEDDING.search(match[1]):
        return None
    return f"{capital(match[2])}, {capitals.lower_first(match[1])}."


_VERB = "is|was|are|were|has|had|have|said|says|will|can|could|would|\\w+ed|became|began|wrote|led|won|made|took|held"
_NAMED = r"((?:[A-Z][\w.'-]+ ?){1,4})"
_APPOSITION = re.compile(rf"^{_NAMED}, ((?:a|an|the|his|her|its) [^,;:]{{3,70}}), ((?:{_VERB}) .+)$")
_APPOSITION_BACK = re.compile(rf"^((?:The|A|An) [a-z][^,;:]{{3,70}}), {_NAMED}, ((?:{_VERB}) .+)$")


def apposition(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Swap a name and what it is: "Anna Grey, a painter, was ..." <-> "A painter, Anna Grey, was ..."."""
    match = _APPOSITION.match(sentence)
    if match is not None:
        return f"{capital(match[2])}, {capitals.lower_first(match[1])}, {match[3]}"
    match = _APPOSITION_BACK.match(sentence)
    return f"{match[2]}, {capitals.lower_first(match[1])}, {match[3]}" if match else None


_SAID = "said|says|stated|states|argued|argues|claimed|claims|believed|believes|reported|announced|suggested|suggests"
_REPORT = re.compile(
    rf"^((?:[\w.'-]+ ){{1,6}}?)(?:has |had |have )?(?:(?:{_SAID}|noted|wrote|showed|found) that|said|says) "
    r"(.{12,})\.$"
)
_OBJECT = {"he": "him", "she": "her", "they": "them", "we": "us", "it": "it"}
_SUBJECT = {"him": "he", "her": "she", "them": "they", "us": "we", "it": "it"}
_CLAUSE_START = re.compile(r"(?:the|he|she|it|they|there|this|these|his|her|its|their|some|most|many|[A-Z]\w+)\b")


def reports(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Who says it: "Grey said that it fell." <-> "According to Grey, it fell." -> "It fell, according to Grey."."""
    match = re.match(r"^According to ([^,;:]{2,60}), (.+)\.$", sentence)
    if match is not None:
        if rng.random() < 0.5:
            return f"{capital(match[2])}, according to {match[1]}."
        who = _SUBJECT.get(match[1], match[1])
        return f"{capital(who)} {'say' if who in ('they', 'we') else 'says'} that {match[2]}."
    match = re.match(r"^([^;:]{12,}), according to ([^,;:]{2,60})\.$", sentence)
    if match is not None:
        return f"According to {match[2]}, {capitals.lower_first(match[1])}."
    match = _REPORT.match(sentence)
    if match is None or EMBEDDING.search(match[1]) or not _CLAUSE_START.match(match[2]):
        return None
    who = capitals.lower_first(match[1].strip())
    if re.search(r"\b(?:be|been|is|was|not|never|also|often|there)$", who) or who in ("it", "this", "I", "one"):
        return None
    return f"According to {_OBJECT.get(who, who)}, {match[2]}."


_HEADS = (
    "capital president king queen son daughter wife husband brother sister father mother death birth life work works "
    "leader head founder government people history population economy army navy forces coast border borders "
    "constitution parliament language culture citizens government ruler emperor governor mayor prime-minister rule "
    "reign influence policy policies theory theories ideas views writings name status role position success "
    "independence invasion conquest defeat fall rise creation foundation author director inhabitants residents"
).split()
_OF = re.compile(
    rf"\b([Tt]he) ({'|'.join(_HEADS)}) of ((?:[A-Z]\w+)(?: [A-Z]\w+)*)(?!['’\w]| (?:of|and|or|[A-Z]|de|von|van)\b)"
)
_NOUN_END = (
    r"(?=[,.]| (?:of|in|on|at|by|for|from|to|was|were|is|are|has|had|and|with|during|after|before|that|which|who|as)\b)"
)
_POSSESSIVE = re.compile(rf"((?:(?<= )|^)[A-Z]\w+(?: [A-Z]\w+)*)['’]s ((?!own|most|first|last)[a-z]{{3,}}){_NOUN_END}")


def genitives(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Whose it is: "the leader of Norland" <-> "Norland's leader"."""
    match = _OF.search(sentence)
    if match is not None:
        owner = match[3] + ("'" if match[3].endswith("s") else "'s")
        return put(sentence, match.start(), match.end(), f"{owner} {match[2]}")
    match = _POSSESSIVE.search(sentence)
    # A first word that is no name: "Today's leader".
    if match is None or (match.start() == 0 and not capitals.is_name(match[1].split()[0])):
        return None
    the = "The" if match.start() == 0 else "the"
    return put(sentence, match.start(), match.end(), f"{the} {match[2]} of {match[1]}")


_WORD = r"[A-Za-z][\w-]+"
_LIST = re.compile(
    rf"(?<![\w-])({_WORD}), ({_WORD})(,? (?:and|or)) ({_WORD})"
    r"(?=[.,;]|$| (?:in|on|of|to|for|were|are|was|is|from|by|at)\b)"
)
_NAME = r"[A-Z][\w-]+(?: (?:of )?[A-Z][\w-]+)*"
_NAME_PAIR = re.compile(rf"(?<![\w'’.-])((?:the )?{_NAME}) (and|or) ((?:the )?{_NAME})(?!['’\w-]| [A-Z])")
_WORD_PAIR = re.compile(
    r"(?:\b(?:of|the|in|for|by|with|to|on|are|were|is|was|between|both|his|its|their|from|as|into)|,) "
    r"([a-z-]{3,}) (and|or) ([a-z-]{3,})"
    r"(?=[.,;]| (?:of|in|on|to|for|by|at|from|were|are|was|is|as|with|that|which|than)\b)"
)


def coordination(sentence: str, capitals: Capitals, rng: np.random.Generator) -> str | None:
    """Swap what "and" or "or" joins: "Norland and Sund" -> "Sund and Norland", "hot and dry" -> "dry and hot"."""
    found = [
        (m.start(1), m.end(), f"{m[2]}, {m[1]}{m[3]} {m[4]}")
        for m in _LIST.finditer(sentence)
        if _same_kind(m[1], m[2])
    ]
    for m in _NAME_PAIR.finditer(sentence):
        # The first word's capital may be the sentence's; after a preposition "and" may join clauses instead.
        first_ok = m.start() > 0 or capitals.is_name(m[1].split()[0])
        first_ok &= not re.search(r"\b[A-Z][\w.'’-]* (?:and )?$", sentence[: m.start()])
        joins = not re.match(r" (?:is|was|has|had|\w+ed|\w+s)\b", sentence[m.end() :]) or m.start() == 0
        if first_ok and joins:
            found.append((m.start(), m.end(), f"{m[3]} {m[2]} {m[1]}"))
    for m in _WORD_PAIR.finditer(sentence):
        if _same_kind(m[1], m[3]):
            found.append((m.start(1), m.end(), f"{m[3]} {m[2]} {m[1]}"))
    if not found:
        return None
    start, end, new = choose(rng, found)
    return put(sentence, start, end, new)


_ENDINGS = ("ing", "ed", "ly", "ion", "al", "ic", "ity", "ism", "ment", "ous", "ist", "ive", "ers", "s", "y", "er")


def _same_kind(first: str, second: str) -> bool:
    """Whether two words look like the same part of speech: both names, or with the same ending."""
    if first[0].isupper() or second[0].isupper():
        return first[0].isupper() and second[0].isupper()
    ending = next((e for e in _ENDINGS if first.endswith(e)), None)
    return ending is not None and ending == next((e for e in _ENDINGS if second.endswith(e)), None)
