"""Tables whose columns carry the vocabulary's names: the mapping is read off the headers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vagus.errors import InputError, Problem, nearest
from vagus.io.mapping import EventMap, FeatureMap, OutcomeColumn, TableMap, TrialMap
from vagus.io.runs import PARTS
from vagus.io.tables import ENDINGS, read_table
from vagus.io.values import outcome_of
from vagus.protocol.document import Document
from vagus.trial.vocabulary import Outcome

#: Tables of which a trial may have nothing to say.
_MAY_BE_EMPTY = frozenset({"visits", "samples"})


def guess_mapping(paths: list[Path], folder: Path, known: Mapping[str, Outcome], kind: str | None = None) -> TrialMap:
    """Return the mapping that the column names of the tables amount to.

    Parameters
    ----------
    paths : list of pathlib.Path
        Files to look at; those that are no tables are passed over.
    folder : pathlib.Path
        Where they are, for the messages.
    known : mapping of str to Outcome
        Vocabulary.
    kind : str, optional
        Kind of the feature table; by its numbers where it is not given.

    Raises
    ------
    InputError
        No tables, or none with the names of the vocabulary.
    """
    candidates = [path for path in paths if path.is_file() and path.name.endswith(ENDINGS)]
    if not candidates:
        text = "A folder of data must hold CSV or TSV tables, found none; give the folder that holds them."
        raise InputError(Problem(str(folder), 0, text))
    stems = {path: path.name.split(".")[0].casefold() for path in candidates}
    tables: list[TableMap] = []
    features: FeatureMap | None = None
    events: EventMap | None = None
    problems: list[Problem] = []
    # Subjects first: their table gives the order of people.
    for path in sorted(candidates, key=lambda path: PARTS.index(stems[path]) if stems[path] in PARTS else len(PARTS)):
        stem = stems[path]
        if stem == "truth" or stem.startswith("readme"):
            continue
        if stem == "features":
            features = FeatureMap((), path.name, kind=kind)
            continue
        if stem == "events":
            events = EventMap((), path.name, "subject_id", "day", "event")
            continue
        try:
            table = read_table(path, needs_rows=stem not in _MAY_BE_EMPTY)
        except InputError as error:
            problems += error.problems
            continue
        header = list(map(str, table.frame.columns))
        if "subject_id" not in header:
            if stem in PARTS or len(candidates) == 1:
                text = f'The table must have a column "subject_id"; {nearest("subject_id", header[:200])}'
                problems.append(Problem(table.file, table.header_line, text))
            continue
        if not table.frame.empty:
            tables.append(_guess_table(path.name, stem, header, known))
    if problems:
        raise InputError(problems)
    if not tables:
        text = (
            "One table must have the columns subject_id, arm, visit and outcome, value, found none; write a "
            '"mapping.yaml" beside the tables that says which column is which.'
        )
        raise InputError(Problem(str(folder), 0, text))
    return TrialMap(Document("", {}, {}), tables=tuple(tables), features=features, events=events)


def _guess_table(name: str, stem: str, header: list[str], known: Mapping[str, Outcome]) -> TableMap:
    def own(column: str) -> str | None:
        return column if column in header else None

    special = {"subject_id", "arm", "visit", "day", "sample_id", "status", "outcome", "value", "baseline", "change"}
    wide: dict[str, OutcomeColumn] = {}
    covariates: dict[str, str] = {}
    long = stem == "outcomes" or {"outcome", "value"} <= set(header)
    for column in header:
        if column in special:
            continue
        meant = outcome_of(column, known) if "visit" in header and not long else None
        if meant is not None:
            wide[column] = OutcomeColumn(meant)
        elif stem == "subjects":
            covariates[column] = column
    return TableMap(
        place=(),
        file=name,
        subject="subject_id",
        arm=own("arm"),
        visit="visit" if stem in ("visits", "outcomes") or long else own("visit"),
        day=own("day"),
        sample="sample_id" if stem == "samples" else own("sample_id"),
        status=own("status"),
        outcomes=wide,
        outcome="outcome" if long else None,
        value="value" if long else None,
        baseline=own("baseline") if long else None,
        covariates=covariates,
    )
