"""Not a stage: score anybody's predictions for SQuAD as its official scorers do, and print the scores as JSON.

python -m stages.score_squad dev-v1.1.json predictions.json
python -m stages.score_squad dev-v2.0.json predictions.json --null-odds null_odds.json

DATA          questions with their answers, SQuAD JSON
PREDICTIONS   {question id: text}; of v2.0 the empty text says that there is no answer

By v1.1's rules (exact_match, f1; a missing prediction scores 0) where all questions have answers, by v2.0's (exact, f1,
total, HasAns_*, NoAns_*, with --null-odds best_*; a missing prediction is left out) where some have none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bert.pipeline.errors import StageError
from bert.pipeline.job import parser, run
from bert.tasks.squad.data import has_answers, read_gold, squad_version
from bert.tasks.squad.metrics import squad_scores
from bert.tasks.squad.metrics_v2 import THRESHOLD, squad_v2_scores
from bert.tasks.squad.prediction_files import read_null_odds, read_predictions

HELP = "python -m stages.score_squad --help"


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("data", type=Path, metavar="DATA")
    p.add_argument("predictions", type=Path, metavar="PREDICTIONS")
    p.add_argument("--null-odds", type=Path, metavar="FILE", help="{question id: number}, higher: rather no answer")
    p.add_argument(
        "--threshold",
        type=float,
        help=f"predictions with null odds above it count as empty (default: {THRESHOLD}, as evaluate-v2.0)",
    )
    p.add_argument("--version", choices=("auto", "1.1", "2.0"), default="auto", help="whose rules (default: auto)")
    args = p.parse_args(argv)
    if args.threshold is not None and args.null_odds is None:
        p.error("--threshold is one of --null-odds: give these too")
    if args.threshold is not None and math.isnan(args.threshold):
        p.error("--threshold: expected a number, got nan")
    if args.null_odds is not None and args.version == "1.1":
        p.error("--null-odds are of version 2.0, got --version 1.1")
    questions = read_gold(args.data, HELP)
    if not has_answers(questions) and args.version != "2.0":
        raise StageError(
            f"{args.data}: none of its {len(questions)} questions has an answer to score by, nor is one is_impossible",
            run="give a file with answers, or --version 2.0 if to none of these questions there is one",
        )
    expected: Literal["auto", "1.1", "2.0"] = "2.0" if args.null_odds is not None else args.version
    version = squad_version({args.data: questions}, expected, "the same with --version 2.0")
    predictions = read_predictions(args.predictions, questions, HELP)
    if version == "1.1":
        scores = squad_scores(questions, predictions)
        print(json.dumps({name: scores[name] for name in ("exact_match", "f1")}))
        return
    if not predictions:
        raise StageError(
            f"{args.predictions}: expected predictions, got none: v2.0 scores no question without one", run=HELP
        )
    odds = None if args.null_odds is None else read_null_odds(args.null_odds, predictions, questions, HELP)
    threshold = THRESHOLD if args.threshold is None else args.threshold
    print(json.dumps(squad_v2_scores(questions, predictions, odds, threshold), indent=2))


if __name__ == "__main__":
    run(main)
