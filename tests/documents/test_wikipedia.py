"""bert/documents/wikipedia.py: a dump's pages -> documents."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pytest

from bert.documents import wikipedia as module
from bert.documents import wikitext
from bert.documents.document import Document, Failure
from bert.documents.dumps import Piece, Site, pages, site
from bert.documents.settings import DocumentsSettings
from bert.documents.wikipedia import articles
from tests.corpus import HEAD, TAIL, documents_settings, page

SETTINGS = documents_settings(min_passage_chars=5, max_page_bytes=1000)


def text_of(wikitext: str, language: str = "en", **settings: Any) -> str:
    """What a page of a wiki in a language becomes."""
    head = HEAD.replace("<mediawiki ", f'<mediawiki xml:lang="{language}" ').replace(">Datei<", "><")
    (found,), _ = read(head + page(1, wikitext) + TAIL, **settings)
    assert isinstance(found, Document)
    return found.text


def read(xml: str, name: str = "dump.xml", **settings: Any) -> tuple[list[Document | Failure], Counter[str]]:
    counts: Counter[str] = Counter()
    data, size = xml.encode(), len(xml.encode())
    head = site(io.BytesIO(data), size)
    found = pages(io.BytesIO(data), Piece(0, size, is_last=True))
    changed = SETTINGS.model_copy(update=settings)
    return list(articles(found, head, changed, counts)), counts


def test_an_article_becomes_a_document() -> None:
    documents, counts = read(HEAD + page(12, "First line.\n\nSecond line.", title="Größe & Maß/1") + TAIL)
    assert documents == [
        Document(
            id="wikipedia:12",
            url="https://de.example.org/wiki/Gr%C3%B6%C3%9Fe_%26_Ma%C3%9F/1",
            title="Größe & Maß/1",
            text="First line.\nSecond line.",
        )
    ]
    assert counts == {"pages": 1, "articles": 1}


def test_what_is_no_article_is_dropped_and_counted_by_reason() -> None:
    xml = HEAD + "".join(
        [
            page(1, "A keeper keeps."),
            page(2, "A template.", namespace=10),
            page(3, "A talk page.", namespace=1),
            page(4, "#WEITERLEITUNG [[Page 1]]", redirect="Page 1"),
            page(5, "#redirect [[Page 1]]"),
            page(6, "  \n"),
            page(7, "* only a list"),
            page(9, "A baker bakes."),
        ]
    )
    documents, counts = read(xml + TAIL)
    assert [d.id for d in documents] == ["wikipedia:1", "wikipedia:9"]
    assert counts == {
        "pages": 8,
        "articles": 3,
        "dropped:not_main_namespace": 2,
        "dropped:redirect": 2,
        "dropped:empty_page": 1,
        "dropped:no_prose": 1,
        "dropped:list_item": 1,
    }


def test_files_and_categories_vanish_under_their_local_and_english_names() -> None:
    text = "A keeper [[Datei:A.jpg|mini|Bild]] keeps [[benutzer_diskussion:Anna|her]] [[Category:B]] mill."
    (kept,), _ = read(HEAD + page(1, text) + TAIL)
    assert isinstance(kept, Document)
    assert kept.text == "A keeper keeps her mill."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ä" * 501, "1002 bytes, more than 1000"),
        ("{{" * 21, "markup nested more than 20 deep"),
    ],
)
def test_a_page_over_a_limit_is_a_failure_that_says_which(text: str, reason: str) -> None:
    found, counts = read(HEAD + page(1, text, title="Long") + page(2, "A baker bakes.") + TAIL)
    assert found[0] == Failure("wikipedia:1", "Long", reason)
    assert isinstance(found[1], Document)
    assert counts == {"pages": 2, "articles": 2, "dropped:page_over_a_limit": 1}


def test_an_error_in_one_page_is_a_failure_and_the_next_page_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    real = wikitext.passages

    def fails(source: str, of: Site, settings: DocumentsSettings) -> object:
        if "worse" in source:
            raise IndexError("no such thing")
        return real(source, of, settings)

    monkeypatch.setattr(module, "passages", fails)
    found, counts = read(HEAD + page(1, "Good or worse.", title="A") + page(2, "A baker bakes.") + TAIL)
    assert found[0] == Failure("wikipedia:1", "A", "IndexError: no such thing")
    assert isinstance(found[1], Document) and counts["dropped:page_failed"] == 1


@pytest.mark.parametrize(
    ("language", "link"),
    [
        ("de", "[[Bild:Turm.jpg|mini|hochkant=1.2|Der Turm im Jahr 1910]]"),
        ("de", "[[Datei:Turm|20px]]"),
        ("fr", "[[Fichier:Tour.jpg|vignette|redresse=1.2|La tour]]"),
        ("es", "[[Archivo:Torre.png|miniaturadeimagen|derecha|La torre]]"),
        ("es", "[[Imagen:Torre]]"),
        ("ru", "[[Изображение:Башня.jpg|мини|слева|Башня]]"),
        ("ru", "[[К:Башни]]"),
        ("pl", "[[Grafika:Wieża|mały|Wieża]]"),
        ("ja", "[[画像:塔|サムネイル|塔]]"),
        ("zh", "[[圖像:塔|縮圖|塔]]"),
        ("vi", "[[Tập_tin:Tháp|nhỏ|Tháp]]"),
        ("he", "[[\u200fקובץ:מגדל|ממוזער|מגדל]]"),
        ("sv", "[[Kategori:Torn]]"),
        ("bar", "[[Bild:Turm|mini|Der Turm]]"),
        ("tr", "[[RESİM:Kule|küçükresim|Kule]]"),
        ("gsw", "[[Bild:Turm|mini|Der Turm]]"),  # not in the table: the names of all languages
        ("en", "[[Datei:Turm.jpg|mini|Der Turm]]"),  # copied from another wiki: no name of an article
        ("en", "[[ IMAGE : Tower.jpg | thumb ]]"),
        ("en", "[[File&#58;Tower.jpg|thumb|A tower]]"),
    ],
)
def test_links_to_files_and_categories_vanish_under_old_and_foreign_names(language: str, link: str) -> None:
    assert text_of(f"The tower stands {link} by the mill.", language) == "The tower stands by the mill."


def test_what_is_called_as_a_namespace_of_another_language_is_an_article() -> None:
    assert text_of("He saw [[Imagine: John Lennon]] and [[Class: Primates]].") == (
        "He saw Imagine: John Lennon and Class: Primates."
    )


@pytest.mark.parametrize(
    "broken",
    [
        "[[Bild:Turm.jpg|mini|hochkant=1.2|Der Turm im Jahr 1910",
        "[[Bild:Turm|mini|Der [[Turm]] im Jahr 1910 und [[andere",
        "<gallery>\nTurm.jpg|Der Turm im Jahr 1910",
        "<gallery>\nBild:Turm.jpg|Der Turm im Jahr 1910\nDatei:Tor.png",
    ],
)
def test_options_of_an_image_do_not_become_text_where_its_link_or_gallery_never_ends(broken: str) -> None:
    assert text_of(f"The tower stands by the mill.\n\n{broken}\n\nIt was mended.", "de") == (
        "The tower stands by the mill.\nIt was mended."
    )


@pytest.mark.parametrize(
    ("language", "wanted", "wikitext", "expected"),
    [
        ("zh", None, "-{zh-hans:计算机;zh-hant:電腦}-是一种机器。", "计算机是一种机器。"),
        ("zh", "zh-hant", "-{zh-hans:计算机;zh-hant:電腦}-是一种机器。", "電腦是一种机器。"),
        ("zh", "zh-tw", "-{zh-hans:计算机; zh-hant:電腦;}-是一种机器。", "電腦是一种机器。"),
        ("zh", "zh-hk", "-{zh-cn:出租车;zh-tw:計程車;zh-hk:的士}-是一种机器。", "的士是一种机器。"),
        ("zh", "zh-sg", "-{zh-cn:出租车;zh-tw:計程車}-是一种机器。", "出租车是一种机器。"),
        ("zh", None, "-{T|zh-hans:计算机;zh-hant:電腦}-机器是一种机器。", "机器是一种机器。"),
        ("zh", None, "-{H|zh-hans:计算机;zh-hant:電腦;}-机器是一种机器。", "机器是一种机器。"),
        ("zh", None, "-{h|zh-hans:计算机}-机器和-{latin|Apple}-。", "计算机机器和Apple。"),
        ("zh", None, "-{T;R|电脑}-机器。", "电脑机器。"),
        ("zh", None, "-{A|zh-hans:计算机;zh-hant:電腦;}-机器是一种。", "计算机机器是一种。"),
        ("zh", None, "-{-|zh-hans:计算机;zh-hant:電腦;}-机器是一种。", "机器是一种。"),
        ("zh", None, "-{R|台灣}-和-{中国}-是-{zh-hans;zh-hant|地方}-。", "台灣和中国是地方。"),
        ("zh", None, "-{zh-hans:[[计算机|机器]];zh-hant:[[電腦|機器]]}-是一种。", "机器是一种。"),
        ("zh", None, "-{zh-hans:{{nowrap|计算机}};zh-hant:{{nowrap|電腦}}}-是一种。", "计算机是一种。"),
        ("zh", None, "{{nowrap|-{zh-hans:计算机;zh-hant:電腦}-}}是一种。", "计算机是一种。"),
        ("zh", None, "-{巨集=>zh-hans:宏;}-是一种机器。", "宏是一种机器。"),
        ("zh", None, "-{zh-hans:甲&amp;乙;zh-hant:丙}-是一种机器。", "甲&乙是一种机器。"),
        ("sr", None, "Овде -{sr-ec:пише;sr-el:piše}- нешто.", "Овде пише нешто."),
        ("sr", "sr-el", "Овде -{sr-ec:пише;sr-el:piše}- -{Apple}- нешто.", "Овде piše Apple нешто."),
        ("kk", None, "-{kk-cyrl:алма;kk-latn:alma;kk-arab:الما}- деген сөз.", "алма деген сөз."),
        ("en", "zh-hant", "The set -{a}- and -{{nowrap|b}}- here.", "The set -{a}- and -b- here."),
    ],
)
def test_of_language_variants_one_is_read(language: str, wanted: str | None, wikitext: str, expected: str) -> None:
    assert text_of(wikitext, language, language_variant=wanted) == expected


def history(*revisions: tuple[str, int, str]) -> str:
    """A page with revisions: timestamp, id, text."""
    made = "".join(
        f"<revision><id>{number}</id><timestamp>{time}</timestamp><text>{text}</text></revision>"
        for time, number, text in revisions
    )
    return f"<page><title>Mill</title><ns>0</ns><id>1</id>{made}</page>"


@pytest.mark.parametrize(
    "revisions",
    [
        [("2001-01-01T00:00:00Z", 5, "An old mill."), ("2020-01-01T00:00:00Z", 9, "The mill of today.")],
        [("2020-01-01T00:00:00Z", 9, "The mill of today."), ("2001-01-01T00:00:00Z", 5, "An old mill.")],
        [("2020-01-01T00:00:00Z", 12, "The mill of today."), ("2020-01-01T00:00:00Z", 9, "An old mill.")],
        [("", 0, "An old mill."), ("", 0, "The mill of today.")],
    ],
)
def test_of_several_revisions_the_newest_is_read_and_the_others_are_counted(
    revisions: list[tuple[str, int, str]],
) -> None:
    (kept,), counts = read(HEAD + history(*revisions) + TAIL)
    assert isinstance(kept, Document)
    assert kept.text == "The mill of today."
    assert counts["dropped:older_revision"] == 1


def test_a_page_whose_newest_revision_is_empty_is_an_empty_page() -> None:
    old, new = ("2001-01-01T00:00:00Z", 5, "An old mill."), ("2020-01-01T00:00:00Z", 9, "")
    found, counts = read(HEAD + history(old, new) + TAIL)
    assert found == [] and counts["dropped:empty_page"] == 1


def test_a_page_that_is_not_wikitext_is_dropped_and_counted() -> None:
    item = page(1, '{"type": "item"}').replace("<text>", "<model>wikibase-item</model><text>")
    found, counts = read(HEAD + item + TAIL)
    assert found == [] and counts["dropped:not_wikitext"] == 1


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[[rfc:959|RFC 959]]", "RFC 959"),
        ("[[doi:10.1000/182|an older paper]]", "an older paper"),
        ("[[mw:Help|the manual]]", "the manual"),
        ("[[wikt:mill|mill]]", "mill"),
        ("[[w:fr:Moulin|mill]]", "mill"),
        ("[[s:The Mill|The Mill]]", "The Mill"),
        ("[[Help:Contents|the help]]", "the help"),
        ("[[en:Mill|the mill]]", "the mill"),  # of this wiki itself
        ("[[DE:Mühle]]", ""),
        ("[[be-x-old:Млын]]", ""),
        ("[[nb:Mølle|Mølle]]", ""),
        ("[[Mill (building)|]]", "Mill"),
        ("[http://example.com/''Example Weekly'']", "Example Weekly"),
        ("[http://example.com/<i>Example Weekly</i>]", "Example Weekly"),
        ("[http://example.com<!-- x --> Example Weekly]", "Example Weekly"),
        ("[http://example.com/a[[Mill]] of old]", "Mill of old"),
        ('[http://example.com/a"the mill" of old]', '"the mill" of old'),
        ("[HTTPS://example.com/a|b the mill]", "the mill"),
        ("[irc://example.com/mill the mill]", "the mill"),
        ("[news:example.mill the mill]", "the mill"),
        ("[news: the mill]", "[news: the mill]"),
        ("[http://example.com/{{unknown name|x}} the mill]", "the mill"),
        ("[http://example.com/&lt;the mill&gt;]", "<the mill>"),
        ("[[http://example.com the official site]]", "the official site"),
        ("[[http://example.com|the official site]]", "the official site"),
        ("[[https://example.com/a|b the ''official'' site]]", "b the official site"),
        ("[[http://example.com]]", ""),
        ("[http://[2001:db8::1]/x the mill]", "the mill"),
        ("[[File%3AA.jpg|thumb|A mill]]", ""),
        ("[[Caf%C3%A9]]", "Café"),
        ("[[en:File:A.jpg|thumb|A mill]]", ""),
        ("[[Boston, Massachusetts|]]", "Boston"),
        ("[http://example.com]", ""),
    ],
)
def test_a_link_is_what_a_reader_sees_of_it(link: str, expected: str) -> None:
    assert text_of(f"One saw {link} here.") == f"One saw {expected} here.".replace("  ", " ")


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("10<sup>24</sup> kg", "10^24 kg"),
        ("10<sup>&minus;10</sup> m", "10^−10 m"),
        ("''10''<sup>6</sup> and 2<sup>''n''</sup>", "10^6 and 2^n"),
        ("2<sup>3</sup>3<sup>2</sup> of <sup>235</sup><sub>92</sub>U", "2^3 3^2 of 235_92U"),
        ("SO<sub>4</sub><sup>2−</sup> of H<sub>2</sub>O", "SO4^2− of H2O"),
        ("101<sub>2</sub> is 5<sub>10</sub>", "101_2 is 5_10"),
        ("5<sup>1</sup>/<sub>2</sub> and <sup>1</sup>&frasl;<sub>2</sub>", "5 1/2 and 1/2"),
        ("the 1<sup>st</sup> and 2<sup>e</sup>, 3 m<sup>2</sup>", "the 1st and 2e, 3 m2"),
        ("5.98{{e|24}} kg", "5.98 × 10^24 kg"),
        ("10{{sup|24}} and {{val|5|e=3}} and 10{{su|p=2|b=3}}", "10^24 and 5 × 10^3 and 10_3^2"),
        ("10²⁴ of 5½ at 2⁻³ and 11₂", "10^24 of 5 ½ at 2^-3 and 11_2"),
        ("1²3 and ½3 and 5¹⁄₂ and 2ⁿ⁺¹", "1^2 3 and ½ 3 and 5 1/2 and 2^n+1"),
        ("10<sup>.5</sup> and 10<sup>&#45;24</sup> and 10<sup>(24)</sup>", "10^.5 and 10^-24 and 10^(24)"),
        ("(10)<sup>24</sup> and 10<sup>&nbsp;24</sup> and 10<sup>−</sup>4", "(10)^24 and 10^24 and 10^−4"),
        ("1.5<sub>−0.2</sub><sup>+0.3</sup>", "1.5_−0.2^+0.3"),
        ("2<sup>n+1</sup> and 2<sup>x</sup>3 and 2<sup>{{mvar|n}}</sup>", "2^n+1 and 2^x 3 and 2^n"),
        ("12<sub>n</sub>5 and 20<sup>[1]</sup> and x<sup>2</sup>3", "12_n 5 and 20[1] and x2 3"),
        (
            "5<sup>1</sup>&#8260;<sub>2</sub> and 5<sup>1</sup>/2 and 5<sup>1</sup>{{frasl}}<sub>2</sub>",
            "5 1/2 and 5 1/2 and 5 1/2",
        ),
        ("${{frac|1|2}} and 2{{1/2}} and 5{{half}}", "$1/2 and 2 1/2 and 5 1/2"),
        ("{{chem|SO|4|2-}} of {{chem|H|2|O}}", "SO4^2- of H2O"),
        ("{{val|12|-|14|u=m}} and {{val|1.23|0.1|0.2}} and {{val|1.23|(4)}}", "12–14 m and 1.23+0.1−0.2 and 1.23(4)"),
        ("{{val|5|s=%}} and {{val|12|u=m|up=s}} and {{val|e=5}}", "5% and 12 m/s and 10^5"),
        ("{{deg|45}} and {{pm|5}} and {{music|time|3|4}}", "45° and ±5 and 3/4"),
        ("1939{{unknown dash}}1945 and one{{unknown dash}}two", "1939 1945 and one two"),
        ("2{{frac|1|2}} of it", "2 1/2 of it"),
    ],
)
def test_a_number_does_not_become_another_one(wikitext: str, expected: str) -> None:
    assert text_of(f"They saw {wikitext}.") == f"They saw {expected}."


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("the {{langr|de|Schwarzschild}} metric", "the Schwarzschild metric"),
        ("The greeting {{script|Hebr|שלום}} stands", "The greeting שלום stands"),
        ("computers{{mdashb}}following", "computers—following"),
        ("{{convert|1/2|mi|km}} away", "1/2 mile away"),
        ("{{hlist|one|two}}\nIt was old.", "It was old."),
    ],
)
def test_inline_templates_keep_their_words(wikitext: str, expected: str) -> None:
    assert text_of(wikitext) == expected


OLD_TITLES = [
    "Keeper",
    "Keeper: a life",
    "Talk:Keeper",
    "Benutzer_Diskussion:Anna",
    "datei:A.png",
    "Bild:A.png",
    "Help:B",
]


@pytest.mark.parametrize(
    "head", [HEAD, HEAD.replace("<namespaces>", "<namespaces/><x>").replace("</namespaces>", "</x>")]
)
@pytest.mark.parametrize("element", ["", "<ns />", "<ns> </ns>"])
def test_a_page_without_a_namespace_has_that_of_its_title(head: str, element: str) -> None:
    old = head.replace("<mediawiki ", '<mediawiki xml:lang="de" ')
    xml = old + "".join(page(n, "A keeper keeps.", title) for n, title in enumerate(OLD_TITLES)) + TAIL
    found, counts = read(xml.replace("<ns>0</ns>", element))
    foreign = 1 if head != HEAD else 0  # nothing says what Benutzer_Diskussion is
    assert [f.title for f in found][:2] == OLD_TITLES[:2] and len(found) == 2 + foreign
    assert counts["dropped:not_main_namespace"] == 5 - foreign


def test_white_space_around_a_namespace_is_none_of_it() -> None:
    xml = HEAD + page(1, "A keeper keeps.") + page(2, "A template.", namespace=10) + TAIL
    found, counts = read(xml.replace("<ns>", "<ns>\n ").replace("</ns>", " </ns>"))
    assert [f.id for f in found] == ["wikipedia:1"] and counts["dropped:not_main_namespace"] == 1
