r"""Learn a WordPiece vocabulary from the train shards, or take a given vocab.txt.

Reads   data/shards/train, or vocab.source     params: vocab
Writes  data/vocab.txt, data/tokenizer_config.json, metrics/vocab.json

Whether text is lower-cased for it (vocab.do_lower_case: null) is true of a learned vocabulary. Of a given one it is
what tokenizer_config.json or tokenizer.json beside it says, Hugging Face's or those of a model folder; where nothing
says it, or the vocabulary comes from another machine, what its pieces look like.

Examples:
  dvc exp run -S vocab.size=30000 vocab
  python -m stages.vocab --shards data/shards/train --out data/vocab.txt \
    --tokenizer-config data/tokenizer_config.json --metrics metrics/vocab.json
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bert.download.settings import DownloadSettings, Source
from bert.download.sources import files_of
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_text
from bert.pipeline.job import job, parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section
from bert.tokens.casing import TOKENIZER_CONFIG, decide, write_casing
from bert.tokens.hugging_face import casing_beside
from bert.tokens.learner import VocabSettings, describe, learn
from bert.tokens.vocabulary import Vocabulary
from bert.watch.progress import track

log = logging.getLogger(__name__)

PARAMETER = "vocab.do_lower_case"


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--shards", type=Path, required=True, help="train shards")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--tokenizer-config", type=Path, required=True, help="says whether text is lower-cased")
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
        result, casing = work.folder / "vocab.txt", work.folder / "casing"
        said, by = settings.do_lower_case, PARAMETER
        if given is None:
            said = said is not False
            pieces, counted = learn(args.shards, settings, track)
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
            vocabulary = Vocabulary.read(result)
            there = files_of(given, Counter())[0].path
            if said is None and there is not None:
                said, by = casing_beside(there, vocabulary, "dvc repro vocab")
            said, by = decide(vocabulary.pieces, Path(given.url), said, by, PARAMETER)
            log.info("%s: do_lower_case is %s, by %s", given.url, said, by)
        write_casing(casing, said)
        work.metrics |= {**describe(result), "learned": given is None, "do_lower_case": said}
        work.publish({result: args.out, casing / TOKENIZER_CONFIG: args.tokenizer_config})


if __name__ == "__main__":
    run(main)
