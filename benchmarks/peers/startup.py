"""How long a new model takes from its text to its first result: ``python -m peers.startup FILE.ant``.

Imports of packages are not counted; they are the process's, not the model's. The first result is one person's first
day in lanes, so that whatever is compiled lazily is compiled.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Print the seconds as JSON."""
    begin = time.perf_counter()
    import antimony  # noqa: F401
    import libsbml  # noqa: F401
    from llvmlite import binding  # noqa: F401
    from workloads import to_sbml

    from vagus import engine

    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    imported = time.perf_counter()
    model = engine.load(to_sbml(text))
    read = time.perf_counter()
    engine.simulate(model, [[]], output_times=[1.0], rtol=1e-4, lanes="single", audited=0)
    end = time.perf_counter()
    times = {"imports_s": imported - begin, "reading_s": read - imported, "text_to_kernel_s": end - imported}
    sys.stdout.write(json.dumps(times) + "\n")


if __name__ == "__main__":
    main()
