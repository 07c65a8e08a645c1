"""Whether the submodels, and the published models they come from, give the values that they must give.

To add a benchmark:

1. A row in `benchmarks.csv`. `benchmark` is its name, unique in the table. `kind` says what it is held against:

   - ``data``: measured in people (or whatever was measured);
   - ``published model``: printed by a model's authors, or given by their model file, unchanged, in another program;
   - ``own reference run``: our own earlier or independent run of the equations.

   Only the first two validate; the third finds a change and is counted apart. `tolerance` is ``relative`` (a share of
   the expected value) or ``absolute`` (in `unit`). `source` is a study_id of the evidence base. `accepted_miss` is
   empty, or says why the row misses and stays: the row is then not ok, but the whole is.
2. A function that computes the value, in a module of this package that `registry.MODULES` names::

       @measures("TNF peak, bolus", "time of TNF peak, bolus")
       def bolus() -> dict[str, float]:
           ...
           return {"TNF peak, bolus": peak, "time of TNF peak, bolus": hour}

   One run may give many values. A row without a function, or a function without a row, is an error. A function that
   takes longer than a few seconds is marked ``slow=True`` and runs when asked for (`--slow`); one that lacks what it
   needs, say a package, raises `NotRun` with what is missing, and its rows are listed as not run.
3. A published model has a folder ``model/published/<name>/`` with `model.ant` and `README.md`; `runs.run_published`
   runs it. Its time unit is the published one.
"""

from vagus.validation.benchmarks import Benchmark, benchmarks
from vagus.validation.checks import Check, check_submodels, summary
from vagus.validation.registry import NotRun, measures

__all__ = ["Benchmark", "Check", "NotRun", "benchmarks", "check_submodels", "measures", "summary"]
