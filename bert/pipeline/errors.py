"""The one error a user is meant to see."""

from __future__ import annotations


class StageError(Exception):
    """Bad input, told in one message.

    The message names the file or the parameter, what was expected and what came; `run` is the command to run next.
    `stages.run` prints it without a traceback and exits with 1.
    """

    def __init__(self, message: str, run: str | None = None) -> None:
        # Both in `args`: pickling makes an exception anew from them, and so does Beam, with a note on the first.
        super().__init__(message, run)
        self.run = run

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}\n  next: {self.run}" if self.run else message
