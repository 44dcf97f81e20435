"""Wikitext -> plain lines: one pass with one stack, linear in the page whatever it holds.

A closing mark ends the nearest opening one of its kind; what was opened in between and never closed is text, as
MediaWiki shows it. Contents of `<ref>`, `<math>` and the like are skipped whole, as MediaWiki does, so that a bracket
in a reference cannot close one outside it. Of comments, templates (but for those that carry words), tables, images,
categories and boxes nothing is left. The order of precedence is that of MediaWiki's preprocessor
(https://www.mediawiki.org/wiki/Preprocessor_ABNF).

Written here since the parser libraries try all readings of what is never closed: mwparserfromhell 0.7 takes four times
as long for twice as many open braces, 4 s for 16 KB of them, so that one page of 2 MB would hold up a stage for hours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bert.documents.marks import HOLE, LEVEL, LOWERED, RAISED
from bert.documents.templates import expand
from bert.documents.variants import words_of

# Between two paragraphs.
BREAK = "\n\n"
# Tags whose contents are no markup, and no prose either but for <nowiki>.
RAW_TAGS = frozenset(
    "nowiki ref references gallery math chem ce timeline imagemap score code pre source syntaxhighlight hiero mapframe "
    "maplink graph templatestyles inputbox categorytree includeonly indicator section".split()
)
# Tags whose contents are markup that makes no prose: tables, boxes, notices.
BOX_TAGS = frozenset(("table", "div", "center"))
_BLOCK_TAGS = frozenset("p blockquote poem hr tr td th caption h1 h2 h3 h4 h5 h6".split())
_ITEM_TAGS = frozenset(("li", "dd", "dt"))
_LIST_TAGS = frozenset(("ul", "ol", "dl"))
_INLINE_TAGS = frozenset(
    "a abbr b bdi bdo big cite data del dfn em font i ins kbd mark noinclude onlyinclude q rb rp rt rtc ruby s samp "
    "small span strike strong sub sup time tt u var wbr tbody thead tfoot colgroup col".split()
)
# What an external link may begin with: MediaWiki's $wgUrlProtocols.
_SLASHES = r"(?:(?:ftps?|git|gopher|https?|ircs?|mms|nntp|redis|sftp|ssh|svn|telnet|worldwind):)?//"
_SCHEME = rf"(?:{_SLASHES}|(?:bitcoin|geo|magnet|mailto|matrix|news|sips?|sms|tel|urn|xmpp):)"
_EXTERNAL = re.compile(rf"(?i:\s*(?:{_SLASHES}|mailto:)[^\s\[\]])")
# MediaWiki's EXT_LINK_URL_CLASS; italics and tags have become `<` before it looks.
_URL = re.compile(
    rf"(?:(?i:{_SLASHES})\[[0-9a-fA-F:.]+\])?(?:{HOLE.pattern}|(?!''|&(?:lt|gt|nbsp);)[^\s\[\]<>\"\x04])*"
)
_ADDRESS = re.compile(rf"(?i:{_SLASHES})\[[0-9a-fA-F:.]+")
_TOKENS = rf"""
    (?P<tag> <(?:!--|/?[a-zA-Z][^<>]*>))
  | (?P<bar> \|)
  | (?P<open> \{{\{{+)
  | (?P<close> \}}\}}+)
  | (?P<link> \[\[(?!\[))
  | (?P<end> \]+)
  | (?P<url> \[(?=(?i:{_SCHEME})(?:[^\s\[\]]|\[[0-9a-fA-F:.]+\])))
  | (?P<table> \n[ \t:;*\#]*\{{\|)
  | (?P<endtable> \n[ \t]*\|\}}(?!\}}))
"""
_TOKEN = re.compile(_TOKENS, re.VERBOSE)
# On wikis with language variants. -{{x}} is a hyphen and a template.
_TOKEN_OR_VARIANTS = re.compile(rf"{_TOKENS} | (?P<variants> -\{{(?!\{{(?!\{{))) | (?P<endvariants> \}}-)", re.VERBOSE)
_TAG_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")


class TooComplex(Exception):
    """A page with more markup, or more deeply nested, than the limits allow."""


@dataclass(slots=True)
class _Open:
    """Something not yet closed: `source` is how it was opened, `parts` what stands between its bars, in pieces."""

    kind: str
    source: str = ""
    parts: list[list[str]] = field(default_factory=lambda: [[]])
    has_label: bool = False  # of an external link: what follows is no part of its url

    def texts(self) -> list[str]:
        return ["".join(part) for part in self.parts]


def _label(link: str, bar: bool) -> str:
    """What stands behind the url of an external link; with `bar`, a bar may end the url too."""
    url = _URL.match(link)
    assert url is not None
    end = link.index("|") + 1 if bar and "|" in url[0] else url.end()
    return link[end:].removeprefix("&nbsp;").strip()


class Flattener:
    """Turns wikitext into lines of text, headings and lists still marked as in wikitext, entities not yet resolved.

    Args:
        link: what a reader sees of [[target|text]], from the target and the text (None without a bar).
        variant: the language variant to take of `-{...}-`; None: these are no marks on this wiki.
        max_nodes: pieces of markup in a page.
        max_depth: of them open at a time.
    """

    def __init__(
        self, link: Callable[[str, str | None], str], variant: str | None, max_nodes: int, max_depth: int
    ) -> None:
        self._link, self._variant, self._max_nodes, self._max_depth = link, variant, max_nodes, max_depth

    def __call__(self, wikitext: str) -> str:
        """The lines of a page.

        Raises:
            TooComplex: a limit is exceeded.
        """
        self._source = f"\n{wikitext}"  # so that a table may open on the first line
        self._stack = [_Open("page")]
        self._unclosed: set[str] = set()  # raw tags that no later text closes
        position, nodes = 0, 0
        search = (_TOKEN if self._variant is None else _TOKEN_OR_VARIANTS).search
        while token := search(self._source, position):
            nodes += 1
            if nodes > self._max_nodes:
                raise TooComplex(f"more than {self._max_nodes} pieces of markup")
            if token.start() > position:
                self._write(self._source[position : token.start()])
            kind, text, position = token.lastgroup, token[0], token.end()
            if kind == "tag":
                position = self._tag(text, position)
            elif kind == "bar":
                if self._stack[-1].kind in ("{{", "{{{", "[[", "-{"):
                    self._stack[-1].parts.append([])
                else:
                    self._write(text)
            elif kind == "open":
                self._open_braces(text)
            elif kind == "close":
                position = self._close_braces(len(text), position)
            elif kind == "end":
                self._close_brackets(len(text))
            elif kind == "endvariants":
                if self._may_close("-{"):
                    self._close("-{", text)
                else:
                    self._write(text)
            elif kind == "endtable":
                self._close("{|", "\n|}")
            else:
                self._open(_Open({"link": "[[", "url": "[", "table": "{|", "variants": "-{"}[str(kind)], text))
        self._write(self._source[position:])
        while len(self._stack) > 1:
            self._give_up()
        return "".join(self._stack[0].parts[0])

    def _write(self, text: str) -> None:
        self._stack[-1].parts[-1].append(text)

    def _open(self, opened: _Open) -> None:
        if opened.kind == "[[":
            self._end_url()
        self._stack.append(opened)
        if len(self._stack) - 1 > self._max_depth:
            raise TooComplex(f"markup nested more than {self._max_depth} deep")

    def _give_up(self) -> None:
        """What was opened last was never closed: it is text."""
        opened = self._stack.pop()
        if opened.kind not in BOX_TAGS:
            self._write(opened.source)
        self._write("|".join(opened.texts()))

    def _close(self, kind: str, source: str) -> None:
        """End the nearest `kind`, with all that is open in it; without one, `source` is text."""
        if not any(opened.kind == kind for opened in self._stack):
            self._write(source)
            return
        while self._stack[-1].kind != kind:
            self._give_up()
        closed = self._stack.pop()
        if kind == "{{":
            self._write(expand(closed.texts()))
        elif kind == "[[":
            target, *text = closed.texts()
            if "\n" in target:  # no link, to MediaWiki
                self._write(f"[[{'|'.join((target, *text))}]]")
            elif _EXTERNAL.match(target):  # many write external links as the others
                self._write(_label("|".join((target, *text)), bar=bool(text)))
            else:
                self._write(self._link(target, "|".join(text) if text else None))
        elif kind == "[":
            whole = "".join(closed.texts())
            self._write(f"[{whole}]" if "\n" in whole else _label(whole, bar=False))
        elif kind == "-{":
            assert self._variant is not None
            self._write(words_of(closed.texts(), self._variant))
        elif kind != "{{{":
            self._write(BREAK)

    def _open_braces(self, text: str) -> None:
        """Braces pair from the inside: {{{{{x}}} is a template whose name an argument gives."""
        twos, three = divmod(len(text), 2)
        for _ in range(twos - three):
            self._open(_Open("{{", "{{"))
        if three:
            self._open(_Open("{{{", "{{{"))

    def _close_braces(self, left: int, position: int) -> int:
        """Close templates with so many braces, which end at `position`; where to go on."""
        while left >= 2:
            kind = next((o.kind for o in reversed(self._stack) if o.kind in ("{{", "{{{")), None)
            if kind is None:
                break
            if kind == "{{{" and left == 2:  # a brace, and a template
                while self._stack[-1].kind != "{{{":
                    self._give_up()
                opened = self._stack.pop()
                self._write("{")
                self._stack.append(_Open("{{", "{{", opened.parts))
                kind = "{{"
            self._close(kind, "")
            left -= len(kind)
        if left == 1 and self._source.startswith("-", position) and self._may_close("-{"):
            self._close("-{", "")  # -{zh:{{x}}}-
            return position + 1
        self._write("}" * left)
        return position

    def _close_brackets(self, left: int) -> None:
        while left:
            if self._stack[-1].kind == "[" and self._in_address():
                self._write("]")
                left -= 1
            elif self._stack[-1].kind == "[":
                self._close("[", "]")
                left -= 1
            elif left >= 2 and self._may_close("[["):
                self._close("[[", "]]")
                left -= 2
            else:
                break
        self._write("]" * left)

    def _in_address(self) -> bool:
        """Whether the bracket ends an address of IPv6 in the url of an external link: [http://[::1]/x label]"""
        parts = self._stack[-1].parts[-1]
        return len(parts) == 1 and _ADDRESS.fullmatch(parts[0]) is not None

    def _may_close(self, kind: str) -> bool:
        """Whether a `kind` is open, and no template inside it that goes on behind its end."""
        for opened in reversed(self._stack):
            if opened.kind == kind:
                return True
            if opened.kind in ("{{", "{{{", "{|"):
                return False
        return False

    def _tag(self, text: str, position: int) -> int:
        """Handle a tag or comment that ends at `position`; where to go on."""
        if text == "<!--":
            end = self._source.find("-->", position)
            return len(self._source) if end < 0 else end + 3
        name = _TAG_NAME.match(text)
        assert name is not None
        tag, closes, empty = name[1].lower(), text[1] == "/", text.endswith("/>")
        self._end_url()
        if tag in RAW_TAGS:
            return position if closes or empty else self._skip(tag, position)
        if tag in BOX_TAGS:
            if closes:
                if self._may_close(tag):
                    self._close(tag, "")
            elif not empty:
                self._open(_Open(tag, text))
        elif tag in ("sup", "sub"):
            if not empty:
                self._write(LEVEL if closes else RAISED if tag == "sup" else LOWERED)
        elif tag == "br":
            self._write(" ")
        elif tag in _BLOCK_TAGS:
            self._write(BREAK)
        elif tag in _ITEM_TAGS and not closes:
            self._write("\n*")
        elif tag in _LIST_TAGS or tag in _ITEM_TAGS:
            self._write("\n")
        elif tag not in _INLINE_TAGS:
            self._write(text)  # no tag to MediaWiki: x <y and z> w
        return position

    def _end_url(self) -> None:
        """A tag, or a link, ends the url of an external link, as a space does."""
        opened = self._stack[-1]
        if opened.kind == "[" and not opened.has_label:
            if _URL.fullmatch("".join(opened.texts())):
                self._write(" ")
            opened.has_label = True

    def _skip(self, tag: str, position: int) -> int:
        """Behind the end of a raw tag's contents; where it has no end, behind the tag."""
        if tag in self._unclosed:
            return position
        end = re.compile(rf"</{tag}\s*>", re.IGNORECASE).search(self._source, position)
        if end is None:
            self._unclosed.add(tag)
            return position
        if tag == "nowiki":
            # As entities, so that nothing takes it for markup later on.
            self._write(
                "".join(f"&#{ord(c)};" if c in "<>&[]{}|='*#:;" else c for c in self._source[position : end.start()])
            )
        return end.end()
