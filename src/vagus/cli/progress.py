"""Progress on stderr, and Ctrl-C that reaches the threads."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event
from types import FrameType

from vagus.api import Progress


@contextmanager
def show_progress(quiet: bool) -> Iterator[Progress]:
    """Show stages and bars on stderr: live on a terminal; where it is piped one line a stage, or nothing if quiet."""
    if quiet and not sys.stderr.isatty():
        yield lambda *_: None
        return
    if not sys.stderr.isatty():
        seen: set[str] = set()

        def line(stage: str, done: int, of: int) -> None:
            if stage not in seen:
                seen.add(stage)
                with suppress(BrokenPipeError):  # nobody listens; the run goes on
                    print(f"{stage} ...", file=sys.stderr, flush=True)  # noqa: T201

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, int] = {}

        def advance(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=of)
            bars.update(tasks[stage], completed=done, total=of)  # type: ignore[arg-type]

        yield advance


@contextmanager
def stop_on_interrupt() -> Iterator[Event]:
    """Give an event that Ctrl-C sets before it raises KeyboardInterrupt, so that worker threads end within a second."""
    cancel = Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        cancel.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
