"""The protocol of the design, and one way to meet its errors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vagus.errors import InputError
from vagus.protocol import parse

#: The example of the design; it plans ``mmrm`` and leaves the secondary analyses open.
DESIGN_EXAMPLE = """\
vagus: 1
trial: {id: hmo-sleep, title: "2'-FL + LNnT and adult sleep", design: parallel}   # parallel | crossover | n-of-1 | single-arm
population: {from: adults-poor-sleep, n: 120, baseline_microbiome: {from: healthy-adults}}
arms:
  placebo: {maltodextrin: 5 g/day}
  hmo:     {2FL: 4 g/day, LNnT: 1 g/day}
schedule: {run_in: 2 wk, treat: 8 wk, follow: 2 wk, visits: [0, 4, 8, 10] wk}
events:   {dropout: 12 %/8wk, adherence: {mean: 0.85, sd: 0.15}, antibiotics: 2 %/8wk}
measures: {ISI: visits, sleep_diary: daily, actigraphy: [0, 8] wk, stool_16S: visits, saliva_CAR: [0, 8] wk}
estimands:
  primary: {variable: ISI change at 8 wk, contrast: hmo - placebo, dropout: treatment-policy, antibiotics: hypothetical}
analysis: {primary: mmrm, secondary: [...], multiplicity: {secondary: holm}}
"""  # noqa: E501

#: The same with what this version can do.
TEXT = DESIGN_EXAMPLE.replace("mmrm", "ancova").replace("[...]", "[bifidobacterium, waso at 8 wk]")


@pytest.fixture
def text() -> str:
    return TEXT


@pytest.fixture
def design_example() -> str:
    return DESIGN_EXAMPLE


@pytest.fixture
def problems() -> Callable[..., list[str]]:
    """Replace parts of the example, read it, and return its problems as texts (empty: no problem)."""

    def read(*replacements: tuple[str, str], text: str = TEXT) -> list[str]:
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        try:
            parse(text, "protocol.yaml")
        except InputError as error:
            return [str(problem) for problem in error.problems]
        return []

    return read
