"""Wikitext -> passages of prose: no tables, references, lists, headings, image captions, templates or tail sections."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from bert.documents.dumps import Site
from bert.documents.languages import LANGUAGES
from bert.documents.marks import count_holes, holes_behind, read_levels, without_holes
from bert.documents.markup import Flattener
from bert.documents.namespaces import every_file_name, normal
from bert.documents.settings import DocumentsSettings
from bert.documents.tidying import tidy
from bert.documents.variants import variant_of

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
_IN_BRACKETS = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
# An image whose link, or whose gallery, was never closed.
_OPEN_LINK = re.compile(r"\[\[([^\[\]|]+)\|")
_GALLERY_LINE = re.compile(r"([^\[\]|]+)(?:\||$)")
_FILE = re.compile(
    r"([^\[\]{}<>|:]{1,40}):[^\[\]{}<>|:]+\.(?:jpe?g|png|svg|gif|tiff?|webp|xcf|pdf|djvu|og[agv]|opus|flac|wav|midi?|mp3|mp4|"
    r"mpe?g|webm|stl)",
    re.IGNORECASE,
)


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


def _prefix(target: str) -> tuple[str, str]:
    """What stands before the first colon, as `namespaces.normal` gives it, and what behind."""
    prefix, colon, rest = target.partition(":")
    return (normal(prefix), rest) if colon else ("", target)


def _is_file(target: str) -> bool:
    """Whether a target is an image, a sound, ...: a file's name in the namespace of files, in whatever language."""
    found = _FILE.fullmatch(target.strip())
    return found is not None and normal(found[1]) in every_file_name()


def link_text(target: str, text: str | None, site: Site) -> str:
    """What a reader sees of [[target|text]]; nothing of images, categories and links to other languages.

    Args:
        text: what stands behind the bar; None without one. Empty, it is the target without its namespace and without
            what it has in brackets (https://en.wikipedia.org/wiki/Help:Pipe_trick).
    """
    target = (html.unescape(target) if "&" in target else target).strip()
    target = unquote(target) if "%" in target else target
    if target.startswith(":"):  # [[:Category:Birds]] and [[:fr:Oiseau]] are links that a reader sees
        target = target[1:].strip()
    elif ":" in target:
        prefix, rest = _prefix(target)
        if prefix and prefix == site.language:  # a link to this wiki itself
            prefix, rest = _prefix(rest)
        elif prefix in LANGUAGES:
            return ""
        if prefix in site.without_text or _is_file(target):
            return ""
    if text is None:
        return target.replace("_", " ")
    if text.strip():
        return text
    name = target.rpartition(":")[2]
    short = _IN_BRACKETS.sub("", name)
    return (short if short != name else name.partition(", ")[0]).replace("_", " ").strip()


def _heading(line: str) -> tuple[int, str] | None:
    """(level, title) of `== title ==`, else None."""
    stripped = line.rstrip()
    if not stripped.startswith("=") or not stripped.endswith("=") or len(stripped) < 3:
        return None
    left, right = len(stripped) - len(stripped.lstrip("=")), len(stripped) - len(stripped.rstrip("="))
    level = min(left, right, 6)
    return level, stripped[level:-level].strip()


def _names_file(line: str, site: Site) -> bool:
    """Whether a line has a link to an image that was never closed, or is a gallery's."""
    if any(_prefix(target)[0] in site.without_text or _is_file(target) for target in _OPEN_LINK.findall(line)):
        return True
    found = _GALLERY_LINE.match(line)
    return found is not None and (_is_file(found[1]) or (_is_file(f"File:{found[1].strip()}") and "|" in line))


def _paragraphs(
    text: str, tail_sections: frozenset[str], site: Site, dropped: Counter[str], templates: Counter[str]
) -> Iterator[str]:
    """Lines that follow each other are one paragraph, an indented line (mostly a quotation) is one by itself.

    No headings, no list items, no notes that lead to other articles, nothing below the heading of a tail section.
    Templates that have a line for themselves are counted as `block:<name>`.
    """
    current: list[str] = []
    tail_level = 0
    for line in (*map(holes_behind, text.split("\n")), ""):
        bare = without_holes(line)
        if not bare.strip() or bare.startswith("="):
            if not tail_level:
                count_holes(line, "block", templates)
            line = bare
        heading = _heading(line) if line.startswith("=") else None
        indented = _INDENT.match(line)
        stripped = (line[indented.end() :] if indented else line).strip()
        is_prose = heading is None and not tail_level and stripped and not _LIST_ITEM.match(line)
        if is_prose and (_STRAY_TEMPLATE.search(stripped) or _names_file(line, site)):
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


def passages(wikitext: str, site: Site, settings: DocumentsSettings) -> tuple[list[str], Counter[str], Counter[str]]:
    """Prose passages of a page; what was dropped, by reason; and templates that are not known.

    Of these, `inline:<name>` counts those in a passage, `block:<name>` those that have a line for themselves, and
    `words:<name>` the words of their arguments without a name.

    Raises:
        TooComplex: the page exceeds `max_page_nodes` or `max_page_depth`.
    """
    dropped: Counter[str] = Counter()
    templates: Counter[str] = Counter()
    flatten = Flattener(
        lambda target, text: link_text(target, text, site),
        variant_of(site.language, settings.language_variant),
        settings.max_page_nodes,
        settings.max_page_depth,
    )
    tail_sections = frozenset(name.lower() for name in settings.tail_sections)
    kept = []
    for paragraph in _paragraphs(read_levels(flatten(wikitext)), tail_sections, site, dropped, templates):
        plain = _MAGIC_WORD.sub("", _STRAY_LINK.sub("", without_holes(paragraph)))
        # As browsers read entities: &#150; is a dash, &#xD83D; no character. One may name an end of line.
        text = tidy(" ".join(html.unescape(plain).split("\n")))
        if not text:
            continue
        if len(text) < settings.min_passage_chars:
            dropped["short_passage"] += 1
        elif not _LETTER.search(text):
            dropped["no_letters"] += 1
        else:
            count_holes(paragraph, "inline", templates)
            kept.append(text)
    return kept, dropped, templates
