"""bert/documents/books.py: what is prose in a hard-wrapped book."""

from __future__ import annotations

from collections import Counter

import pytest

from bert.documents.books import book, join
from bert.documents.document import Document

BODY = "The keeper painted\nthe lamp by\nthe harbour.\n\n  \n\nA baker sold  two\r\nbarrels before noon.\n"
HEADER = "The Project Gutenberg eBook of Lamps\n\nThis book is for anyone.\n\n"
START = "*** START OF THE PROJECT GUTENBERG EBOOK LAMPS ***"
END = "*** END OF THE PROJECT GUTENBERG EBOOK LAMPS ***"
FOOTER = "\n\nSection 1. A long licence that is no part of the book.\n"
PARAGRAPHS = ["The keeper painted the lamp by the harbour.", "A baker sold two barrels before noon."]


def one_book(data: bytes | str, name: str = "lamps.txt") -> tuple[list[Document], Counter[str]]:
    counts: Counter[str] = Counter()
    encoded = data if isinstance(data, bytes) else data.encode()
    found = list(book(encoded, name, "https://books.example.org/1", 10, counts))
    return [document for document in found if isinstance(document, Document)], counts


def test_hard_wrapped_lines_are_joined_to_paragraphs() -> None:
    (document,), counts = one_book(BODY, "old/The_Lamps.txt")
    assert document == Document(
        "books:old/The_Lamps.txt", "https://books.example.org/1", "The Lamps", "\n".join(PARAGRAPHS)
    )
    assert counts == {}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, END),
        (START.replace("THE", "THIS"), END.replace("THE", "THIS")),
        ("***START OF THE PROJECT GUTENBERG EBOOK LAMPS***", "***END OF THE PROJECT GUTENBERG EBOOK LAMPS***"),
        (START, f"End of the Project Gutenberg EBook of Lamps\n\n{END}"),
        (START, f"End of Project Gutenberg's Lamps, by A. Baker\n\n{END}"),
        (START, f"  {END}"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n", "\r\r\r\n", "\n\r"])
def test_header_and_footer_of_project_gutenberg_are_stripped(start: str, end: str, line_end: str) -> None:
    text = f"\ufeff{HEADER}{start}\n\n{BODY}\n\n{end}{FOOTER}".replace("\r\n", "\n").replace("\n", line_end)
    (document,), counts = one_book(text)
    assert document.passages == PARAGRAPHS
    assert counts == {"stripped_headers": 1, "stripped_footers": 1}


def test_short_paragraphs_and_those_without_lower_case_are_dropped_and_counted() -> None:
    (document,), counts = one_book(f"CHAPTER THE FIRST\n\n* * * * * * * *\n\nShort.\n\n{BODY}")
    assert document.passages == PARAGRAPHS
    assert counts == {"dropped:heading": 1, "dropped:no_lower_case": 1, "dropped:short_passage": 1}


def test_a_book_without_prose_is_counted() -> None:
    documents, counts = one_book("1 2 3 4 5 6 7 8 9\n")
    assert documents == [] and counts["dropped:empty_book"] == 1


PROSE = """\
The keeper of the light had painted the lamp by the harbour twice a year
since he came to the island, and nobody remembered who had done it in the
years before him. A baker who sold two barrels before noon was the one man
to ask, and he was deaf.

"Twice," said the baker, who had not heard the question, "and both
of them were sold."
"""


def with_prose(text: str) -> tuple[list[str], Counter[str]]:
    """What is kept of `text` between wrapped paragraphs, and the counts."""
    (document,), counts = one_book(f"{PROSE}\n\n{text}\n\n{PROSE}")
    assert document.passages[:2] == document.passages[-2:]
    assert document.passages[0].startswith("The keeper of the light") and document.passages[0].endswith("was deaf.")
    return document.passages[2:-2], counts


CONTENTS = """\
     I. The Keeper and His Lamp
    II. What the Baker Heard
   III. Two Barrels, and a Third
    IV. The Keeper Leaves"""
VERSE = """\
  The keeper painted the lamp;
    The baker was asleep,
  And all the barrels were damp
    In the cellar deep."""
INDEX = "Bakers, deaf, 12, 30\nBarrels, 4\nIslands, 1, 2, 7 ff.\nKeepers, _see_ Lamps\nLamps, 1-9"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CONTENTS, "contents_or_table"),
        (CONTENTS.replace("I. ", "I   ").replace("V. ", "V   "), "contents_or_table"),
        (INDEX, "contents_or_table"),
        ("Year   Lamps   Barrels\n1901   2       17\n1902   3       22", "contents_or_table"),
        ("keeper | lamp | barrel | baker\nand one | two | three.", "contents_or_table"),
        ("THE LAMPS\nby\nA. Baker\nwith a view of the harbour", "contents_or_table"),
        ("Chapter the First, in Which a Lamp Is Painted", "heading"),
        ("VIII. THE TWINS                        179", "heading"),
        ("[Illustration: The keeper, who is painting the lamp.]", "illustration"),
        ("Illustration: The keeper, who is painting the lamp.", "illustration"),
        ("[Footnote 7: The lamp was not painted in 1901.]", "footnote"),
        ("[12] The lamp was not painted in 1901.", "footnote"),
        ("Transcriber's Note: the lamp was misspelt, and is so no more.", "note_of_the_publisher"),
        ("E-text prepared by A. Baker and two barrels of volunteers.", "note_of_the_publisher"),
        ("The Project Gutenberg lamps were\nmade in the year of the second barrel.", "note_of_the_publisher"),
    ],
)  # fmt: skip
def test_what_is_no_prose_is_dropped_and_counted(text: str, reason: str) -> None:
    kept, counts = with_prose(text)
    assert kept == []
    assert counts == {f"dropped:{reason}": 1}


def test_a_stanza_is_a_passage() -> None:
    kept, counts = with_prose(VERSE)
    assert kept == [
        "The keeper painted the lamp; The baker was asleep, And all the barrels were damp In the cellar deep."
    ]
    assert counts == {}
    kept, _ = with_prose("I am sick. I want to go home.\n   I am in the infirmary.")
    assert kept == ["I am sick. I want to go home. I am in the infirmary."]


def test_marks_of_italics_and_of_footnotes_are_left_out() -> None:
    kept, _ = with_prose("He _never_[7] prac_tis_ed it,[A] said the (*12) baker. (See 12.)")
    assert kept == ["He never practised it, said the baker. (See 12.)"]


def test_text_that_is_not_wrapped_has_a_paragraph_a_line() -> None:
    line = "The keeper painted the lamp by the harbour. " * 4
    (document,), _ = one_book(f"{line}\n{line}\nA short one.\n{line}\n")
    assert document.passages == [line.strip(), line.strip(), "A short one.", line.strip()]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["to the north-", "east of it"], "to the north-east of it"),
        (["he said--", "and left"], "he said--and left"),
        (["a first - ", " second"], "a first - second"),
        (["one", "  two"], "one two"),
    ],
)
def test_lines_are_joined_as_they_were_before_the_wrap(lines: list[str], expected: str) -> None:
    assert join(lines) == expected


def test_the_small_print_of_old_e_texts_is_stripped() -> None:
    header = (
        "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this here? You know: lawyers.\n"
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n"
    )
    (document,), _ = one_book(f"{header}{PROSE}\n\nEnd of this Project Gutenberg Etext of Lamps\n\nMore of it.\n")
    assert len(document.passages) == 2 and document.passages[0].startswith("The keeper of the light")


@pytest.mark.parametrize("line_end", ["\r\r\n", "\n\r"])
def test_wrapped_lines_are_joined_whatever_ends_them(line_end: str) -> None:
    (document,), counts = one_book(PROSE.replace("\n", line_end))
    assert len(document.passages) == 2 and counts == {}


@pytest.mark.parametrize("blank", ["\xa0", "\f", "\v", " \u3000\t", "\x0c\x0c"])
def test_a_line_of_any_white_space_parts_paragraphs(blank: str) -> None:
    (document,), _ = one_book(PROSE.replace("\n\n", f"\n{blank}\n"))
    assert len(document.passages) == 2
