"""bert/text/documents.py: the files of a corpus -> JSON lines, on Beam in this process."""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.text import documents as module
from bert.text.documents import make_documents
from bert.text.settings import DocumentsSettings
from tests.corpus import HEAD, TAIL, document, multistream, page
from tests.project import files

SETTINGS = DocumentsSettings(min_passage_chars=20, max_page_bytes=10_000)


class Corpus:
    """A downloaded folder, and what becomes of it."""

    def __init__(self, folder: Path, corpus: str) -> None:
        self.folder, self.corpus = folder, corpus
        self.source, self.scratch, self.out = folder / "source", folder / "scratch", folder / "out"
        self.source.mkdir(parents=True)

    def __call__(self, **contents: bytes | str) -> list[dict[str, Any]]:
        """Documents of these files; `a_txt` is a.txt."""
        for name, data in contents.items():
            path = self.source / name.replace("_", ".")
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
        found = [p for p in files(self.source) if p != manifest.NAME]
        manifest.write(self.source, [{"path": path, "url": f"https://example.org/{path}"} for path in found])
        self.metrics = make_documents(self.corpus, self.source, SETTINGS, self.scratch, self.out)
        lines = [line for f in manifest.read(self.out, "x")["files"] for line in self.read(f["path"])]
        return [json.loads(line) for line in lines]

    def read(self, path: str) -> list[str]:
        return (self.out / path).read_text().splitlines()


@pytest.fixture
def corpus(tmp_path: Path, request: pytest.FixtureRequest) -> Corpus:
    return Corpus(tmp_path / "corpus", request.param)


wikipedia = pytest.mark.parametrize("corpus", ["wikipedia"], indirect=True)
books = pytest.mark.parametrize("corpus", ["books"], indirect=True)
text = pytest.mark.parametrize("corpus", ["text"], indirect=True)

DUMP = multistream(HEAD, *(page(n, document(n)) for n in range(1, 7)), page(8, "x", namespace=10) + TAIL)


@wikipedia
def test_a_dump_becomes_documents_with_its_drops_counted(corpus: Corpus) -> None:
    told = corpus(dump_xml_bz2=DUMP)
    assert [d["id"] for d in told] == [f"wikipedia:{n}" for n in range(1, 7)]
    assert told[0]["text"] == document(1)
    assert told[0].keys() == {"id", "url", "title", "text"}
    assert corpus.metrics == {
        "characters": sum(len(d["text"]) for d in told),
        "documents": 6,
        "files": 1,
        "pages": 7,
        "passages": 18,
        "dropped": {"not_main_namespace": 1},
    }


@wikipedia
def test_an_uncompressed_dump_gives_the_same_documents(corpus: Corpus, tmp_path: Path) -> None:
    packed = corpus(dump_xml_bz2=DUMP)
    assert Corpus(tmp_path / "plain", "wikipedia")(dump_xml=bz2.decompress(DUMP)) == packed


@wikipedia
def test_the_index_of_a_dump_by_its_date_is_no_dump(corpus: Corpus) -> None:
    corpus.source.mkdir(parents=True, exist_ok=True)
    for part in ("1.{}-p1p99", "27.{}-p100p200"):
        index = part.format("txt")
        (corpus.source / f"xxwiki-20260901-pages-articles-multistream-index{index}.bz2").write_bytes(
            bz2.compress(b"0:1:A")
        )
    told = corpus(dump_xml_bz2=DUMP)
    assert len(told) == 6
    assert corpus.metrics["files"] == 1
    assert corpus.metrics["dropped"] == {"index_of_a_dump": 2, "not_main_namespace": 1}


def with_noise(stream: int) -> bytes:
    """A dump with one of its streams overwritten in the middle; all that follow it are whole."""
    streams = [bz2.compress(stream.encode()) for stream in (HEAD, page(1, document(1)), page(2, document(2)), TAIL)]
    bad = bytearray(streams[stream])
    bad[40:80] = bytes(40)
    return b"".join([*streams[:stream], bytes(bad), *streams[stream + 1 :]])


@wikipedia
@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("cut_xml_bz2", DUMP[:-30], "ended before the end-of-stream marker"),
        ("cut_xml_bz2", DUMP[:200], "ended before the end-of-stream marker|no element found"),
        ("corrupt_xml_bz2", with_noise(stream=0), "Invalid data stream"),
        # Behind the first stream bz2 takes noise for the file's end, without a word: the XML tells.
        ("corrupt_xml_bz2", with_noise(stream=2), "no element found"),
        ("cut_xml", HEAD + page(1, document(1)), "no element found"),
        ("broken_xml", HEAD + "<page><title>Mill & Sons</title></page>" + TAIL, "not well-formed"),
        ("not_xml_bz2", b"<html>404</html>", "Invalid data stream"),
        ("empty_xml", b"", "no element found"),
    ],
)
def test_a_broken_dump_is_an_error_that_names_it_and_nothing_is_published(
    corpus: Corpus, name: str, data: bytes | str, reason: str
) -> None:
    with pytest.raises(StageError, match=reason) as caught:
        corpus(**{name: data})
    file = name.replace("_", ".")
    assert f"wikipedia: {file} (https://example.org/{file}) cannot be read" in str(caught.value)
    assert caught.value.run == "replace the file, then dvc repro -f download@wikipedia && dvc repro"
    assert files(corpus.out) == {}


@books
def test_each_file_of_books_is_a_document(corpus: Corpus) -> None:
    told = corpus(
        a_txt=document(1).replace("\n", "\n\n"), b_txt=document(2).encode("cp1252") + "é à la".encode("cp1252")
    )
    assert [d["id"] for d in told] == ["books:a.txt", "books:b.txt"]
    assert told[0]["text"] == document(1)
    assert corpus.metrics["decoded_as_cp1252"] == 1


@text
def test_each_line_of_text_is_a_document(corpus: Corpus) -> None:
    lines = [{"id": n, "text": document(n)} for n in (1, 2)]
    told = corpus(a_txt=document(3), b_jsonl="\n".join(map(json.dumps, lines)))
    assert [d["id"] for d in told] == ["text:a.txt:1", "text:a.txt:2", "text:a.txt:3", "text:1", "text:2"]


@text
def test_a_malformed_line_names_file_and_line(corpus: Corpus) -> None:
    with pytest.raises(StageError, match=r"text: b\.jsonl .*line 2: Expecting value") as caught:
        corpus(a_txt=document(3), b_jsonl='{"text": "' + document(1).replace("\n", " ") + '"}\nneither here\n')
    assert "download@text" in str(caught.value.run)
    assert files(corpus.out) == {}


@text
def test_an_unconfigured_corpus_gives_a_folder_that_says_so(corpus: Corpus) -> None:
    manifest.write_unconfigured(corpus.source)
    told = make_documents("text", corpus.source, SETTINGS, corpus.scratch, corpus.out)
    assert told == {"documents": 0, "passages": 0, "characters": 0, "files": 0, "dropped": {}}
    assert list(files(corpus.out)) == ["manifest.json"]
    assert manifest.read(corpus.out, "x")["configured"] is False


@wikipedia
def test_a_configured_corpus_without_a_document_is_an_error_that_tells_what_was_dropped(corpus: Corpus) -> None:
    with pytest.raises(StageError, match=r"not one document .*'dropped:redirect': 1") as caught:
        corpus(dump_xml=HEAD + page(1, "#REDIRECT [[Mill]]") + TAIL)
    assert "download.wikipedia" in str(caught.value.run)
    assert files(corpus.out) == {}


@text
def test_a_truncated_download_is_noticed(corpus: Corpus) -> None:
    corpus(a_txt=document(3))
    (corpus.source / "a.txt").write_text("cut")
    with pytest.raises(StageError, match=r"a\.txt: 3 bytes, expected") as caught:
        make_documents("text", corpus.source, SETTINGS, corpus.scratch, corpus.out)
    assert caught.value.run == "dvc repro download@text"


@books
def test_small_files_share_an_output_and_large_ones_do_not(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ITEM_BYTES", 1000)
    contents = {f"{n}_txt": document(n).replace("\n", "\n\n") for n in range(8)} | {"9_txt": document(9, passages=20)}
    told = corpus(**contents)
    entries = manifest.read(corpus.out, "x")["files"]
    sizes = [(corpus.source / name.replace("_", ".")).stat().st_size for name in contents]
    assert 1 < len(entries) < 9 and sum(e["documents"] for e in entries) == 9
    assert sizes[-1] > 1000 and entries[-1]["documents"] == 1
    assert [d["id"] for d in told] == [f"books:{n}.txt" for n in (*range(8), 9)]
