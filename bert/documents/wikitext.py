"""Wikitext -> passages of prose: no tables, references, lists, headings, image captions, templates or tail sections."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator

from bert.documents.markup import Flattener
from bert.documents.settings import DocumentsSettings
from bert.documents.tidying import tidy

_INTERLANGUAGE = re.compile(r"^[a-z]{2,3}(-[a-z-]+)?$|^simple$")
_QUOTES = re.compile(r"'{2,}")
_MAGIC_WORD = re.compile(r"__[A-Z]+__")
# What is left of a bracket that was never closed, or never opened.
_STRAY_LINK = re.compile(r"\[\[|\]\]")
_STRAY_TEMPLATE = re.compile(r"\{\{|\}\}|^\{\||^[|!]")
_INDENT = re.compile(r":+(?![:*#;])")
_LIST_ITEM = re.compile(r":*[*#;]|----")
_HATNOTE = re.compile(
    r"''+\s*(?:for\b.*\bsee\b|see\b|main article|further information|this (?:article|page|section) is about)", re.I
)
_LETTER = re.compile(r"[^\W\d_]")


def unstyle(line: str) -> str:
    """A line without its marks of italics and bold; a mark that is an apostrophe too (`''Eagle'''s`) leaves one.

    The rules are those of MediaWiki's Parser::doQuotes: four are an apostrophe and bold, of more than five the first
    are apostrophes, and where both italics and bold are odd in number, one bold mark is an apostrophe and italics: the
    first behind a word of one letter, else behind a longer one, else behind a space.
    """
    runs = list(_QUOTES.finditer(line))
    if not runs:
        return line
    lengths = [3 if len(run[0]) == 4 else min(len(run[0]), 5) for run in runs]
    both = lengths.count(5)
    bold = [n for n, length in enumerate(lengths) if length == 3]
    if bold and (len(bold) + both) % 2 and (lengths.count(2) + both) % 2:

        def rank(n: int) -> int:
            at = runs[n].start()
            before = line[max(0, at - 2) : at].rjust(2)
            return 2 if before[1] == " " else 0 if before[0] == " " else 1

        lengths[min(bold, key=rank)] = 2
    pieces, end = [], 0
    for run, length in zip(runs, lengths, strict=True):
        pieces += [line[end : run.start()], "'" * (len(run[0]) - length)]
        end = run.end()
    return "".join((*pieces, line[end:]))


def link_text(target: str, text: str | None, namespaces: frozenset[str]) -> str:
    """What a reader sees of [[target|text]]; nothing of images, categories and links to other languages."""
    target = target.strip()
    if target.startswith(":"):  # [[:Category:Birds]] and [[:fr:Oiseau]] are links that a reader sees
        target = target[1:].strip()
    elif ":" in target:
        prefix = target.partition(":")[0].strip().replace("_", " ")
        # As it is written: [[fr:Oiseau]] leads to another language, [[CSI: Miami]] is an article.
        if prefix.lower() in namespaces or _INTERLANGUAGE.match(prefix):
            return ""
    return text if text is not None else target.replace("_", " ")


def _heading(line: str) -> tuple[int, str] | None:
    """(level, title) of `== title ==`, else None."""
    stripped = line.rstrip()
    if not stripped.startswith("=") or not stripped.endswith("=") or len(stripped) < 3:
        return None
    left, right = len(stripped) - len(stripped.lstrip("=")), len(stripped) - len(stripped.rstrip("="))
    level = min(left, right, 6)
    return level, stripped[level:-level].strip()


def _paragraphs(text: str, tail_sections: frozenset[str], dropped: Counter[str]) -> Iterator[str]:
    """Lines that follow each other are one paragraph, an indented line (mostly a quotation) is one by itself.

    No headings, no list items, no notes that lead to other articles, nothing below the heading of a tail section.
    """
    current: list[str] = []
    tail_level = 0
    for line in (*text.split("\n"), ""):
        heading = _heading(line) if line.startswith("=") else None
        indented = _INDENT.match(line)
        stripped = (line[indented.end() :] if indented else line).strip()
        is_prose = heading is None and not tail_level and stripped and not _LIST_ITEM.match(line)
        if is_prose and _STRAY_TEMPLATE.search(stripped):
            dropped["broken_markup"] += 1
            continue
        if is_prose and not indented:
            current.append(stripped)
            continue
        if current:
            yield " ".join(map(unstyle, current))
            current = []
        if heading is not None:
            level, title = heading
            if not tail_level or level <= tail_level:
                is_tail = " ".join(unstyle(title).lower().split()) in tail_sections
                tail_level = level if is_tail else 0
                dropped["tail_section"] += is_tail
        elif is_prose and _HATNOTE.match(stripped):
            dropped["hatnote"] += 1
        elif is_prose:
            yield unstyle(stripped)
        elif not tail_level and stripped:
            dropped["list_item"] += 1


def passages(wikitext: str, namespaces: frozenset[str], settings: DocumentsSettings) -> tuple[list[str], Counter[str]]:
    """Prose passages of a page, and what was dropped, by reason.

    Args:
        wikitext: a page's source.
        namespaces: lower-case names of all namespaces but the main one, localised ones too; links into them vanish.

    Raises:
        TooComplex: the page exceeds `max_page_nodes` or `max_page_depth`.
    """
    dropped: Counter[str] = Counter()
    flatten = Flattener(
        lambda target, text: link_text(target, text, namespaces), settings.max_page_nodes, settings.max_page_depth
    )
    tail_sections = frozenset(name.lower() for name in settings.tail_sections)
    kept = []
    for paragraph in _paragraphs(flatten(wikitext), tail_sections, dropped):
        plain = _MAGIC_WORD.sub("", _STRAY_LINK.sub("", paragraph))
        # As browsers read entities: &#150; is a dash, &#xD83D; no character. One may name an end of line.
        text = tidy(" ".join(html.unescape(plain).split("\n")))
        if not text:
            continue
        if len(text) < settings.min_passage_chars:
            dropped["short_passage"] += 1
        elif not _LETTER.search(text):
            dropped["no_letters"] += 1
        else:
            kept.append(text)
    return kept, dropped
