"""Take over somebody's checkpoint: Google's, NVIDIA's or a Hugging Face folder.

Reads   import_checkpoint.source: the files of the checkpoint, or null     params: import_checkpoint
Writes  data/models/imported, metrics/import_checkpoint.json

The files are weights, configuration and vocab.txt, side by side or in a folder or tar: *.safetensors (one, or shards)
or a TensorFlow checkpoint. Of several the one counts that TensorFlow's file `checkpoint` names, or that
import_checkpoint.weights does. Whether text is lower-cased (do_lower_case) is what Hugging Face's tokenizer_config.json
or tokenizer.json says; where nothing says it, what the pieces look like. A key of the configuration that would change
what is computed is an error that names it; `ignore` lists keys that are known to do nothing.

Without a source the folder holds only a manifest that says so; a task with finetune.init=imported then gives the error.

Examples:
  dvc exp run -S 'import_checkpoint.source=[{url: "~/models/bert-base-uncased"}]' import_checkpoint
  python -m stages.import_checkpoint --out data/models/imported --metrics metrics/import_checkpoint.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.checkpoints.settings import ImportSettings
from bert.download.settings import DownloadSettings, Source
from bert.pipeline import manifest
from bert.pipeline.job import job, parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    machine = machine_settings()
    sources = section(list[Source] | None, "import_checkpoint.source") or []
    settings = section(ImportSettings, "import_checkpoint", without=("source",))
    how = section(DownloadSettings, "download", without=("wikipedia", "books", "text", "squad", "glue"))
    with job(
        "import_checkpoint",
        "stages.import_checkpoint",
        {"source": sources, "import_checkpoint": settings},
        [],
        args.metrics,
    ) as work:
        result = work.folder / "model"
        if sources:
            from bert.beam.run import Workplace
            from bert.checkpoints.folder import save_model
            from bert.checkpoints.importers import read_checkpoint
            from bert.download.lanes import download
            from bert.watch.downloads import watch_download

            place = Workplace(work.folder, machine.work, machine.beam_options, watch_download)
            download(sources, how, place, work.folder / "files")
            model = read_checkpoint(work.folder / "files", **settings.model_dump())
            save_model(result, model.config, model.weights, model.vocab, model.do_lower_case)
            count = sum(w.size for w in model.weights.values())
            work.metrics |= {
                "configured": True,
                "weights": len(model.weights),
                "parameters": int(count),
                **model.described,
            }
        else:
            manifest.write_unconfigured(result)
            work.metrics |= {"configured": False}
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
