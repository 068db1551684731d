"""What a command says on the console, whatever the console can show."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import TextIO


def say(text: str, stream: TextIO | None) -> None:
    """Write a line.

    Characters that the stream's encoding lacks (names of files in another script, say) are written
    as escapes. A reader that has gone away, as ``head`` does, is no error.

    Raises:
        OSError: the stream can't be written to, because the disk is full, for example.
    """
    if stream is None:  # a program without a console
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError as error:
        # Python writes what is left once more at its end, and would complain then.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
        if not isinstance(error, BrokenPipeError):
            raise


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters."""
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)


class ProgressLine:
    """Shows progress on one line of a terminal's error output; elsewhere it is silent."""

    def __init__(self, enabled: bool) -> None:
        self._shown = enabled and sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, fraction: float, text: str) -> None:
        """Show the share that is done and what is being done."""
        if self._shown:
            sys.stderr.write(f"\r\033[K{fraction:4.0%}  {one_line(text)}")
            sys.stderr.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
