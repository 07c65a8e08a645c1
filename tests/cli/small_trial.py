"""A small protocol, small trial data, and commands in this process and in one of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from vagus.cli.main import run

#: Two arms of four, one week; every line stands where the tests say it does.
SMALL = """\
vagus: 1
trial: {id: small, title: "Small trial", design: parallel}
population:
  from: adults-mild-anxiety-depression
  n: 8
  baseline_microbiome: {from: healthy-adults}
arms:
  placebo: {maltodextrin: 5 g/day}
  hmo: {2FL: 5 g/day}
schedule: {treat: 1 wk, visits: [0, 1] wk}
measures: {BDI: visits, stool_16S: visits}
estimands:
  primary: {variable: BDI change at 1 wk, contrast: hmo - placebo}
analysis:
  primary: ancova
  secondary:
    - {variable: bifidobacterium, family: microbiome}
"""

SCORES = """\
subject_id,arm,visit,outcome,value
A,placebo,baseline,bdi,20
A,placebo,week 1,bdi,19
B,placebo,baseline,bdi,18
B,placebo,week 1,bdi,16
C,placebo,baseline,bdi,25
C,placebo,week 1,bdi,24
D,hmo,baseline,bdi,21
D,hmo,week 1,bdi,15
E,hmo,baseline,bdi,19
E,hmo,week 1,bdi,14
F,hmo,baseline,bdi,24
F,hmo,week 1,bdi,20
"""

SAMPLES = """\
sample,subject,group,when
a0,A,placebo,baseline
a1,A,placebo,week 1
b0,B,placebo,baseline
b1,B,placebo,week 1
c0,C,placebo,baseline
c1,C,placebo,week 1
d0,D,hmo,baseline
d1,D,hmo,week 1
e0,E,hmo,baseline
e1,E,hmo,week 1
f0,F,hmo,baseline
f1,F,hmo,week 1
"""

TAXA = """\
sample,g__Bifidobacterium,g__Bacteroides,g__Faecalibacterium
a0,120,5000,2100
a1,140,5200,2000
b0,300,4000,1800
b1,280,4100,1900
c0,80,6000,2500
c1,90,5900,2400
d0,100,5000,2200
d1,900,4800,2300
e0,250,4500,2000
e1,1500,4300,2100
f0,60,6200,2600
f1,400,6000,2500
"""

MAPPING = """\
vagus: 1
tables:
  - {file: scores.csv, subject: subject_id, arm: arm, visit: visit, outcome: outcome, value: value,
     outcomes: {bdi: bdi}}
  - {file: samples.csv, subject: subject, arm: group, visit: when, sample: sample}
features: {file: taxa.csv, sample: sample, kind: counts}
"""


@dataclass(frozen=True)
class Result:
    """What a command did: exit code and what it printed."""

    code: int
    out: str
    err: str


@contextmanager
def _surroundings(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    before, held = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(held)


def vagus_in(folder: Path, *arguments: str, **environment: str) -> Result:
    """Run a command in this process, in a folder of its own, with the streams of a pipe."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with _surroundings(folder, {"COLUMNS": "80", **environment}), redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))
    return Result(code, *texts)


def process_in(folder: Path, *arguments: str, **environment: str) -> Result:
    """Run a command as a user does, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "vagus", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
