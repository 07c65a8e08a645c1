"""The YAML grammar: which keys there are and what kind of value each takes (pydantic).

Everything may be absent here: a part that is wrong is taken out, reported, and the rest is still checked (`fill`);
what must be there is one of the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from vagus.errors import Problem, nearest
from vagus.protocol.document import Document, Path
from vagus.protocol.product import read_dose
from vagus.protocol.types import Strategy
from vagus.units import (
    DoseRate,
    Risk,
    UnitError,
    parse_duration,
    parse_durations,
    parse_fraction,
    parse_risk,
    shown,
)

#: Stands for the subject of a sentence until the place of the value is known.
_IT = "\x00"


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UnitError(f'{_IT} must be a text, got "{_show(value)}".')
    return " ".join(str(value).split())


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnitError(f'{_IT} must be a whole number, got "{_show(value)}"; write "120".')
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnitError(f'{_IT} must be a number, got "{_show(value)}".')
    return float(value)


def _range(value: Any) -> tuple[float, float]:
    fits = isinstance(value, list) and len(value) == 2
    if not fits or not all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in value):
        raise UnitError(f'{_IT} must be a lowest and a highest score, got "{_show(value)}"; write "[14, 28]".')
    low, high = float(value[0]), float(value[1])
    if low > high:
        raise UnitError(f'{_IT} must begin with the lower score, got "{_show(value)}"; write "[{high:g}, {low:g}]".')
    return low, high


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in (value if isinstance(value, list) else [value])]


def _strategy(value: Any) -> str:
    text = _text(value)
    if text not in get_args(Strategy):
        raise UnitError(
            f'{_IT} must be a strategy of ICH E9(R1), got "{shown(text)}"; {nearest(text, get_args(Strategy))}'
        )
    return text


def _times(value: Any) -> str | tuple[float, ...]:
    if value in ("visits", "daily"):
        return str(value)
    if isinstance(value, str) and not re.match(r"[\[\d+-]", value.strip()):
        raise UnitError(f'{_IT} must be "visits", "daily" or times such as "[0, 8] wk", got "{_show(value)}".')
    return parse_durations(value, _IT)


def _setting(value: Any) -> float | str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, (str, int, float)):
        raise UnitError(f'{_IT} must be on, off or a number, got "{_show(value)}".')
    return value.strip() if isinstance(value, str) else float(value)


def _dose(value: Any) -> DoseRate:
    product, text = value
    return read_dose(product, text, _IT)


_SIZE = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+))\s*SD", re.IGNORECASE)


def _size(value: Any) -> float:
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise UnitError(f'{_IT} must be in standard deviations, got "{_show(value)}"; write "1 SD".')
    return float(found[1])


def _secondary(value: Any) -> Any:
    return value if isinstance(value, Mapping) or value is None else {"variable": value}


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "[" + ", ".join(_show(item) for item in value) + "]"
    return shown(value)


def _of(parse: Callable[[Any, str], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: parse(value, _IT))


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Count = Annotated[int, BeforeValidator(_count)]
Number = Annotated[float, BeforeValidator(_number)]
Fraction = Annotated[float, _of(parse_fraction)]
Days = Annotated[float, _of(parse_duration)]
DayList = Annotated[tuple[float, ...], _of(parse_durations)]
RiskText = Annotated[Risk, _of(parse_risk)]
DoseText = Annotated[DoseRate, BeforeValidator(_dose)]
StressSize = Annotated[float, BeforeValidator(_size)]
Range = Annotated[tuple[float, float], BeforeValidator(_range)]
Times = Annotated[str | tuple[float, ...], BeforeValidator(_times)]
Setting = Annotated[float | str, BeforeValidator(_setting)]
StrategyText = Annotated[str, BeforeValidator(_strategy)]


class Part(BaseModel):
    """Base of all parts: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class TrialPart(Part):
    """``trial:``."""

    id: Text | None = None
    title: Text | None = None
    design: Text | None = None


class MicrobiomePart(Part):
    """``population: {baseline_microbiome: ...}``."""

    source: Text | None = Field(default=None, alias="from")


class PopulationPart(Part):
    """``population:``."""

    source: Text | None = Field(default=None, alias="from")
    n: Count | None = None
    baseline_microbiome: MicrobiomePart | None = None
    entry: dict[str, Range] | None = None


class ArmPart(BaseModel):
    """An arm: a label for readers, every other key is a product."""

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)
    __pydantic_extra__: dict[str, DoseText]

    label: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_doses(cls, data: Any) -> Any:
        # A dose is read in the units of its product, so that its text goes with the product's name.
        if not isinstance(data, dict):
            return data
        return {key: value if key == "label" else (key, value) for key, value in data.items()}

    @property
    def doses(self) -> dict[str, DoseRate]:
        """Product as written to its dose."""
        return self.__pydantic_extra__


class SchedulePart(Part):
    """``schedule:``."""

    run_in: Days | None = None
    treat: Days | None = None
    follow: Days | None = None
    visits: DayList | None = None


class AdherencePart(Part):
    """``events: {adherence: ...}``."""

    mean: Fraction | None = None
    sd: Fraction | None = None


class EventsPart(Part):
    """``events:``."""

    dropout: RiskText | None = None
    adherence: AdherencePart | None = None
    antibiotics: RiskText | None = None


class StressPart(Part):
    """``conditions: {stress: ...}``."""

    size: StressSize | None = None
    start: Days | None = Field(default=None, alias="from")
    end: Days | None = Field(default=None, alias="to")


class ConditionsPart(Part):
    """``conditions:``."""

    stress: StressPart | None = None


class EstimandPart(Part):
    """One of ``estimands:``; an intercurrent event is a key, its strategy the value."""

    variable: Text | None = None
    contrast: Texts | None = None
    dropout: StrategyText | None = None
    antibiotics: StrategyText | None = None
    adherence: StrategyText | None = None


class SecondaryPart(Part):
    """One of ``analysis: {secondary: [...]}``; a plain name stands for its variable."""

    variable: Texts | None = None
    method: Text | None = None
    contrast: Texts | None = None
    family: Text | None = None


class AnalysisPart(Part):
    """``analysis:``."""

    primary: Text | None = None
    secondary: list[Annotated[SecondaryPart | None, BeforeValidator(_secondary)]] | None = None
    multiplicity: dict[str, Text] | None = None


class VerdictPart(Part):
    """``verdict:``."""

    p_benefit: Fraction | None = None
    p_mcid: Fraction | None = None
    p_no_useful: Fraction | None = None


class Draft(Part):
    """A protocol as written, units read, nothing cross-checked."""

    vagus: Count | None = None
    trial: TrialPart | None = None
    published: Text | None = None
    population: PopulationPart | None = None
    arms: dict[str, ArmPart | None] | None = None
    control: Text | None = None
    allocation: dict[str, Number] | None = None
    schedule: SchedulePart | None = None
    events: EventsPart | None = None
    conditions: ConditionsPart | None = None
    measures: dict[str, Times] | None = None
    estimands: dict[str, EstimandPart] | None = None
    analysis: AnalysisPart | None = None
    verdict: VerdictPart | None = None
    model: dict[str, Setting] | None = None


@dataclass(frozen=True)
class Filled:
    """A draft, the problems met on the way, and the paths that were taken out because of them."""

    draft: Draft
    problems: tuple[Problem, ...]
    damaged: frozenset[Path] = field(default_factory=frozenset)


def fill(document: Document) -> Filled:
    """Read a document into a draft, taking out and reporting every part that is wrong."""
    data: Any = document.data
    problems: list[Problem] = []
    damaged: set[Path] = set()
    while True:
        try:
            return Filled(Draft.model_validate(data), tuple(problems), frozenset(damaged))
        except ValidationError as error:
            data = _copy(data)
            for item in error.errors(include_url=False):
                path = _take_out(data, item["loc"])
                damaged.add(path)
                problem = document.problem(path, _sentence(item, path))
                if problem not in problems:
                    problems.append(problem)


def _take_out(data: Any, location: tuple[int | str, ...]) -> Path:
    """Remove what stands at `location` (list items become None) and return the path that it had."""
    path: Path = ()
    node, last = data, ""
    parent: Any = None
    for key in location:
        in_list = isinstance(node, list) and isinstance(key, int) and key < len(node)
        if in_list or (isinstance(node, dict) and key in node):
            parent, last = node, str(key)
        else:
            break
        path = (*path, last)
        node = node[key]
    if isinstance(parent, list):
        parent[int(last)] = None
    elif parent is not None:
        del parent[last]
    return path


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


#: Subject of a sentence by path; a star stands for any key.
_SUBJECTS: dict[tuple[str, ...], str] = {
    ("vagus",): "Format version",
    ("trial", "id"): "Trial id",
    ("trial", "title"): "Title",
    ("trial", "design"): "Design",
    ("published",): "Published study",
    ("population", "from"): "Population",
    ("population", "n"): "Number of people",
    ("population", "entry", "*"): "Entry range of '{}'",
    ("arms", "*"): "Arm '{}'",
    ("arms", "*", "label"): "Label of arm '{}'",
    ("arms", "*", "*"): "Dose of arm '{}'",
    ("allocation", "*"): "Weight of arm '{}'",
    ("schedule", "run_in"): "Run-in",
    ("schedule", "treat"): "Treatment",
    ("schedule", "follow"): "Follow-up",
    ("schedule", "visits"): "Visits",
    ("events", "dropout"): "Dropout",
    ("events", "antibiotics"): "Antibiotics",
    ("events", "adherence", "mean"): "Mean adherence",
    ("events", "adherence", "sd"): "Spread of adherence",
    ("conditions", "stress"): "Stress",
    ("conditions", "stress", "size"): "Size of the stress",
    ("conditions", "stress", "from"): "Start of the stress",
    ("conditions", "stress", "to"): "End of the stress",
    ("model",): "Settings of the model",
    ("model", "*"): "Setting '{}' of the model",
    ("measures", "*"): "Times of measure '{}'",
    ("estimands", "*"): "Estimand '{}'",
    ("analysis", "primary"): "Primary method",
}


def subject(path: Path) -> str:
    """Return what a value is called in a sentence."""
    for pattern, words in _SUBJECTS.items():
        if len(pattern) == len(path) and all(want in ("*", key) for want, key in zip(pattern, path, strict=True)):
            return words.format(*(key for want, key in zip(pattern, path, strict=True) if want == "*"))
    return f'"{".".join(path)}"' if path else "A protocol"


def _sentence(item: Any, path: Path) -> str:
    kind, name = item["type"], subject(path)
    if kind == "value_error":
        message = str(item["ctx"]["error"])
        inner = name[0].lower() + name[1:]
        return message.replace(f"of the {_IT}", f"of the {inner}").replace(_IT, name)
    if kind == "extra_forbidden":
        part = f' in "{".".join(path[:-1])}"' if len(path) > 1 else ""
        return f'Unknown key "{shown(path[-1])}"{part}; {nearest(path[-1], keys_at(path[:-1]))}'
    got = _show(item["input"])
    if kind in ("model_type", "model_attributes_type", "dict_type", "mapping_type"):
        known = keys_at(path)
        example = f'write keys such as "{known[0]}:" below it' if known else 'write "name: value" below it'
        if len(path) == 2 and path[0] == "arms":
            example = 'write "{maltodextrin: 5 g/day}"'
        return f'{name} must be a mapping of keys, got "{got}"; {example}.'
    if kind == "list_type":
        return f'{name} must be a list, got "{got}"; write "[{got}]".'
    return f'{name} cannot be read, got "{got}": {item["msg"]}.'


def keys_at(path: Path) -> list[str]:
    """Return the keys that the grammar knows at a path; none where any name may stand."""
    model: type[BaseModel] | None = Draft
    for key in path:
        if model is None:
            return []
        inner: Any = None
        for name, info in model.model_fields.items():
            if (info.alias or name) == key:
                inner = info.annotation
        if inner is None and model is Draft:
            return []
        model = _model_in(inner) if inner is not None else model
    return [info.alias or name for name, info in model.model_fields.items()] if model is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the part inside ``X | None``, ``dict[str, X]``, ``list[X]`` or an annotated type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
