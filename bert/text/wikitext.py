"""Wikitext -> passages of prose: no tables, references, lists, headings, image captions, templates or tail sections."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator

import mwparserfromhell
from mwparserfromhell import nodes
from mwparserfromhell.wikicode import Wikicode

# Sections after the prose, as the English Wikipedia names them (Manual of Style/Layout, "Order of article elements").
TAIL_SECTIONS = frozenset(
    "see also|notes|notes and references|references|footnotes|citations|sources|bibliography|further reading|"
    "external links|works cited|selected bibliography|gallery|discography|filmography|publications|works".split("|")
)
# Tags whose contents are not prose.
DROPPED_TAGS = frozenset(
    "ref references table gallery math chem timeline imagemap score code pre source syntaxhighlight syntax "
    "div center hiero mapframe graph templatestyles inputbox categorytree section noinclude includeonly".split()
)
LIST_MARKS = frozenset(("*", "#", ":", ";", "----"))
# Marks a line of the output as a list item; a character that XML cannot contain and no entity may name.
_LIST = "\x01"
_BREAK = "\n\n"
_INTERLANGUAGE = re.compile(r"^[a-z]{2,3}(-[a-z-]+)?$|^simple$")
_STYLE = re.compile(r"'{2,5}")
_EMPTY_BRACKETS = re.compile(r"\(\s*(?:[,;:–—-]\s*)*\)|\[\s*\]")
_BRACKET_START = re.compile(r"\(\s*(?:[,;:]\s*)+")
_BRACKET_END = re.compile(r"\s*(?:[,;:]\s*)+\)")
_SPACES = re.compile(r"[ \t\u00a0\u2009\u202f]+")
_SPACE_BEFORE_POINT = re.compile(r" +([,.;:!?)\]])(?!\w)")
_COMMAS = re.compile(r",(?:\s*,)+")
_MAGIC_WORD = re.compile(r"__[A-Z]+__")
# Control characters, halves of surrogate pairs (which UTF-8 cannot hold) and the mark of what could not be decoded.
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd-\uffff]")
_LETTER = re.compile(r"[^\W\d_]")


def _link_text(link: nodes.Wikilink, namespaces: frozenset[str]) -> str:
    """What a reader sees of [[target|text]]; nothing of images, categories and links to other languages."""
    target = _prose(link.title, namespaces).strip()
    if target.startswith(":"):  # [[:Category:Birds]] and [[:fr:Oiseau]] are links that a reader sees
        target = target[1:].strip()
    elif ":" in target:
        prefix = target.partition(":")[0].strip().replace("_", " ")
        # As it is written: [[fr:Oiseau]] leads to another language, [[CSI: Miami]] is an article.
        if prefix.lower() in namespaces or _INTERLANGUAGE.match(prefix):
            return ""
    return _prose(link.text, namespaces) if link.text is not None else target.replace("_", " ")


def _node_text(node: nodes.Node, namespaces: frozenset[str]) -> str:
    if isinstance(node, nodes.Text):
        return str(node.value)
    if isinstance(node, nodes.Wikilink):
        return _link_text(node, namespaces)
    if isinstance(node, nodes.ExternalLink):
        return _prose(node.title, namespaces) if node.title is not None else ("" if node.brackets else str(node.url))
    if isinstance(node, nodes.HTMLEntity):
        return html.unescape(str(node))  # as browsers read them: &#150; is a dash, &#xD83D; no character
    if isinstance(node, nodes.Tag):
        if node.wiki_markup in LIST_MARKS:
            return f"\n{_LIST}"
        name = str(node.tag).strip().lower()
        if name in DROPPED_TAGS:
            return _BREAK if name in ("table", "div", "center") else ""
        if name == "br":
            return " "
        if name in ("li", "dd", "dt", "ul", "ol", "dl"):
            return f"\n{_LIST}"
        inside = _prose(node.contents, namespaces) if node.contents is not None else ""
        return f"{_BREAK}{inside}{_BREAK}" if name in ("p", "blockquote") else inside
    return ""  # templates, arguments, comments


def _prose(code: Wikicode, namespaces: frozenset[str]) -> str:
    return "".join(_node_text(node, namespaces) for node in code.nodes)


def _sections(code: Wikicode, namespaces: frozenset[str], dropped: Counter[str]) -> Iterator[str]:
    """The prose between headings; nothing below the heading of a tail section."""
    current: list[str] = []
    tail_level = 0
    for node in code.nodes:
        if isinstance(node, nodes.Heading):
            if current:
                yield "".join(current)
                current = []
            if tail_level and node.level > tail_level:
                continue
            is_tail = _SPACES.sub(" ", str(node.title).strip().lower()) in TAIL_SECTIONS
            tail_level = node.level if is_tail else 0
            dropped["tail_section"] += is_tail
        elif not tail_level:
            current.append(_node_text(node, namespaces))
    if current:
        yield "".join(current)


def tidy(line: str) -> str:
    """Repair what removed markup leaves in a line: quote marks of styles, empty brackets, doubled commas, spaces."""
    line = _MAGIC_WORD.sub("", _STYLE.sub("", _NO_TEXT.sub("", line)))
    line = _EMPTY_BRACKETS.sub("", line)
    line = _BRACKET_END.sub(")", _BRACKET_START.sub("(", line))
    line = _COMMAS.sub(",", _SPACES.sub(" ", line))
    return _SPACE_BEFORE_POINT.sub(r"\1", line).replace("( ", "(").strip()


def passages(wikitext: str, namespaces: frozenset[str], min_chars: int) -> tuple[list[str], Counter[str]]:
    """Prose passages of a page, and what was dropped, by reason.

    Args:
        wikitext: a page's source.
        namespaces: lower-case names of all namespaces but the main one, localised ones too; links into them vanish.
        min_chars: shorter passages are dropped.

    >>> passages("'''Anne''' ([[Greek language|Greek]]: ) wrote.{{cn}}\\n* a list", frozenset(), 5)[0]
    ['Anne (Greek) wrote.']
    """
    dropped: Counter[str] = Counter()
    code = mwparserfromhell.parse(wikitext, skip_style_tags=True)
    kept = []
    for section in _sections(code, namespaces, dropped):
        for line in section.split("\n"):
            # Tables that the parser could not close show as cells.
            if _LIST in line:
                dropped["list_item"] += 1
                continue
            text = tidy(line)
            if not text:
                continue
            if text.startswith(("|", "!", "{|", "}}", "{{", "[[", "]]")):
                dropped["broken_markup"] += 1
            elif len(text) < min_chars:
                dropped["short_passage"] += 1
            elif not _LETTER.search(text):
                dropped["no_letters"] += 1
            else:
                kept.append(text)
    return kept, dropped
