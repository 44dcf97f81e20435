"""A model like data/models/<finetune.random_like>, of its shape and vocabulary, with random weights: a control.

Reads   data/models/<finetune.random_like>     params: seed
Writes  data/models/random

Examples:
  dvc repro random_weights
  python -m stages.random_weights --init data/models/phase2 --out data/models/random
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section
from bert.tasks.settings import INIT_STAGES


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--init", type=Path, required=True, help="the model whose shape and vocabulary are taken")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args(argv)
    seed = section(int, "seed")
    with job("random_weights", "stages.random_weights", {"seed": seed}, [args.init], None) as work:
        from bert.checkpoints.folder import load_model, save_model
        from bert.model.parameters import encoder_shapes, make_parameters

        start = load_model(args.init, f"dvc repro {INIT_STAGES.get(args.init.name, args.init.name)}")
        weights = make_parameters(encoder_shapes(start.config), start.config, seed)
        result = work.folder / "model"
        save_model(
            result, start.config, {name: w.numpy() for name, w in weights.items()}, start.vocab, start.do_lower_case
        )
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
