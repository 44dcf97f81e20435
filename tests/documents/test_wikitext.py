"""bert/documents/{wikitext,markup,tidying}.py: wikitext -> passages, on worked examples."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.documents.dumps import Site
from bert.documents.markup import TooComplex
from bert.documents.namespaces import without_text
from bert.documents.tidying import tidy
from bert.documents.wikitext import passages, unstyle
from tests.corpus import documents_settings

SITE = Site("de", without_text("de"))
CHINESE = Site("zh", without_text("zh"))
SETTINGS = documents_settings()


def prose(wikitext: str) -> list[str]:
    return passages(wikitext, SITE, SETTINGS)[0]


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("The ''grey'' heron stood '''still'''.", "The grey heron stood still."),
        ("She counted herons.{{citation needed|date=May 1990}}", "She counted herons."),
        ("{{Infobox bird\n| name = {{lang|la|Ardea}}\n}}\nShe counted herons.", "She counted herons."),
        ("She counted<ref>Grey, p. 3. [[Not this]].</ref> herons.<ref name=grey/>", "She counted herons."),
        ("She counted<!-- all of them --> herons.", "She counted herons."),
        ("Water is H<sub>2</sub>O.<br>It is wet.", "Water is H2O. It is wet."),
        ("She <nowiki>[[counted]]</nowiki> herons.", "She [[counted]] herons."),
        ("Mass is <math>m</math> here.", "Mass is here."),
        ("__NOTOC__She counted herons.", "She counted herons."),
        ("A [https://example.org heron book] [https://example.org] was read.", "A heron book was read."),
    ],
)
def test_markup_goes_and_its_text_stays(wikitext: str, expected: str) -> None:
    assert prose(wikitext) == [expected]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[[heron]]s", "herons"),
        ("[[Heron (bird)|heron]]", "heron"),
        ("[[Grey_heron]]", "Grey heron"),
        ("[[Heron|the ''grey'' {{nowrap|one}}bird]]", "the grey onebird"),
        ("[[Route&nbsp;7]]", "Route 7"),
        ("[[Birds: a life]]", "Birds: a life"),
        ("[[CSI: Marshland]]", "CSI: Marshland"),  # three letters, but no language
        ("[[:Category:Birds|birds]]", "birds"),  # a colon in front makes it a link to see
        ("[[:fr:Oiseau]]", "fr:Oiseau"),
        ("[[File:Heron.jpg|thumb|A heron]]", ""),
        ("[[Datei:Reiher.jpg]]", ""),
        ("[[ kategorie : Vögel ]]", ""),
        ("[[User_talk:Grey|Grey]]", "Grey"),
        ("[[en:Heron]]", ""),
        ("[[zh-min-nan:Reiher]]", ""),
        ("[[simple:Heron]]", ""),
    ],
)
def test_a_link_is_what_a_reader_sees_of_it(link: str, expected: str) -> None:
    assert prose(f"One {link} here.") == [f"One {expected} here." if expected else "One here."]


def test_captions_with_links_in_them_vanish_whole() -> None:
    caption = "[[File:Pond.jpg|thumb|A [[heron]] in a [[pond (water)|pond]] ([[Image:Inner.png|x]], [[1901]])]]"
    assert prose(f"{caption}The heron stood still.") == ["The heron stood still."]


def test_tables_vanish_and_part_what_stands_around_them() -> None:
    table = '{| class="wide"\n|+ [[Birds]]\n|-\n! Name !! Count\n|-\n| heron || 3\n{| \n| inner\n|}\n|}'
    assert prose(f"Before it.\n{table}\nAfter it.") == ["Before it.", "After it."]


def test_list_items_of_all_kinds_are_dropped_and_counted() -> None:
    wikitext = (
        "Prose one.\n* heron\n** grey heron\n# crane\n:* indented\n; term\n----\n<ul><li>stork</li></ul>\nProse two."
    )
    kept, dropped, _ = passages(wikitext, SITE, SETTINGS)
    assert kept == ["Prose one.", "Prose two."]
    assert dropped == {"list_item": 7}


def test_tail_sections_are_those_of_the_parameter_in_any_case() -> None:
    german = documents_settings(tail_sections=("Einzelnachweise",))
    assert passages("Text.\n== einzelnachweise ==\nBuch.\n== Notes ==\nNoten.", SITE, german)[0] == [
        "Text.",
        "Noten.",
    ]


def test_headings_are_dropped_and_tail_sections_with_all_below_them() -> None:
    wikitext = (
        "Lead.\n== Life ==\nIt lives.\n=== Notes ===\nA note.\n==== Deep ====\nDeeper.\n=== Food ===\nIt eats.\n"
        "== See  Also ==\nOther birds.\n=== Cranes ===\nA crane.\n== Range ==\nIt flies.\n== References ==\nA book."
    )
    kept, dropped, _ = passages(wikitext, SITE, SETTINGS)
    assert kept == ["Lead.", "It lives.", "It eats.", "It flies."]
    assert dropped == {"tail_section": 3}


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("5&nbsp;km &amp; 3&thinsp;m &mdash; far", "5 km & 3 m — far"),
        ("&#72;&#x69; there", "Hi there"),
        ("from 1901&#150;1905", "from 1901–1905"),  # a Windows dash, as browsers read it
        ("half&#xD83D; a pair", "half a pair"),  # UTF-8 cannot hold it: it must not stop the dump
        ("mark&#1; here", "mark here"),  # the sign of a list item within
        ("5 &lt; 6 and &bogus; stays", "5 < 6 and &bogus; stays"),
    ],
)
def test_entities_become_their_characters(wikitext: str, expected: str) -> None:
    (line,) = prose(wikitext)
    assert line == expected
    assert line.encode()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Anne () wrote.", "Anne wrote."),
        ("Anne ( , ; – ) wrote.", "Anne wrote."),
        ("Anne (; born 1901) wrote.", "Anne (born 1901) wrote."),
        ("Anne (Greek: ) wrote.", "Anne (Greek) wrote."),
        ("Anne ( Greek ) wrote .", "Anne (Greek) wrote."),
        ("Anne [ ] wrote,, and , , slept.", "Anne wrote, and, slept."),
        ("Anne \u00a0 wrote\u2009it", "Anne wrote it"),
        ("a .NET program and .5 of it , then", "a .NET program and .5 of it, then"),
        ("a(b) stays f(x, y)", "a(b) stays f(x, y)"),
        ("either 1, .5 or, .NET, ... none", "either 1, .5 or, .NET,... none"),
        (", which is so,. Thus ,", "which is so. Thus,"),
        (") and ... one; , two...", "and... one; two..."),
        ("control\x07 and lone\ud800 halves", "control and lone halves"),
    ],
)
def test_what_removed_markup_leaves_is_repaired(line: str, expected: str) -> None:
    assert tidy(line) == expected


def test_short_letterless_and_broken_lines_are_dropped_and_counted() -> None:
    wikitext = (
        "Too short.\n\n1234567890 1234567890 1234567890\n| a cell of a table that was never opened\n}} the end of it"
    )
    kept, dropped, _ = passages(wikitext, SITE, documents_settings(min_passage_chars=20))
    assert kept == []
    assert dropped == {"short_passage": 1, "no_letters": 1, "broken_markup": 2}


def test_lines_without_an_empty_one_between_them_are_one_paragraph() -> None:
    assert prose("The grey heron\nstood still.\n\nIt flew.\n== Food ==\nIt eats\n* fish\nand frogs.") == [
        "The grey heron stood still.",
        "It flew.",
        "It eats",
        "and frogs.",
    ]


def test_an_indented_line_is_a_paragraph_and_a_note_that_leads_elsewhere_is_none() -> None:
    wikitext = (
        "She wrote:\n: I saw ''one'' heron.\n::And a crane.\nNo more.\n:''For the bird, see [[Heron]].''\n:; term"
    )
    kept, dropped, _ = passages(wikitext, SITE, SETTINGS)
    assert kept == ["She wrote:", "I saw one heron.", "And a crane.", "No more."]
    assert dropped == {"hatnote": 1, "list_item": 1}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("the ''Heron'''s nest", "the Heron's nest"),
        ("the '''''grey'' heron'''", "the grey heron"),
        ("four'''' bold", "four' bold"),
        ("seven''''''' of them", "seven'' of them"),
        ("it's one", "it's one"),
    ],
)
def test_marks_of_italics_and_bold_go_and_apostrophes_stay(line: str, expected: str) -> None:
    assert unstyle(line) == expected


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("One {{unknown|[[open}} two [[three]].", ["One two three."]),
        ("One [[open {{nowrap|two}} three.", ["One open two three."]),
        ("One.\n\nTwo [[a|{{nowrap|three]] four.\n\nFive.", ["One.", "Five."]),
        ("One ]] two.", ["One two."]),
        ("One {{open two.\n\nThree [[four]].", ["Three four."]),
        ("One [https://example.org two three.", ["One [https://example.org two three."]),
        ("One <ref>two [[three.</ref> four]] five.", ["One four five."]),
        ("One <ref>two three.", ["One two three."]),
        ("One </ref> two </b>three</div>.", ["One two three."]),
        ("One <!-- two [[three]].", ["One"]),
        ("One <div>two {{nowrap|three}}</div> four.", ["One", "four."]),
        ("One <two and three> four.", ["One <two and three> four."]),
        ("{|\n| cell\n{{unknown\n|}\nOne.", ["One."]),
        ("One {{{argument|two}}}three {{{{{1}}}|four}}five.", ["One three five."]),
        ("One [[[two]]] three.", ["One [two] three."]),
        ("One [[two|[https://example.org three]]] four.", ["One three four."]),
        ("One [https://example.org [[two]]] three.", ["One two three."]),
    ],
)
def test_brackets_that_do_not_pair_harm_only_themselves(wikitext: str, expected: list[str]) -> None:
    assert prose(wikitext) == expected


OPENINGS = [
    "{{",
    "[[",
    "<div>",
    "<b>",
    "{|\n",
    "''",
    "[http://a ",
    "<ref>",
    "&",
    "<!--",
    "{{a|",
    "[[a|",
    "<nowiki>",
    "{",
    "-{",
    "-{zh-hans:a;",
    "[[http://a|",
    "1<sup>",
]
OTHERS = [
    "}}",
    "]]",
    "\n|}",
    "|",
    "</div>",
    ", ; ",
    "( ",
    "\n=",
    "\n:",
    "{{a}}",
    "[[a]]",
    "'''a ",
    "&#1",
    "<ref>a</ref>",
    "}-",
    "-{zh:a}-",
    "1{{a}}",
    "1</sup>2",
    "[[Datei:a.jpg|",
]


@pytest.mark.parametrize("piece", [*OPENINGS, *OTHERS])
def test_a_page_of_nothing_but_brackets_takes_time_in_proportion_to_its_size(piece: str) -> None:
    # A page may hold anything, and no time-out protects a stage, since a time-out would not be reproducible.
    unlimited = documents_settings(max_page_nodes=10**9, max_page_depth=10**9 if piece == "{{" else 100)
    pieces = (4000 if piece == "{{" else 400_000) // len(piece)
    started = time.process_time()
    with contextlib.suppress(TooComplex):
        passages(piece * pieces + "text", CHINESE, unlimited)
    assert time.process_time() - started < 5.0  # a hundredth of it, in fact; if it were quadratic, hours


MARKUP = [
    *OPENINGS,
    *OTHERS,
    "\n",
    "==",
    "*",
    "</ref>",
    "</nowiki>",
    "-->",
    "text ",
    "nowrap|",
    "convert|1|to|",
    "]",
    "}",
]


@given(wikitext=st.lists(st.sampled_from(MARKUP), max_size=40).map("".join))
def test_no_markup_is_an_error_and_passages_hold_no_line_end_and_no_tag(wikitext: str) -> None:
    with contextlib.suppress(TooComplex):
        for passage in passages(wikitext.replace("<nowiki>", ""), CHINESE, SETTINGS)[0]:
            assert passage == passage.strip() and len(passage.splitlines()) == 1
            assert not any(mark in passage for mark in ("[[", "<ref", "<div", "<b>", "<sup>"))
            assert passage.isprintable()  # no mark of ours stays


def test_limits_on_pieces_of_markup_and_on_their_depth() -> None:
    passages("[[a]]" * 500, SITE, SETTINGS)
    with pytest.raises(TooComplex, match="more than 1000 pieces of markup"):
        passages("[[a]]" * 501, SITE, SETTINGS)
    assert prose("{{nowrap|" * 20 + "deep" + "}}" * 20) == ["deep"]
    for opening in ("{{nowrap|", "{{" * 5, "[[a|", "<div>"):
        with pytest.raises(TooComplex, match="nested more than 20 deep"):
            prose(opening * 21 + "deep")
