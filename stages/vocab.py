"""Learn a lower-cased WordPiece vocabulary from the train shards, or take a given vocab.txt.

Reads   data/shards/train, or vocab.source     params: vocab
Writes  data/vocab.txt, metrics/vocab.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.download.settings import DownloadSettings, Source
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_text
from bert.pipeline.job import job, parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section
from bert.tokens.learner import VocabSettings, describe, learn


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--shards", type=Path, required=True, help="train shards")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    machine = machine_settings()
    given = section(Source | None, "vocab.source")
    settings = section(VocabSettings, "vocab", without=("source",))
    with job(
        "vocab",
        "stages.vocab",
        {"vocab": settings, "source": given},
        [args.shards],
        args.metrics,
    ) as work:
        result = work.folder / "vocab.txt"
        if given is None:
            pieces, counted = learn(args.shards, settings)
            write_text(result, "\n".join(pieces) + "\n")
            work.metrics |= counted
        else:
            # Here, since importing Beam takes longer than most that is done without it.
            from bert.beam.run import Workplace
            from bert.download.lanes import download
            from bert.watch.downloads import watch_download

            how = section(DownloadSettings, "download")
            named = given.model_copy(update={"name": "vocab.txt"})
            place = Workplace(work.folder / "download", machine.work, machine.beam_options, watch_download)
            download([named], how, place, work.folder / "given")
            result = work.folder / "given" / "vocab.txt"
            if not result.is_file():
                raise StageError(
                    f"vocab.source: {given.url} is a folder", run="name the vocab.txt in it, then dvc repro"
                )
        work.metrics |= {**describe(result), "learned": given is None}
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
