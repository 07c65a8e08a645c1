"""The explicit method of the lanes: a Runge-Kutta pair 5(4) for models whose fastest states hold the step down.

A body has a few fast states that follow slow ones: hormones on release, substrates in a gut. Tsitouras' pair, which
the scalar integrator has, is stable as long as the product of step and decay stays below 3.5 for six evaluations of
the rates; the seven of this pair carry it to 6.7, with a solution as exact. On our own model and on the workload of
``benchmarks/engine_lanes.py`` it needs three quarters of the evaluations for the same error.

The coefficients solve the conditions of order five (Butcher) under four simplifications: every stage from the third on
is of second order, and the second one has no weight, alone or through the others. Of what these leave free, the
stability polynomial fixes two numbers (its last two coefficients are 0.93/720 and 0.465/5040), the last stage stands at
the end of the step, and the rest makes the terms of sixth order, the error of a fast state that follows a slow one, and
the stages' own amplification small. The embedded solution of order four is unique but for the size of its difference,
which is that of Tsitouras' pair. The interpolant is of order four with a continuous slope. ``tests/engine`` checks all
of it.
"""

from __future__ import annotations

from vagus.engine.assembly import Value

STAGES = 7  # evaluations a step; the last row of A is the solution, where the next step begins
A: tuple[tuple[float, ...], ...] = (
    (),
    (0.0669938079624862,),
    (-0.008514850398376753, 0.1505356855587387),
    (-0.006689253282089353, 0.1323877927719439, 0.0632756686819855),
    (1.138132033131287, -0.7534021821053435, -4.118866927928839, 4.342808844907027),
    (
        *(-0.2946408576925615, 0.1633586302749768, 1.3381765076501324, -0.846908580948397),
        0.3676533917847161,
    ),
    (
        *(0.7017394370921376, 0.11352728486175147, -5.147680999086976, 5.1102523151600865),
        *(-0.8078917314196317, 1.0300536933926316),
    ),
    (
        *(0.11146102842670165, 0.0, -0.5702199909212827, 0.907505374069419, 0.1308689143438198),
        *(0.33247384159433807, 0.0879108324870041),
    ),
)
C = (
    *(0.0, 0.0669938079624862, 0.14202083516036196, 0.18897420817184005, 0.608671768004131),
    *(0.7276390910688668, 1.0, 1.0),
)
# weights of the error
E = (
    *(-0.15019869470508768, 0.0, 0.9089874761295655, -0.7995824017765765, 0.04050492846284785),
    *(0.010785716597530736, -0.01960358671193089, 0.009106562003650967),
)
# of each stage: its weight at a share of the step, as a polynomial from the first power on
SHARES = (
    (1.0, -3.7238007432967346, 4.893445600300284, -2.058183828576846),
    (0.0, 0.0, 0.0, 0.0),
    (0.0, -0.3900286109884554, -1.500822741708222, 1.3206313617753946),
    (0.0, 4.6418129273085516, -5.653604358339432, 1.9192968051002992),
    (0.0, 0.29768185252892476, -0.07188804768256409, -0.09492489050253851),
    (0.0, -1.1847667640197972, 3.699428894416943, -2.1821882888028097),
    (0.0, -1.2154797033856648, 2.7826027367193977, -1.4792122008467086),
    (0.0, 1.5745810418531785, -4.149162083706408, 2.5745810418532105),
)
STABILITY = 6.7  # length of the stability region on the negative axis
# step control: more memory than usual, as a step at the border of stability would else be rejected again and again
EXPONENT, MEMORY = 0.12, 0.05


def weights(share: Value) -> list[Value]:
    """Return the weights of all stages, the first of the next step among them, at a share of a step."""
    return [share * (a + share * (b + share * (c + share * d))) for a, b, c, d in SHARES]
