"""Fixtures that several folders use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no failure; continuous integration repeats the same examples, a developer's run explores new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of shared reference material beside the checkout; tests that read it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the reference material in ../shared, which is not beside this checkout")
    return SHARED
