"""bert/documents/frames.py: what is a book between the marks of Project Gutenberg, and what is frame."""

from __future__ import annotations

from collections import Counter

import pytest

from bert.documents.frames import unframe

HEADER = """\
The Project Gutenberg eBook of {0}

This ebook is for the use of anyone anywhere in the United States and
most other parts of the world.

Title: {0}

Author: A. Baker

Release date: May 2, 2021 [eBook #99999]

Language: English

"""
START, END = (f"*** {word} OF THE PROJECT GUTENBERG EBOOK {{0}} ***\n\n" for word in ("START", "END"))
LICENCE = """\
Updated editions will replace the previous one--the old editions will
be renamed.

START: FULL LICENSE

Section 1. General Terms of Use and Redistributing Project Gutenberg
electronic works

If you are outside the United States, check the laws of your country
before you copy or perform anything.

This website includes information about Project Gutenberg, including how
to subscribe to our email newsletter to hear about new eBooks.

"""
OLD_HEADER = """\
***The Project Gutenberg Etext of {0}, by A. Baker***

Copyright laws are changing all over the world, be sure to check
the laws for your country before posting these files!!

Please take a look at the important information in this header.
We encourage you to keep this file, exactly as it is, on your
own disk, thereby keeping an electronic path open for the next
readers.

**Welcome To The World of Free Plain Vanilla Electronic Texts**

{0}, by A. Baker

July, 1994 [Etext #99999]

*****This file should be named lamps10.txt or lamps10.zip*****

We would prefer to send you this information by mail.

When all other paths fail, try our director:
director@example.org

"""
SMALL_PRINT = """\
***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is this here? You know: lawyers. They tell us you might sue
us if there is something wrong with your copy.

You can get a refund, and so on for a page or two.

*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

"""
OLD_END = "End of the Project Gutenberg Etext of {0}, by A. Baker\n\n"
BODY = """\
{0} is a book of a keeper who painted the lamp by the harbour
twice a year since he came to the island.

"Twice," said the baker, who had not heard it, "and both of them
were sold."

"""
NEW, OLD = (HEADER + START, END + LICENCE), (OLD_HEADER + SMALL_PRINT, OLD_END)
SMALL_PRINT_BEHIND = (
    HEADER + START,
    END + "This file should be named lamps10.txt or lamps10.zip\n\nInformation about Project Gutenberg (one page)\n\n"
    "**The Legal Small Print**\n\n\n(Three Pages)\n\n" + SMALL_PRINT,
)


def taken(text: str) -> tuple[str, dict[str, int]]:
    """The words that are a book's, and the counts."""
    counts: Counter[str] = Counter()
    return " ".join(unframe(text, counts).split()), dict(counts)


def words(*titles: str) -> str:
    return " ".join(" ".join(BODY.format(title).split()) for title in titles)


def framed(frame: tuple[str, str], title: str) -> str:
    return frame[0].format(title) + BODY.format(title) + frame[1].format(title)


@pytest.mark.parametrize("frame", [NEW, OLD, SMALL_PRINT_BEHIND], ids=["new", "old", "small print behind"])
@pytest.mark.parametrize("titles", [("One",), ("One", "Two", "Three")], ids=["one book", "three"])
def test_books_are_taken_out_of_their_frames(frame: tuple[str, str], titles: tuple[str, ...]) -> None:
    text = "".join(framed(frame, title) for title in titles)
    assert taken(text) == (words(*titles), {"stripped_headers": len(titles), "stripped_footers": len(titles)})


def test_books_in_frames_of_different_years_are_all_taken() -> None:
    frames = {"One": OLD, "Two": SMALL_PRINT_BEHIND, "Three": NEW, "Four": OLD}
    text = "".join(framed(frame, title) for title, frame in frames.items())
    assert taken(text) == (words(*frames), {"stripped_headers": 4, "stripped_footers": 4})


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("*** START OF THIS PROJECT GUTENBERG EBOOK {0} ***", "*** END OF THIS PROJECT GUTENBERG EBOOK {0} ***"),
        ("***START OF THE PROJECT GUTENBERG ETEXT {0}***", "***END OF THE PROJECT GUTENBERG ETEXT {0}***"),
        ("  *** START OF THE PROJECT GUTENBERG EBOOK {0}", "  *** END OF THE PROJECT GUTENBERG EBOOK {0}"),
        (
            "*** START OF THE COPYRIGHTED PROJECT GUTENBERG EBOOK ***",
            "*** END OF THE COPYRIGHTED PROJECT GUTENBERG ***",
        ),
        (
            "*** START OF THE PROJECT GUTENBERG EBOOK A LONG\nTITLE, {0} ***",
            "*** END OF THE PROJECT\nGUTENBERG EBOOK ***",
        ),
        ("* * * START OF PROJECT GUTENBERG'S {0} * * *", "End of Project Gutenberg's {0}, by A. Baker"),
        ("*** BEGIN OF THE PROJECT GUTENBERG EBOOK {0} ***", "End of The Project Gutenberg EBook of\n{0}, by A. Baker"),
        ("*** START OF THIS PROJECT GUTENBERG EBOOK {0} ***", "Ende dieses Project Gutenberg Etextes {0}"),
        ("*** START OF THIS PROJECT GUTENBERG EBOOK {0} ***", "Ende dieses Projekt Gutenberg Etextes {0}"),
        ("*** START OF THIS PROJECT GUTENBERG EBOOK {0} ***", "Fin de Project Gutenberg {0}, par A. Baker"),
        ("*** START OF THIS PROJECT GUTENBERG EBOOK {0} ***", "Einde van Project Gutenberg {0}"),
        ("--- START OF THE PROJECT GUTENBERG EBOOK {0} ---", "--- END OF THE PROJECT GUTENBERG EBOOK {0} ---"),
        ("=== START OF THE PROJECT GUTENBERG EBOOK {0} ===", "—— END OF THE PROJECT GUTENBERG EBOOK {0} ——"),
        ("***\xa0START OF THE PROJECT GUTENBERG EBOOK {0}\xa0***", "\xa0***\xa0END OF THE PROJECT GUTENBERG EBOOK"),
        ("_*** START OF THE PROJECT GUTENBERG EBOOK {0} ***_", "_*** END OF THE PROJECT GUTENBERG EBOOK {0} ***_"),
        ("*** START OF A PROJECT GUTENBERG EBOOK IN TWO-\nPART {0} ***", "Projekti Gutenbergin e-kirja {0} loppui"),
        ("*** START OF THIS PROJECT GUTENBERG EBOOK {0} ***", "Slutet av Projekt Gutenbergs {0}"),
    ],
)
@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_marks_are_known_in_their_wordings(start: str, end: str, gap: str) -> None:
    before_end = "\n\n" if not end.startswith(("*", " ", "-", "—", "\xa0", "_*")) else gap
    body = BODY.format("One").strip() + before_end
    text = HEADER + start + (gap if start.endswith(("*", "-", "=", "_")) else "\n\n") + body + end + "\n\n" + LICENCE
    assert taken(text.format("One")) == (words("One"), {"stripped_headers": 1, "stripped_footers": 1})


@pytest.mark.parametrize("frame", [NEW, OLD], ids=["new", "old"])
def test_a_mark_without_its_counterpart_takes_what_is_frame(frame: tuple[str, str]) -> None:
    begin, end = (part.format("One") for part in frame)
    assert taken(begin + BODY.format("One")) == (words("One"), {"stripped_headers": 1})
    assert taken(BODY.format("One") + end) == (words("One"), {"stripped_footers": 1})


def test_books_that_lack_an_end_are_taken_and_none_of_their_headers() -> None:
    text = "".join(NEW[0].format(title) + BODY.format(title) for title in ("One", "Two", "Three"))
    assert taken(text) == (words("One", "Two", "Three"), {"stripped_headers": 3})


def test_books_that_lack_a_start_are_taken_and_no_licence() -> None:
    text = "".join(BODY.format(title) + NEW[1].format(title) for title in ("One", "Two", "Three"))
    assert taken(text) == (words("One", "Two", "Three"), {"stripped_footers": 3})


def test_a_book_without_a_frame_stands_behind_one_with_it() -> None:
    assert taken(framed(NEW, "One") + BODY.format("Two"))[0] == words("One", "Two")


def test_what_stands_before_a_header_is_a_book() -> None:
    assert taken(BODY.format("Zero") + framed(NEW, "One"))[0] == words("Zero", "One")


@pytest.mark.parametrize("mark", [START, END, "End of Project Gutenberg's {0}\n\n"])
def test_a_mark_that_is_quoted_between_paragraphs_takes_no_prose(mark: str) -> None:
    quoted = BODY.format("One") + mark.format("Lamps") + BODY.format("Two")
    assert taken(NEW[0].format("One") + quoted + NEW[1].format("One"))[0] == words("One", "Two")
    assert taken(quoted)[0] == words("One", "Two")


@pytest.mark.parametrize(
    "paragraph",
    [
        "He read aloud, and came to the line\n*** START OF THE PROJECT GUTENBERG EBOOK LAMPS ***\nand was silent.\n\n",
        "*** END OF THE PROJECT GUTENBERG EBOOK LAMPS *** was what he read\nthere, and he was silent.\n\n",
        '"*** START OF THE PROJECT GUTENBERG EBOOK LAMPS ***" was the line.\n\n',
        "--the\nend of Project Gutenberg's first year, which nobody saw.\n\n",
    ],
)
def test_a_mark_in_a_sentence_is_a_part_of_it(paragraph: str) -> None:
    text = NEW[0].format("One") + BODY.format("One") + paragraph + BODY.format("Two") + NEW[1].format("One")
    expected = f"{words('One')} {' '.join(paragraph.split())} {words('Two')}"
    assert taken(text) == (expected, {"stripped_headers": 1, "stripped_footers": 1})


def test_text_without_marks_is_left_as_it_is() -> None:
    text = f"{BODY.format('One')}\n   \n\n* * * * *\n{BODY.format('Two')}"
    counts: Counter[str] = Counter()
    assert unframe(text, counts) == text and counts == {}


def test_a_frame_around_nothing_leaves_nothing() -> None:
    assert taken(HEADER + START + END + LICENCE) == ("", {})


FEW = "".join(f"The keeper of lamp {n} painted it twice a year.\n\n" for n in range(2))
LONG = "".join(f"The keeper of lamp {n} painted it twice a year.\n\n" for n in range(60))


LEGAL = "**The Legal Small Print**\n\n(Three Pages)\n\n" + SMALL_PRINT
# (end mark, small print behind it, how many books); without either nothing ends a book.
ENDS = [(e, b, n) for e in ("", OLD_END, END) for b in ("", SMALL_PRINT, LEGAL) for n in (1, 3) if e or b or n == 1]


@pytest.mark.parametrize("header", [HEADER, OLD_HEADER], ids=["new", "old"])
@pytest.mark.parametrize("body", [FEW, BODY, BODY * 3, LONG], ids=["few", "two", "six", "long"])
@pytest.mark.parametrize(("end", "behind", "number"), ENDS)
def test_books_without_a_start_mark_lose_their_headers_alone(
    header: str, body: str, end: str, behind: str, number: int
) -> None:
    book = header + body + end + behind
    text, counts = taken("".join(book.format(f"Book {n}") for n in range(number)))
    assert text == " ".join(" ".join(body.format(f"Book {n}").split()) for n in range(number))
    assert 1 <= counts["stripped_headers"] <= number
    assert counts.get("stripped_footers", 0) == (number if end or behind else 0)


def test_prose_on_printing_and_on_e_books_is_no_header() -> None:
    text = "Gutenberg printed a book in Mainz.\n\nAn e-book is not printed.\n\nAn e-text neither.\n\n"
    for unmarked in (text, text.split("\n\n", 1)[1], f"An e-text of old. {text}"):
        assert taken(unmarked) == (" ".join(unmarked.split()), {})
    assert taken(HEADER.format("One") + text.split("An", 1)[0] + BODY.format("One"))[0].startswith("Gutenberg printed")


def test_a_small_print_before_a_book_that_names_its_maker_begins_it() -> None:
    made = "This etext was prepared by A. Baker, from the edition of 1905.\n\n"
    assert taken((OLD_HEADER + SMALL_PRINT + made + BODY + OLD_END).format("One")) == (
        f"{' '.join(made.split())} {words('One')}",
        {"stripped_headers": 1, "stripped_footers": 1},
    )


@pytest.mark.parametrize("header", [HEADER, OLD_HEADER], ids=["new", "old"])
@pytest.mark.parametrize("frame", [OLD, NEW], ids=["old", "new"])
def test_a_book_without_marks_stands_before_one_with_them(header: str, frame: tuple[str, str]) -> None:
    text = (header + BODY).format("One") + framed(frame, "Two")
    assert taken(text) == (words("One", "Two"), {"stripped_headers": 2, "stripped_footers": 1})


@pytest.mark.parametrize("end", [OLD_END, NEW[1]], ids=["old", "new"])
@pytest.mark.parametrize("header", [HEADER, OLD_HEADER], ids=["new", "old"])
def test_small_prints_stand_before_one_book_of_a_file_and_behind_another(header: str, end: str) -> None:
    text = framed((OLD[0], end), "One") + (header + BODY + SMALL_PRINT).format("Two")
    assert taken(text) == (words("One", "Two"), {"stripped_headers": 1, "stripped_footers": 2})
