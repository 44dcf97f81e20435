"""The one error a user is meant to see."""

from __future__ import annotations


class StageError(Exception):
    """Bad input, told in one message.

    The message names the file or the parameter, what was expected and what came; `run` is the command to run next.
    `stages.run` prints it without a traceback and exits with 1.
    """

    def __init__(self, message: str, run: str | None = None) -> None:
        super().__init__(message)
        self.run = run

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  next: {self.run}" if self.run else message

    def __reduce__(self) -> tuple[type[StageError], tuple[str, str | None]]:
        # Beam's workers send exceptions back pickled; the default would lose `run`.
        return (type(self), (self.args[0], self.run))
