r"""The files of one task -> examples, which are all that its training reads.

Reads   data/download/glue or data/cloze/glue, by `glue.data`     params: glue.data, glue.<task>
Writes  data/glue/<task>, metrics/glue_data/<task>.json

The task is one of GLUE's (cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli), or one's own: then glue.<task> says what
its files are, which come through download.glue. In params.yaml, beside the settings of training:

  train_file: reviews/train.csv  below the folder of download.glue
  dev_file: reviews/dev.csv
  test_file: reviews/new.csv     without labels, predicted too; may be left out
  format: auto                   tsv (no quoting, as GLUE's), csv (commas), jsonl; auto: by the suffix; may be left out
  text: [title, body]            the columns, or keys, of one or two texts
  label: stars                   that of what is learned
  kind: classification           or regression
  labels: [bad, good]            the classes in their order; left out: those of the training file, sorted
  scale: [1, 5]                  of a regression alone: the smallest and the largest number, within -10 and 10
  metrics: [accuracy]            the main one first. Of a classification: accuracy, f1 (of the second of two classes),
                                 f1_macro, mcc; of a regression: pearson, spearman

Files are UTF-8. Rows with labels that have a blank text are dropped and counted; all else that does not fit is an error
that names the line.

Examples:
  dvc exp run -S 'download.glue=[{url: "~/glue/RTE", name: RTE}]' -S glue.data=download -S 'glue.tasks=[rte]' \
    glue_data@rte
  python -m stages.glue_data --task rte --data data/download/glue --out data/glue/rte \
    --metrics metrics/glue_data/rte.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section
from bert.tasks.glue.data import Source
from bert.tasks.glue.make import make_task
from bert.tasks.glue.own.settings import OwnTaskSettings, check_name
from bert.tasks.settings import FILE_KEYS, GlueTaskSettings


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--task", required=True)
    p.add_argument("--data", type=Path, required=True, help="folder of the files of all tasks")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    key, source = f"glue.{args.task}", section(Source, "glue.data")
    is_own = check_name(args.task, section(dict[str, Any], "glue"))
    section(GlueTaskSettings, key, without=FILE_KEYS)  # a key that nobody reads is found now, not after a training
    own = section(OwnTaskSettings, key, without=GlueTaskSettings.model_fields) if is_own else None
    with job(
        f"glue_data@{args.task}",
        "stages.glue_data",
        {"task": args.task, "source": source, "own": own},
        [args.data],
        args.metrics,
    ) as work:
        result = work.folder / "result"
        work.metrics |= make_task(args.data, source, args.task, own, result)
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
