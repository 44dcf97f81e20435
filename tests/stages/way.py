"""The whole way from a dump to TFRecords, stage by stage, in processes of their own."""

from __future__ import annotations

from tests.corpus import HEAD, PIECES, TAIL, document, multistream, page
from tests.project import Project, files


def sources(project: Project) -> None:
    """Two dumps and a vocabulary, and params.yaml that names them."""
    (project.path / "given").mkdir()
    for name, numbers in (("a", range(1, 25)), ("b", range(25, 40))):
        pages = [page(n, document(n)) for n in numbers]
        (project.path / "given" / f"{name}.xml.bz2").write_bytes(multistream(HEAD, *pages, TAIL))
    (project.path / "data").mkdir()
    (project.path / "data/vocab.txt").write_text("\n".join(PIECES) + "\n")
    project.set(download={"wikipedia": [{"url": "given/a.xml.bz2"}, {"url": "given/b.xml.bz2"}]})


def stages(project: Project) -> dict[str, list[str]]:
    """The arguments of every Beam stage, in the order of the pipeline."""
    lengths = ["--lengths", "metrics/lengths/phase1.tsv"]
    shards = ["--train", "data/shards/train", "--test", "data/shards/test", "--vocab", "data/vocab.txt"]
    return {
        "download": ["--source", "wikipedia", *project.arguments("download", "wikipedia")],
        "documents": [
            *("--corpus", "wikipedia", "--source", "data/download/wikipedia"),
            *project.arguments("documents", "wikipedia"),
        ],
        "shards": ["--documents", "data/documents/wikipedia", *project.arguments("shards")],
        "tfrecords": ["--phase", "phase1", *shards, *project.arguments("tfrecords", "phase1"), *lengths],
    }


def made(project: Project) -> dict[str, bytes]:
    """Every file that the stages have published, but for the records of when and where."""
    metrics = {name: data for name, data in files(project.path / "metrics").items() if "provenance" not in name}
    return files(project.path / "data") | metrics
