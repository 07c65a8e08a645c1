"""A model file of somebody else."""

from __future__ import annotations

from pathlib import Path

from vagus.engine.sbml import LARGEST_TEXT
from vagus.errors import InputError, Problem
from vagus.io.texts import read_text
from vagus.model.outside import ANTIMONY, SBML, OutsideModel

LANGUAGES = {".xml": SBML, ".sbml": SBML, ".ant": ANTIMONY}


def read_outside_model(file: str | Path) -> OutsideModel:
    """Read a model file; what it says is for `vagus.engine` to judge.

    Parameters
    ----------
    file : str or pathlib.Path
        ``.xml`` or ``.sbml`` for SBML, ``.ant`` for Antimony.

    Raises
    ------
    InputError
        Another ending, no such file, too large, empty, or no UTF-8 text.
    """
    shown, path = str(file), Path(file)
    language = LANGUAGES.get(path.suffix.lower())
    if path.is_dir():
        raise InputError(Problem(shown, 0, "A model must be a file, got a folder; name the .xml or .ant in it."))
    if language is None:
        packed = path.suffix.lower() in (".omex", ".zip")
        fix = "unpack it and name the model in it." if packed else "rename it."
        message = f'A model must be SBML (.xml, .sbml) or Antimony (.ant), got "{path.name}"; {fix}'
        raise InputError(Problem(shown, 0, message))
    text = read_text(path, shown, "A model", LARGEST_TEXT)
    if not text.strip():
        raise InputError(Problem(shown, 0, "A model must be SBML or Antimony text, the file is empty."))
    return OutsideModel(shown, language, text)
