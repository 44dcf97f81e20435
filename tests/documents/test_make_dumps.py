"""bert/documents/make.py: a dump of a wiki, whole or in pieces -> JSON lines, on Beam in this process."""

from __future__ import annotations

import bz2
import json
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bert.beam.run import Workplace
from bert.documents import items
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from tests.corpus import HEAD, TAIL, document, documents_settings, index_of, multistream, page
from tests.documents.downloaded import Corpus, in_pieces, wikipedia
from tests.project import files

DUMP = multistream(
    HEAD, *(page(n, document(n).replace("\n", "\n\n")) for n in range(1, 7)), page(8, "x", namespace=10) + TAIL
)


@wikipedia
def test_a_dump_becomes_documents_with_its_drops_counted(corpus: Corpus) -> None:
    documents = corpus(dump_xml_bz2=DUMP)
    assert [d["id"] for d in documents] == [f"wikipedia:{n}" for n in range(1, 7)]
    assert documents[0]["text"] == document(1)
    assert documents[0].keys() == {"id", "url", "title", "text"}
    assert corpus.metrics == {
        "articles": 6,
        "bytes": sum(len(d["text"].encode()) for d in documents),
        "characters": sum(len(d["text"]) for d in documents),
        "documents": 6,
        "files": 1,
        "pages": 7,
        "passages": 18,
        "words": sum(len(d["text"].split()) for d in documents),
        "dropped": {"not_main_namespace": 1},
        "unknown_templates": {
            "names": 0,
            "inline": 0,
            "inline_per_1000_words": 0.0,
            "block": 0,
            "words": 0,
            "most_frequent": {},
        },
    }
    assert (corpus.out / "templates.jsonl").read_text() == ""


@wikipedia
def test_what_unknown_templates_held_is_counted_and_listed(corpus: Corpus) -> None:
    texts = [
        "The keeper saw a {{bird kind|grey heron}} and {{bird kind|crane}} by the mill{{citation needed}} that day.",
        "{{nest box|an old one|where=mill}}\n\nShe saw one {{bird kind|old {{size|tall}} stork}} by the mill that day.",
        "* a list with a {{bird kind|heron}}\n\nThe clerk saw {{size|a tall}} one by the mill and the harbour.",
    ]
    documents = corpus(dump_xml=HEAD + "".join(page(n, t) for n, t in enumerate(texts, start=1)) + TAIL)
    assert documents[0]["text"] == "The keeper saw a and by the mill that day."
    listed = [json.loads(line) for line in (corpus.out / "templates.jsonl").read_text().splitlines()]
    assert listed == [
        {"template": "bird kind", "inline": 3, "block": 0, "words": 5},
        {"template": "nest box", "inline": 0, "block": 1, "words": 3},
        {"template": "size", "inline": 1, "block": 0, "words": 2},
    ]
    assert corpus.metrics["unknown_templates"] == {
        "names": 3,
        "inline": 4,
        "inline_per_1000_words": round(4000 / corpus.metrics["words"], 4),
        "block": 1,
        "words": 10,
        "most_frequent": {"bird kind": 3, "size": 1},
    }


@wikipedia
def test_an_uncompressed_dump_gives_the_same_documents(corpus: Corpus, tmp_path: Path) -> None:
    packed = corpus(dump_xml_bz2=DUMP)
    assert Corpus(tmp_path / "plain", "wikipedia")(dump_xml=bz2.decompress(DUMP)) == packed


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
        ("cut_xml_bz2", DUMP[:200], "the bz2 stream at byte 0 ended before the end-of-stream marker"),
        ("corrupt_xml_bz2", with_noise(stream=0), "the bz2 stream at byte 0 is corrupt"),
        ("corrupt_xml_bz2", with_noise(stream=2), "the bz2 stream at byte [0-9]+ is corrupt"),
        ("cut_xml", HEAD + page(1, document(1)), "no element found"),
        ("broken_xml", HEAD + "<page><title>Mill & Sons</title></page>" + TAIL, "not well-formed"),
        ("not_xml_bz2", b"<html>404</html>", "it is an HTML page; expected a MediaWiki dump"),
        ("empty_xml", b"", "no element found"),
        ("packed_xml_gz", b"\x1f\x8b", "it is packed by gzip; dumps are read as XML, or XML packed by bzip2"),
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


@wikipedia
def test_a_configured_corpus_without_a_document_is_an_error_that_tells_what_was_dropped(corpus: Corpus) -> None:
    with pytest.raises(StageError, match=r"not one document .*'dropped:redirect': 1") as caught:
        corpus(dump_xml=HEAD + page(1, "#REDIRECT [[Mill]]") + TAIL)
    assert "download.wikipedia" in str(caught.value.run)
    assert files(corpus.out) == {}


STREAMS = ["".join(page(n, document(n)) for n in range(first, first + 3)) for first in range(1, 31, 3)]
LARGE = multistream(HEAD, *STREAMS, TAIL)
NAME = "wiki-pages-articles-multistream_xml_bz2"
INDEX = "wiki-pages-articles-multistream-index_txt"


@wikipedia
@pytest.mark.parametrize("indexed", [True, False])
def test_many_items_read_one_dump_and_the_documents_are_the_same(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    whole = corpus(**{NAME: LARGE})
    assert len(list(corpus.out.glob("documents-*"))) == 1
    in_pieces(monkeypatch)
    cut = Corpus(tmp_path / "cut", "wikipedia")
    documents = cut(**{NAME: LARGE}, **({INDEX: index_of(*STREAMS)} if indexed else {}))
    assert len(list(cut.out.glob("documents-*"))) > 3
    assert documents == whole and len(documents) == 30
    assert cut.metrics == corpus.metrics


@wikipedia
@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(monkeypatch)
    corpus.place = Workplace(corpus.folder / "scratch", options=["--direct_running_mode=in_memory"])
    corpus(**{NAME: LARGE})
    many = Corpus(tmp_path / "many", "wikipedia")
    three = ("--direct_running_mode=multi_processing", "--direct_num_workers=3")
    many.place = Workplace(many.folder / "scratch", options=three)
    many(**{NAME: LARGE})
    assert files(many.out) == files(corpus.out)


@wikipedia
@pytest.mark.parametrize("damage", ["xml", "stream"])
def test_damage_in_one_of_many_pieces_is_told_with_its_place(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    in_pieces(monkeypatch)
    streams = [HEAD, *STREAMS, TAIL]
    if damage == "xml":
        streams[5] = streams[5].replace("</title>", "</titel>", 1)
    packed = [bytearray(bz2.compress(stream.encode())) for stream in streams]
    if damage == "stream":
        packed[5][50:60] = bytes(10)
    begin = sum(map(len, packed[:5]))
    reason = "mismatched tag" if damage == "xml" else f"the bz2 stream at byte {begin} is corrupt"
    with pytest.raises(StageError, match=rf"multistream\.xml\.bz2 .* cannot be read from byte [0-9]+ on: {reason}"):
        corpus(**{NAME: b"".join(packed)})
    assert files(corpus.out) == {}


@wikipedia
@pytest.mark.slow
def test_workers_that_read_and_write_in_a_bucket_give_the_same_bytes(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    in_pieces(monkeypatch)
    redirects = "".join(page(n, "#REDIRECT [[Mill]]") for n in range(50, 80))
    dump = multistream(HEAD, STREAMS[0], redirects, page(41, "{{" * 30), STREAMS[1], TAIL)
    corpus.settings = documents_settings(max_error_rate=0.5)
    corpus(**{NAME: dump})
    remote = Corpus(tmp_path / "remote", "wikipedia")
    remote.place = Workplace(remote.folder / "scratch", f"{bucket}/bert")
    remote.settings = corpus.settings
    remote(**{NAME: dump})
    assert files(remote.out) == files(corpus.out)
    assert remote.metrics == corpus.metrics and remote.metrics["failed"] == 1


@wikipedia
def test_an_index_without_its_dump_is_an_error(corpus: Corpus) -> None:
    with pytest.raises(
        StageError, match=r"multistream-index\.txt is the index of .*multistream\.xml\.bz2, which is not"
    ):
        corpus(**{"other_xml_bz2": LARGE, INDEX: index_of(*STREAMS)})


@wikipedia
def test_an_index_that_does_not_match_is_an_error(corpus: Corpus) -> None:
    with pytest.raises(StageError, match=r"not the index of .* where none begins"):
        corpus(**{NAME: LARGE, INDEX: b"200:1:Page\n"})
    assert files(corpus.out) == {}


@wikipedia
def test_failed_pages_are_listed_in_the_order_of_the_input(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(monkeypatch)
    corpus.settings = documents_settings(max_error_rate=0.1)
    bad = [page(41, "{{" * 30, title="Fünf"), page(42, "x" * 10_001)]
    streams = [*STREAMS[:2], bad[0], *STREAMS[2:], bad[1]]
    documents = corpus(**{NAME: multistream(HEAD, *streams, TAIL)})
    assert len(documents) == 30
    file = NAME.replace("_", ".")
    assert [json.loads(line) for line in corpus.read("errors.jsonl")] == [
        {"id": "wikipedia:41", "title": "Fünf", "reason": "markup nested more than 20 deep", "file": file},
        {"id": "wikipedia:42", "title": "Page 42", "reason": "10001 bytes, more than 10000", "file": file},
    ]
    assert (corpus.metrics["failed"], corpus.metrics["dropped"]) == (2, {"page_over_a_limit": 2})
    assert "errors.jsonl" not in [entry["path"] for entry in manifest.read(corpus.out, "x")["files"]]


@wikipedia
def test_too_many_failed_pages_fail_the_stage_and_their_list_stays(corpus: Corpus) -> None:
    corpus.settings = documents_settings(max_error_rate=0.2)
    good = [page(n, document(n)) for n in range(1, 7)]
    bad = [page(7, "{{" * 30, title="Deep"), page(8, "{{" * 30)]
    with pytest.raises(StageError, match=r"2 of 8 articles failed, more than documents.max_error_rate = 0.2") as caught:
        corpus(dump_xml=HEAD + "".join(good + bad) + TAIL)
    assert "'Deep' (wikipedia:7 of dump.xml): markup nested more than 20 deep" in str(caught.value)
    assert len((corpus.place.scratch / "errors.jsonl").read_text().splitlines()) == 2
    assert files(corpus.out) == {}
    corpus.settings = documents_settings(max_error_rate=0.25)
    assert len(corpus()) == 6


@wikipedia
def test_a_page_of_30_megabytes_is_a_failed_page(corpus: Corpus) -> None:
    corpus.settings = documents_settings(max_error_rate=0.5)
    documents = corpus(dump_xml=HEAD + page(1, document(1)) + page(2, "{{ab|" * 6_000_000) + TAIL)
    assert [d["id"] for d in documents] == ["wikipedia:1"]
    assert json.loads(corpus.read("errors.jsonl")[0])["reason"] == "30000000 bytes, more than 10000"


@wikipedia
def test_a_real_dump_leaves_no_failed_page_and_no_markup(corpus: Corpus) -> None:
    gensim = distribution("gensim")
    name = "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
    corpus.settings = documents_settings(
        min_passage_chars=40, max_page_bytes=4_000_000, max_page_nodes=500_000, max_page_depth=100
    )
    documents = corpus(dump_bz2=Path(str(gensim.locate_file(name))).read_bytes())
    text = "\n".join(d["text"] for d in documents)
    assert len(documents) == 103 and "failed" not in corpus.metrics
    for trace in ("[[", "]]", "{{", "}}", "{|", "<ref", "</", "()", "( ", " )", "(,", "  ", "__", "thumb|", "File:"):
        assert trace not in text, trace


@wikipedia
def test_an_index_finds_its_dump_under_names_in_capitals(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(monkeypatch)
    documents = corpus(**{NAME.upper(): LARGE, INDEX.upper(): bz2.compress(index_of(*STREAMS))})
    assert len(documents) == 30 and corpus.metrics["files"] == 1
    assert len(list(corpus.out.glob("documents-*"))) > 3


@wikipedia
@pytest.mark.parametrize("name", ["dump_XML_BZ2", "dump", "dump_xml", "dump_xml_gz"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_dump_is_what_its_bytes_say(corpus: Corpus, tmp_path: Path, name: str, packed: bool) -> None:
    whole = corpus(dump_xml_bz2=DUMP)
    other = Corpus(tmp_path / "other", "wikipedia")
    assert other(**{name: DUMP if packed else bz2.decompress(DUMP)}) == whole and len(whole) == 6


@wikipedia
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_xml_in_another_encoding_is_read_whole(corpus: Corpus, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(items, "LEAST_ITEM_BYTES", 500)
    pages = "".join(page(n, f"Où est le café du gardien numéro {n}?") for n in range(20))
    declared = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>"
    documents = corpus(dump_xml=(declared + HEAD + pages + TAIL).encode(encoding))
    assert [d["text"] for d in documents] == [f"Où est le café du gardien numéro {n}?" for n in range(20)]


@wikipedia
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"text": "The keeper."}', 'text that begins with \'{"text": "The keeper'),
        (bz2.compress(b"<html></html>"), "an HTML page"),
        (b"<?xml version='1.0'?><rss/>", r"XML \(<rss>\)"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    ],
)
def test_what_is_no_dump_is_told(corpus: Corpus, data: bytes, reason: str) -> None:
    with pytest.raises(StageError, match=rf"wikipedia: dump\.xml .* cannot be read: it is {reason}"):
        corpus(dump_xml=data)
