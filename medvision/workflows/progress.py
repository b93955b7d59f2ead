"""What a person sees while a long work runs: a bar in a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 10.0


class Task(Protocol):
    """One bar: `advance` after each step."""

    def advance(self, done: int, note: str | None = None) -> None:
        """Show that `done` steps are finished, and a note such as `AUC 0.91`; by default the one before."""


class Display(Protocol):
    """Where progress goes; a context manager around the whole work."""

    def __enter__(self) -> Display:
        """Start showing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""

    def task(self, name: str, total: int, done: int = 0) -> Task:
        """Start a bar of `total` steps."""

    def say(self, text: str) -> None:
        """Print one line above the bars."""


def display(stream: TextIO | None = None, *, quiet: bool = False) -> Display:
    """Return bars for a terminal, plain lines for anything else, nothing when `quiet`."""
    stream = sys.stderr if stream is None else stream
    if quiet:
        return Silence()
    return Bars(stream) if stream.isatty() else Lines(stream)


class Silence:
    """Shows nothing, for use from Python."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def task(self, name: str, total: int, done: int = 0) -> Task:
        """Return a task that shows nothing."""
        return self

    def advance(self, done: int, note: str | None = None) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


class Lines:
    """Plain lines: one when a task ends, and at most one every ten seconds between."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.flush()

    def task(self, name: str, total: int, done: int = 0) -> Task:
        """Start a task of `total` steps."""
        return _LineTask(self, name, total, done)

    def say(self, text: str) -> None:
        """Print one line."""
        print(text, file=self.stream, flush=True)


class _LineTask:
    def __init__(self, lines: Lines, name: str, total: int, done: int) -> None:
        self.lines, self.name, self.total, self.first = lines, name, total, done
        self.started = self.printed = time.monotonic()
        self.note, self.ended = "", False

    def advance(self, done: int, note: str | None = None) -> None:
        now = time.monotonic()
        self.note = self.note if note is None else note
        if self.ended or (done < self.total and now - self.printed < _SECONDS_BETWEEN_LINES):
            return
        self.ended = done >= self.total
        self.printed = now
        spent = now - self.started
        left = spent / max(done - self.first, 1) * (self.total - done)
        ending = f"{_clock(spent)} spent" if done >= self.total else f"{_clock(left)} left"
        parts = [self.name, f"{done}/{self.total}", self.note, ending]
        self.lines.say(" · ".join(part for part in parts if part))


class Bars:
    """One line a task, with a bar, the remaining time and the current figure."""

    def __init__(self, stream: TextIO) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("{task.fields[note]}"),
            console=Console(file=stream),
        )

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def task(self, name: str, total: int, done: int = 0) -> Task:
        """Start a bar of `total` steps."""
        return _BarTask(self.progress, name, total, done)

    def say(self, text: str) -> None:
        """Print one line above the bars."""
        self.progress.console.print(text, highlight=False, markup=False)


class _BarTask:
    def __init__(self, progress: Progress, name: str, total: int, done: int) -> None:
        self.progress = progress
        self.identity = progress.add_task(name, total=total, completed=done, note="")
        self.note = ""

    def advance(self, done: int, note: str | None = None) -> None:
        self.note = self.note if note is None else note
        self.progress.update(self.identity, completed=done, note=self.note)


@contextmanager
def counted(shown: Display, name: str, total: int) -> Iterator[Task]:
    """Show a task for the length of a block, and its end only if the block ends well."""
    task = shown.task(name, total)
    yield task
    task.advance(total)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
