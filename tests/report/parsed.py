"""An HTML page as its tables' cells."""

from __future__ import annotations

from html.parser import HTMLParser


class Parsed(HTMLParser):
    """Rows of cell texts; and a check that every element is closed in order."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.widths: list[int] = []  # of each row, in columns
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
            self.widths.append(0)
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.widths[-1] += int(dict(attrs).get("colspan") or 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, *start: str) -> list[str]:
        """The one row that starts with these cells."""
        found = [r for r in self.rows if r[: len(start)] == list(start)]
        assert len(found) == 1, (start, found)
        return found[0]
