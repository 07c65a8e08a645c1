"""A model from outside, as SBML or as Antimony text, with the lines of its own file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vagus.errors import InputError, ModelError, Problem
from vagus.model.composition import antimony_reason, antimony_to_sbml
from vagus.model.consistency import reason
from vagus.model.libraries import Submodel

SBML, ANTIMONY = "SBML", "Antimony"

#: Part of an SBML model -> where an Antimony text writes it; {} stands for its name.
_WRITTEN = {
    "rateRule": r"(?<![\w']){}\s*'\s*=",
    "assignmentRule": r"(?<!\w){}\s*:=",
    "reaction": r"(?<!\w){}\s*:(?!=)",
    "event": r"(?<!\w){}\s*:(?!=)",
    "functionDefinition": r"\bfunction\s+\*?{}\b",
}
#: What Antimony calls a part without a name, by its place -> how such a part is written.
_UNNAMED = {"_J": r"->|=>", "_E": r"\bat\b", "_alg": r"^\s*0\s*="}
_COMMENT = re.compile(r'"[^"\n]*"|//[^\n]*|#[^\n]*|/\*.*?\*/', re.DOTALL)
_IMPORT = re.compile(r'(?:^|;)[^\S\n]*import\s*"', re.MULTILINE)


@dataclass(frozen=True)
class OutsideModel:
    """A model file of somebody else.

    Attributes
    ----------
    file : str
        As the user named it.
    language : str
        ``SBML`` or ``Antimony``.
    text : str
        Its content.
    """

    file: str
    language: str
    text: str

    def to_sbml(self) -> tuple[str, str]:
        """Return the model as SBML, and what to know about the translation (empty where nothing).

        Raises
        ------
        InputError
            The text is no Antimony, or reads another file; with the line.
        """
        if self.language == SBML:
            return self.text, ""
        if found := _IMPORT.search(self._plain()):
            line = self.text.count("\n", 0, found.end()) + 1
            raise InputError(Problem(self.file, line, "A model must stand alone, got an import; write its lines here."))
        try:
            return antimony_to_sbml(self.text, self.file), _left_out()
        except ModelError as error:
            raise InputError(self._antimony_problem(error)) from None
        except UnicodeDecodeError:  # Antimony's message ends in the middle of a character
            line, sign = self._first_foreign()
            message = f'Names in Antimony must be of letters, digits and "_", got "{sign}"; rename it.'
            raise InputError(Problem(self.file, line, message)) from None

    def line_of(self, part: str, name: str) -> int:
        """Return the line of an Antimony text that writes a part of the model, such as the rate of a name."""
        plain = self._plain()
        if unnamed := re.fullmatch(r"(_J|_E|_alg)(\d+)", name):
            return self._line_of_unnamed(_UNNAMED[unnamed[1]], int(unnamed[2]))
        if part in _WRITTEN and (found := re.search(_WRITTEN[part].format(re.escape(name)), plain)):
            return plain.count("\n", 0, found.start()) + 1
        return Submodel(self.file, plain, "", "").line_of(name) if name else 0

    def problem(self, message: str, line: int = 0, part: str = "", name: str = "") -> Problem:
        """Return a problem at a line of the SBML text, or at that part of the Antimony text that it was made from."""
        if self.language == ANTIMONY:
            line = self.line_of(part, name)
        return Problem(self.file, line, message)

    def _plain(self) -> str:
        """Return the text with blanks in place of comments, line by line; texts in quotes stay."""

        def blank(found: re.Match[str]) -> str:
            return found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0])

        return _COMMENT.sub(blank, self.text)

    def _line_of_unnamed(self, written: str, place: int) -> int:
        for number, line in enumerate(self._plain().splitlines(), 1):
            for statement in line.split(";"):
                if re.search(written, statement) and not re.match(r"\s*\w+\s*:", statement):
                    if not place:
                        return number
                    place -= 1
        return 0

    def _antimony_problem(self, error: ModelError) -> Problem:
        line, words = antimony_reason(error)
        if "SBML error(s)" in words:  # found after the reading: the line is that of the end
            paragraphs = [text for text in words.split("\n\n")[1:] if "CompFlatteningConverter" not in text]
            own = [text for text in paragraphs if "\n " in text]
            words = reason((own or paragraphs or [words])[0])
            named = re.search(r"'([A-Za-z_]\w*)'", words)
            line = self.line_of("", named[1]) if named else 0
        return Problem(
            self.file, line, f"The text must be Antimony, got an error: {' '.join(words.split()).rstrip('.')}."
        )

    def _first_foreign(self) -> tuple[int, str]:
        unquoted = re.sub(r'"[^"\n]*"', "", self._plain())
        found = re.search(r"[^\x00-\x7f]", unquoted)
        return (unquoted.count("\n", 0, found.start()) + 1, found[0]) if found else (0, "another character")


def _left_out() -> str:
    """Return a sentence on the models of the text just read that are not its main one."""
    import antimony

    main = antimony.getMainModuleName()
    others = [name for name in antimony.getModuleNames() if name not in (main, "__main")]
    if not others:
        return ""
    called = "what stands outside of all models" if main == "__main" else f'model "{main}"'
    return f"Only {called} is read; {', '.join(others)} only as far as it is used there."
