"""Work in processes of their own: on all cores, and where code below Python could end the process that runs it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import current_thread, main_thread
from time import monotonic
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class ProcessLost(Exception):
    """A process ended by itself, or was still at work when its time was over.

    Attributes
    ----------
    place : int
        Place of the item it worked on.
    code : int or None
        Exit code, below zero for a signal; None where the time was over.
    """

    def __init__(self, place: int, code: int | None) -> None:
        super().__init__(place, code)
        self.place, self.code = place, code


def each_apart(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, seconds: float | None = None
) -> Iterator[Result]:
    """Give ``function(item)`` for each item, in their order, whatever the number of processes.

    Parameters
    ----------
    function : callable
        Of a module, so that another process can import it.
    items : sequence
    jobs : int
        Processes.
    seconds : float, optional
        Time for everything.

    Raises
    ------
    ProcessLost
        A process ended without a result, or the time was over.
    Exception
        What `function` raises.
    """
    end = None if seconds is None else monotonic() + seconds
    workers = _begin(function, min(jobs, len(items)))
    waiting, done = iter(range(len(items))), dict[int, tuple[bool, Any]]()
    try:
        for pipe in workers:
            _give(pipe, workers, items, next(waiting, None))
        for place in range(len(items)):
            while place not in done:
                ready = wait(list(workers), None if end is None else max(0.0, end - monotonic()))
                if not ready:
                    raise ProcessLost(place, None)
                for pipe in [pipe for pipe in workers if pipe in ready]:
                    done[workers[pipe].place] = _take(pipe, workers)
                    _give(pipe, workers, items, next(waiting, None))
            good, result = done.pop(place)
            if not good:
                raise result
            yield result
    finally:
        for pipe, worker in workers.items():
            pipe.close()
            worker.process.kill()
            worker.process.join()


@dataclass
class _Worker:
    """A process and the place of the item it works on."""

    process: SpawnProcess
    place: int = -1


def _begin(function: Callable[[Item], object], jobs: int) -> dict[Connection, _Worker]:
    context = get_context("spawn")  # a fork would copy threads in mid-work
    workers = {}
    with _ctrl_c_ignored():
        for _ in range(jobs):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, function), daemon=True)
            process.start()
            theirs.close()
            workers[ours] = _Worker(process)
    return workers


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Let processes that begin here leave Ctrl-C to this one, from their first moment on."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _give(pipe: Connection, workers: dict[Connection, _Worker], items: Sequence[object], place: int | None) -> None:
    if place is None:
        return
    workers[pipe].place = place
    try:
        pipe.send(items[place])
    except OSError:
        raise _lost(workers[pipe]) from None


def _take(pipe: Connection, workers: dict[Connection, _Worker]) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError):
        raise _lost(workers[pipe]) from None


def _lost(worker: _Worker) -> ProcessLost:
    worker.process.join()
    return ProcessLost(worker.place, worker.process.exitcode)


def _work(pipe: Connection, function: Callable[[Item], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where that is not handed down
    while True:
        try:
            item = pipe.recv()
        except EOFError:  # nobody asks any more
            return
        try:
            result = True, function(item)
        except Exception as error:  # whatever it is, the process that asked decides
            result = False, error
        pipe.send(result)
