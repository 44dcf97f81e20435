"""bert/text/wikitext.py on worked examples."""

from __future__ import annotations

import pytest

from bert.text.wikitext import passages, tidy

NAMESPACES = frozenset({"file", "image", "category", "datei", "kategorie", "user talk"})


def prose(wikitext: str) -> list[str]:
    return passages(wikitext, NAMESPACES, 1)[0]


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
        ("[[Heron|the ''grey'' {{nowrap|one}}bird]]", "the grey bird"),
        ("[[Route&nbsp;7]]", "Route 7"),
        ("[[Birds: a life]]", "Birds: a life"),
        ("[[CSI: Marshland]]", "CSI: Marshland"),  # three letters, but no language
        ("[[:Category:Birds|birds]]", "birds"),  # a colon in front makes it a link to see
        ("[[:fr:Oiseau]]", "fr:Oiseau"),
        ("[[File:Heron.jpg|thumb|A heron]]", ""),
        ("[[Datei:Reiher.jpg]]", ""),
        ("[[ kategorie : Vögel ]]", ""),
        ("[[User_talk:Grey|Grey]]", ""),
        ("[[de:Reiher]]", ""),
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
        "Prose one.\n* heron\n** grey heron\n# crane\n: indented\n; term\n----\n<ul><li>stork</li></ul>\nProse two."
    )
    kept, dropped = passages(wikitext, NAMESPACES, 1)
    assert kept == ["Prose one.", "Prose two."]
    assert dropped == {"list_item": 8}


def test_headings_are_dropped_and_tail_sections_with_all_below_them() -> None:
    wikitext = (
        "Lead.\n== Life ==\nIt lives.\n=== Notes ===\nA note.\n==== Deep ====\nDeeper.\n=== Food ===\nIt eats.\n"
        "== See  Also ==\nOther birds.\n=== Cranes ===\nA crane.\n== Range ==\nIt flies.\n== References ==\nA book."
    )
    kept, dropped = passages(wikitext, NAMESPACES, 1)
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
        ("control\x07 and lone\ud800 halves", "control and lone halves"),
    ],
)
def test_what_removed_markup_leaves_is_repaired(line: str, expected: str) -> None:
    assert tidy(line) == expected


def test_short_letterless_and_broken_lines_are_dropped_and_counted() -> None:
    wikitext = (
        "Too short.\n1234567890 1234567890 1234567890\n| a cell of a table that was never opened\n}} the end of it"
    )
    kept, dropped = passages(wikitext, NAMESPACES, 20)
    assert kept == []
    assert dropped == {"short_passage": 1, "no_letters": 1, "broken_markup": 2}


@pytest.mark.parametrize("opening", ["{{", "[[", "<div>", "<b>", "{|\n", "''", "[http://a ", "<ref>", "&"])
def test_a_thousand_open_brackets_end_in_time(opening: str) -> None:
    # A page may hold anything; no time-out protects a stage, since a time-out would not be reproducible.
    passages(opening * 1000 + "text", NAMESPACES, 1)
