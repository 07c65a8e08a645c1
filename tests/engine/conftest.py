"""Small models as Antimony text, and a cache of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The session's machine code goes into a folder of its own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAGUS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def sbml() -> Callable[[str], str]:
    """Turn the body of an Antimony model into SBML."""
    import antimony

    def convert(body: str) -> str:
        antimony.clearPreviousLoads()
        assert antimony.loadAntimonyString(f"model under_test()\n{body}\nend\n") >= 0, antimony.getLastError()
        return str(antimony.getSBMLString("under_test"))

    return convert
