"""Not a stage: ask a model that was fine-tuned on SQuAD about a text of any length.

python -m stages.ask --model data/models/squad --context article.txt "In which year was Ada born?"
python -m stages.ask --model data/models/squad --context article.txt --serve

Prints the best answers with score and place: characters start to end (exclusive, from 0) of the text, in which a byte
order mark counts for nothing. A text is read through overlapping windows of squad.max_seq_length tokens; of a long one
only those most like the question are read (BM25 over WordPieces), and the output says how many of how many.
--serve opens a page for the same, on this machine alone by default; Ctrl-C ends it.
inference.engine in params.yaml says what computes the answers.
"""

from __future__ import annotations

import io
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bert.inference.settings import InferenceSettings, check_engine
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_utf8
from bert.pipeline.job import parser, run
from bert.pipeline.params import section
from bert.tasks.settings import SquadSettings
from bert.watch.progress import Progress

if TYPE_CHECKING:
    from bert.tasks.squad.asking import Answer, Asker, Reply

log = logging.getLogger(__name__)

HELP = "python -m stages.ask --help"
AROUND = 40
"""Characters of the text that are shown on each side of an answer."""


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("question", nargs="*")
    p.add_argument("--model", type=Path, required=True, help="a folder of data/models with a span head")
    p.add_argument(
        "--predictions",
        type=Path,
        help="of a model of SQuAD v2.0: where the threshold is that its predictions were made with "
        "(default: data/predictions/squad for data/models/squad)",
    )
    p.add_argument("--context", metavar="FILE", help="the text, in UTF-8; - is the standard input")
    p.add_argument("--n-best", type=int, default=3, help="answers a question (default 3)")
    p.add_argument("--windows", type=int, default=32, help="windows that are read for a question (default 32)")
    p.add_argument("--all", action="store_true", help="read all windows: slower, and nothing is overlooked")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.add_argument("--serve", action="store_true", help="a local page instead")
    p.add_argument("--host", default="127.0.0.1", help="of --serve (default 127.0.0.1: this machine alone)")
    p.add_argument("--port", type=int, default=0, help="of --serve (default 0: any that is free; it is printed)")
    args = p.parse_args(argv)
    if args.serve and (args.question or args.json):
        p.error("--serve takes its questions from the page: give no question and no --json")
    if not args.serve and not args.question:
        p.error("expected a question, or --serve")
    if not args.serve and args.context is None:
        p.error("expected --context, a file or -")
    for name in ("n_best", "windows"):
        if getattr(args, name) < 1:
            p.error(f"--{name.replace('_', '-')}: expected 1 or more, got {getattr(args, name)}")
    settings = section(SquadSettings, "squad")
    engine = section(InferenceSettings, "inference").engine
    check_engine(engine, "fp32")
    if args.n_best > settings.n_best_size:
        raise StageError(
            f"--n-best is {args.n_best}, but no more than squad.n_best_size {settings.n_best_size} are weighed",
            run=f"the same with --n-best {settings.n_best_size}, or a higher squad.n_best_size in params.yaml",
        )
    context = "" if args.context is None else _read(args.context)
    model = args.model.absolute()
    predictions = args.predictions or model.parent.parent / "predictions" / model.name
    # Here, since importing TensorFlow takes longer than to see that the arguments are wrong.
    from bert.tasks.squad.asking import Asker

    asker = Asker.load(args.model, settings, predictions, engine)
    windows = None if args.all else args.windows
    if args.serve:
        _serve(asker, args.model, args.host, args.port, windows, args.n_best, context)
        return
    with Progress("ask", 0, "windows") as progress:

        def show(done: int, total: int) -> None:
            progress.total = total
            progress.update(done)

        replies = asker.ask(context, args.question, windows=windows, progress=show)
    # A question on the command line need not be UTF-8.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if args.json:
        found = [reply.as_json(args.n_best) for reply in replies]
        print(json.dumps({"characters": len(context), "replies": found}, ensure_ascii=False, indent=2))
    else:
        print("\n\n".join(_described(reply, context, args.n_best) for reply in replies))


def _read(name: str) -> str:
    path = Path("/dev/stdin" if name == "-" else name)
    try:
        return read_utf8(path, "iconv -t UTF-8")
    except OSError as error:
        raise StageError(f"{path}: expected a text in UTF-8, but: {error.strerror}", run=HELP) from None


def _described(reply: Reply, context: str, n_best: int) -> str:
    """Lines for people."""
    lines = [reply.question]
    if reply.no_answer:
        lines.append(f"  no answer: {reply.why_none}{'; the closest are:' if reply.answers else ''}")
    for number, answer in enumerate(reply.answers[:n_best], start=1):
        line, column = context.count("\n", 0, answer.start) + 1, answer.start - context.rfind("\n", 0, answer.start)
        lines += [
            f"  {number}. {' '.join(answer.text.split())}",
            f"     score {answer.score:.2f}, probability {answer.probability:.3f}, characters {answer.start} to "
            f"{answer.end}, line {line}, column {column}",
            f"     {_around(answer, context)}",
        ]
    lines.append(f"  read {reply.windows_read} of {reply.windows} windows of the text")
    return "\n".join(lines)


def _around(answer: Answer, context: str) -> str:
    """The answer in brackets, in its surroundings, on one line."""
    before, after = max(0, answer.start - AROUND), answer.end + AROUND
    text = f"{context[before : answer.start]}[{answer.text}]{context[answer.end : after]}"
    return f"{'... ' if before else ''}{' '.join(text.split())}{' ...' if after < len(context) else ''}"


def _serve(asker: Asker, model: Path, host: str, port: int, windows: int | None, n_best: int, document: str) -> None:
    """The page, until SIGTERM or Ctrl-C."""
    from bert.ask.server import AskServer, is_loopback

    asker.prepare()
    with AskServer(
        asker, str(model), host=host, port=port, windows=windows, n_best=n_best, document=document
    ) as server:
        before = {number: signal.signal(number, lambda *_: server.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            if not is_loopback(host):
                log.warning("%s is not the loopback: whoever reaches this machine can read the text and ask", host)
            print(server.address, flush=True)
            server.serve_forever()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


if __name__ == "__main__":
    run(main)
