"""The process of one peer: ``python -m peers FOLDER``, started by ``engine_vs_peers.py``.

The folder holds the task, the workload and its reference; what was found is written beside them.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

from peers import ENTRIES, Failed, Unfit
from peers.measure import measure


def answer(folder: Path) -> dict[str, Any]:
    """Do the task of a folder."""
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    load = pickle.loads((folder / "workload.pickle").read_bytes())
    exact = np.load(folder / "exact.npy")
    entry = ENTRIES[task["solver"]]
    try:
        return measure(entry, load, exact, task)
    except ImportError as problem:
        return {"note": f"not installed ({problem}): pip install {entry.install}"}
    except (Unfit, Failed) as problem:
        return {"note": str(problem)}


def main() -> None:
    """Run on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    folder = Path(sys.argv[1])
    (folder / "answer.json").write_text(json.dumps(answer(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
