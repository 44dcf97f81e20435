"""Pages of a MediaWiki dump -> documents: the articles of the main namespace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import quote
from xml.etree import ElementTree

from bert.documents.document import Document, Failure
from bert.documents.dumps import Site, local
from bert.documents.markup import TooComplex
from bert.documents.settings import DocumentsSettings
from bert.documents.wikitext import passages


def _child(element: ElementTree.Element, *path: str) -> ElementTree.Element | None:
    current: ElementTree.Element | None = element
    for name in path:
        current = next((e for e in current if local(e.tag) == name), None) if current is not None else None
    return current


def _text(element: ElementTree.Element, *path: str) -> str:
    found = _child(element, *path)
    return (found.text or "") if found is not None else ""


def articles(
    pages: Iterable[ElementTree.Element], site: Site, settings: DocumentsSettings, counts: Counter[str]
) -> Iterator[Document | Failure]:
    """Documents of pages. Adds to `counts`: pages, articles (those that are tried), and drops as
    `dropped:<reason>`, templates that are not known as `template:<inline, block or words>:<name>`.
    """
    for page in pages:
        counts["pages"] += 1
        revisions = [e for e in page if local(e.tag) == "revision"]
        # Of several, all but the newest have been emptied.
        revision = next((e for e in revisions if len(e)), ElementTree.Element("revision"))
        if len(revisions) > 1:
            counts["dropped:older_revision"] += len(revisions) - 1
        wikitext, model = _text(revision, "text"), _text(revision, "model")
        if not site.is_main(_text(page, "ns"), _text(page, "title")):
            counts["dropped:not_main_namespace"] += 1
        elif _child(page, "redirect") is not None or wikitext.lstrip()[:9].lower() == "#redirect":
            counts["dropped:redirect"] += 1
        elif model not in ("", "wikitext"):  # JSON, as Wikidata's items, scripts, style sheets
            counts["dropped:not_wikitext"] += 1
        elif not wikitext.strip():
            counts["dropped:empty_page"] += 1
        else:
            counts["articles"] += 1
            title, identity = _text(page, "title"), f"wikipedia:{_text(page, 'id')}"
            try:
                kept = _prose(wikitext, site, settings, counts)
            except (MemoryError, KeyboardInterrupt):
                raise  # of this machine, not of the page
            except Exception as error:
                named = isinstance(error, TooComplex)
                counts["dropped:page_over_a_limit" if named else "dropped:page_failed"] += 1
                yield Failure(identity, title, str(error) if named else f"{type(error).__name__}: {error}")
                continue
            if kept:
                url = site.base + quote(title.replace(" ", "_"), safe="/:(),'!*@")
                yield Document(identity, url, title, "\n".join(kept))
            else:
                counts["dropped:no_prose"] += 1


def _prose(wikitext: str, site: Site, settings: DocumentsSettings, counts: Counter[str]) -> list[str]:
    size = len(wikitext.encode())
    if size > settings.max_page_bytes:
        raise TooComplex(f"{size} bytes, more than {settings.max_page_bytes}")
    kept, dropped, templates = passages(wikitext, site, settings)
    counts.update({f"dropped:{reason}": n for reason, n in dropped.items()})
    counts.update({f"template:{place}": n for place, n in templates.items()})
    return kept
