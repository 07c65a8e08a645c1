"""Which function computes which benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from vagus.errors import ModelError

#: Modules of this package that hold functions; each family of models has its own.
MODULES = (
    "published_gut",
    "published_immune",
    "published_tryptophan",
    "own_body",
    "clocks",
    "hormones",
    "infants",
    "ecology",
)

Compute = Callable[[], Mapping[str, float]]


class NotRun(ModelError):
    """Raised by a function that lacks what it needs here, say a package that is not installed; the message says what.

    Its benchmarks are then listed as not run; they neither pass nor fail.
    """


class Predicted(float):
    """A value that is predicted for people not yet seen, with its 95 % interval.

    Attributes
    ----------
    low, high : float
        Ends of the interval.

    Examples
    --------
    >>> value = Predicted(0.3, 0.1, 0.6)
    >>> float(value), value.low, value.high
    (0.3, 0.1, 0.6)
    """

    low: float
    high: float

    def __new__(cls, value: float, low: float, high: float) -> Predicted:
        """Make the float and keep its interval."""
        made = super().__new__(cls, value)
        made.low, made.high = low, high
        return made

    def __reduce__(self) -> tuple[type[Predicted], tuple[float, float, float]]:
        """Let a copy, also in another process, keep its interval."""
        return Predicted, (float(self), self.low, self.high)


@dataclass(frozen=True)
class Measurement:
    """A function and the benchmarks whose values it gives.

    Attributes
    ----------
    names : tuple of str
        Benchmarks.
    compute : callable
        Gives benchmark name -> value.
    slow : bool
        Whether it runs only when asked for.
    """

    names: tuple[str, ...]
    compute: Compute
    slow: bool

    def values(self) -> Mapping[str, float]:
        """Compute the values.

        Raises
        ------
        ModelError
            The model failed, or the function gives other names than it announced.
        """
        found = self.compute()
        if set(found) != set(self.names):
            odd = ", ".join(sorted(set(found) ^ set(self.names)))
            raise ModelError(f"{self.compute.__name__} must give exactly the benchmarks that it names; see {odd}")
        return found


_REGISTERED: list[Measurement] = []


def measures(*names: str, slow: bool = False) -> Callable[[Compute], Compute]:
    """Register a function as the one that computes these benchmarks.

    Parameters
    ----------
    *names : str
        Benchmarks of the table.
    slow : bool
        Whether it runs only when asked for.
    """

    def register(compute: Compute) -> Compute:
        _REGISTERED.append(Measurement(names, compute, slow))
        return compute

    return register


@cache
def measurements() -> tuple[Measurement, ...]:
    """Return the functions of all listed modules."""
    listed = {import_module(f"vagus.validation.{name}").__name__ for name in MODULES}
    return tuple(item for item in _REGISTERED if item.compute.__module__ in listed)


def match(found: Iterable[Measurement], wanted: Iterable[str]) -> None:
    """Check that every benchmark has exactly one function and every function its benchmarks.

    Parameters
    ----------
    found : iterable of Measurement
    wanted : iterable of str
        Names of the table.

    Raises
    ------
    ModelError
        All that does not match, at once.
    """
    given = [name for item in found for name in item.names]
    rows = set(wanted)
    problems = [f'benchmark "{name}" has no function' for name in sorted(rows - set(given))]
    problems += [f'function for "{name}" has no row in benchmarks.csv' for name in sorted(set(given) - rows)]
    problems += [f'benchmark "{name}" has two functions' for name in sorted(set(given)) if given.count(name) > 1]
    if problems:
        raise ModelError("Benchmarks and functions must match: " + "; ".join(problems))
