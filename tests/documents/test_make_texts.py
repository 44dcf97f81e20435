"""bert/documents/make.py on books and texts: their encodings, formats and frames."""

from __future__ import annotations

import json
import logging
import textwrap
from pathlib import Path

import pytest

from bert.beam.run import Workplace
from bert.documents import items
from bert.pipeline.errors import StageError
from tests.corpus import document
from tests.documents.downloaded import Corpus, books, jsonl, text
from tests.project import files

RIVERS = [f"Река номер {n} была высокой той весной, и паром через неё не ходил." for n in range(40)]


@pytest.mark.parametrize("corpus", ["books", "text"], indirect=True)
def test_what_is_in_no_known_encoding_is_left_out_counted_listed_and_said(
    corpus: Corpus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="bert")
    made = corpus(a_txt=RIVERS[0].encode("cp1251"), b_txt=document(1).split("\n")[0])
    assert [d["text"] for d in made] == [document(1).split("\n")[0]]
    assert (corpus.metrics["failed"], corpus.metrics["dropped"]) == (1, {"mojibake": 1})
    (listed,) = map(json.loads, corpus.read("errors.jsonl"))
    assert listed["file"] == "a.txt" and "Ðåêà" in listed["reason"] and "`encoding`" in listed["reason"]
    assert any("a.txt" in said and "`encoding`" in said for said in caplog.messages)


@text
def test_a_corpus_in_no_known_encoding_is_an_error_that_names_the_parameter(corpus: Corpus) -> None:
    with pytest.raises(StageError, match=r"not one document .*'dropped:mojibake': 40.*name the `encoding`"):
        corpus(a_txt="\n".join(RIVERS).encode("koi8-r"))


@pytest.mark.parametrize("corpus", ["text"], indirect=True)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("form", ["lines", "jsonl", "bert"])
def test_a_text_in_unicode_is_the_same_documents_in_any_form_of_it_and_any_number_of_pieces(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, form: str
) -> None:
    written = {
        "lines": "\n".join(RIVERS),
        "jsonl": "".join(json.dumps({"text": river}, ensure_ascii=False) + "\n" for river in RIVERS),
        "bert": "\n\n".join("\n".join(RIVERS[n : n + 4]) for n in range(0, 40, 4)),
    }[form]
    about = {"format": form} if form == "bert" else {}
    corpus.about = about
    whole = corpus(a_txt=written)
    assert [river for d in whole for river in d["text"].split("\n")] == RIVERS
    assert len(whole) == (10 if form == "bert" else 40)
    monkeypatch.setattr(items, "LEAST_ITEM_BYTES", 500)
    cut, other = Corpus(tmp_path / "cut", "text"), Corpus(tmp_path / "other", "text")
    cut.about = other.about = about
    assert cut(a_txt=written) == whole and len(list(cut.out.glob("documents-*"))) > 2
    assert other(a_txt=written.encode(encoding)) == whole


@pytest.mark.parametrize("corpus", ["books", "text"], indirect=True)
def test_a_source_names_its_encoding(corpus: Corpus) -> None:
    corpus.about = {"encoding": "cp1251"}
    made = corpus(a_txt=RIVERS[0].encode("cp1251"), b_txt=RIVERS[1].encode("utf-8-sig"))
    assert [d["text"] for d in made] == RIVERS[:2]
    assert corpus.metrics["dropped"] == {}


@text
@pytest.mark.parametrize("name", ["a_json", "a_ndjson", "a_JSONL", "a_txt", "a"])
def test_json_lines_are_read_as_such_under_any_name(corpus: Corpus, name: str) -> None:
    made = corpus(**{name: jsonl(range(3))})
    assert [(d["id"], d["text"]) for d in made] == [(f"text:{n}", document(n)) for n in range(3)]


@text
def test_a_format_that_is_named_is_that_of_the_file(corpus: Corpus) -> None:
    corpus.about = {"format": "lines"}
    made = corpus(a_txt=jsonl(range(2)))
    assert [d["text"] for d in made] == jsonl(range(2)).splitlines()


BERT = "".join(document(n) + "\n\n" for n in range(60))


@text
def test_bert_s_own_format_is_read_in_pieces_of_whole_documents(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus.about = {"format": "bert"}
    whole = corpus(a_txt=BERT)
    assert [d["text"] for d in whole] == [document(n) for n in range(60)]
    for least in (100, 300, 1000):
        monkeypatch.setattr(items, "LEAST_ITEM_BYTES", least)
        cut = Corpus(tmp_path / str(least), "text")
        cut.about = {"format": "bert"}
        assert cut(a_txt=BERT) == whole
        assert cut.metrics == corpus.metrics


@text
def test_a_file_that_looks_like_bert_s_own_format_is_said_and_taken_line_by_line(
    corpus: Corpus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="bert")
    made = corpus(a_txt=BERT, b_txt=document(0), c_txt=BERT.replace("\n", "\r\n"))
    assert len(made) == 2 * 180 + 3
    (said,) = [m for m in caplog.messages if "BERT's own format" in m]
    assert said.startswith("text: a.txt and 1 more files") and "`format: bert`" in said and "`format: lines`" in said
    assert "prose" in said and "download.books" in said
    assert corpus.metrics["files_like_bert"] == 2
    caplog.clear()
    corpus.about = {"format": "lines"}
    corpus()
    assert not [m for m in caplog.messages if "BERT's own format" in m]


WRAPPED = "\n\n".join(textwrap.fill(document(n).replace("\n", " "), 40) for n in range(10)) + "\n"
"""Prose in lines of 40 characters, an empty line between paragraphs."""


@pytest.mark.parametrize("corpus", ["books"], indirect=True)
def test_wrapped_prose_under_books_is_a_document_a_file_as_the_warning_says(corpus: Corpus) -> None:
    made = corpus(a_txt=WRAPPED, b_txt=WRAPPED.replace("1", "2"))
    assert len(made) == 2 and all(len(d["text"].split("\n")) == 10 for d in made)


@text
def test_wrapped_prose_under_text_is_said(corpus: Corpus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="bert")
    assert len(corpus(a_txt=WRAPPED)) > 10
    assert [m for m in caplog.messages if m.startswith("text: a.txt: lines in groups") and "download.books" in m]


@books
def test_three_books_in_one_file_are_all_read(corpus: Corpus) -> None:
    def frame(n: int) -> str:
        star = "THE PROJECT GUTENBERG EBOOK ***\n\n"
        return f"The Project Gutenberg eBook of {n}\n\n*** START OF {star}{document(n)}\n\n*** END OF {star}"

    (made,) = corpus(a_txt="".join(map(frame, range(3))).replace("\n", "\n\n"))
    assert made["text"] == "\n".join(map(document, range(3)))
    assert (corpus.metrics["stripped_headers"], corpus.metrics["stripped_footers"]) == (3, 3)


@books
def test_a_book_whose_small_print_stands_behind_is_read(corpus: Corpus) -> None:
    book = f"*** START OF THE PROJECT GUTENBERG EBOOK ***\n\n{document(1)}\n\nEnd of Project Gutenberg's Lamps\n\n"
    small_print = "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN EBOOKS**START***\n\nYou know: lawyers.\n\n"
    (made,) = corpus(
        a_txt=(book + small_print + "*END THE SMALL PRINT! FOR EBOOKS*Ver.02/11/02*END*").replace("\n", "\n\n")
    )
    assert made["text"] == document(1) and "empty_book" not in corpus.metrics["dropped"]


@books
def test_a_frame_around_nothing_is_listed(corpus: Corpus) -> None:
    mark = "OF THE PROJECT GUTENBERG EBOOK ***"
    corpus(a_txt=f"*** START {mark}\n\n*** END {mark}\n\nA long licence of it.\n", b_txt=document(1))
    assert corpus.metrics["dropped"]["empty_book"] == 1
    (listed,) = map(json.loads, corpus.read("errors.jsonl"))
    assert listed["file"] == "a.txt" and "no text" in listed["reason"]


@text
@pytest.mark.slow
def test_workers_of_a_text_change_no_byte(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "LEAST_ITEM_BYTES", 1500)
    contents: dict[str, bytes | str] = {
        "a_txt": BERT,
        "b_txt": BERT.encode("utf-16"),
        "c_txt": RIVERS[0].encode("koi8-r"),
    }
    corpus.about = {"format": "bert"}
    corpus.place = Workplace(corpus.folder / "scratch", options=["--direct_running_mode=in_memory"])
    corpus(**contents)
    many = Corpus(tmp_path / "many", "text")
    three = ("--direct_running_mode=multi_processing", "--direct_num_workers=3")
    many.about, many.place = corpus.about, Workplace(many.folder / "scratch", options=three)
    many(**contents)
    assert files(many.out) == files(corpus.out) and many.metrics == corpus.metrics
    assert many.metrics["documents"] == 120 and many.metrics["failed"] == 1
