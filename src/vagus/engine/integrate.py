"""The integrator: one person after the other through a compiled kernel, without the GIL.

Two methods share one loop. The explicit one is Tsitouras' pair 5(4) (Computers & Mathematics with Applications 62,
2011, 770-775) with its own interpolant. The stiff one is RODAS, a Rosenbrock pair 4(3) with its own interpolant
(Hairer & Wanner, Solving Ordinary Differential Equations II, 2nd edition, section IV.7 and the appendix). The loop
starts explicit. Where the step is held down by stability (the test of Hairer & Wanner's DOPRI5), the stiff method is
tried for a few steps, and the method that advances further for the same number of operations is kept. Every decision
rests on numbers of this person alone, never on a clock, so the bits do not depend on chunks or threads.

The integrator stops exactly at doses, at borders of inputs, and where an expression of time alone jumps. Conditions
of events are looked at after every step and located on the interpolant by bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import llvmlite.ir as ir
import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from vagus import store

OK, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS, CANCELLED, BAD_PARAMETER, BAD_INITIAL, EVENT_CHAIN, BAD_DOSE = range(9)
AUTOMATIC, EXPLICIT, STIFF = range(3)

Function = TypeVar("Function", bound=Callable[..., Any])
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called from compiled code only


def _compiled(**options: Any) -> Callable[[Function], Function]:
    """Compile with numba, its cache kept in vagus's own folder (no cache where none can be written)."""

    def decorate(function: Function) -> Function:
        folder = store.writable_folder("integrator")
        settings = {"nogil": True, "error_model": "numpy", "_nrt": False, **INNER, **options}
        before = numba.config.CACHE_DIR
        try:
            if folder is not None:
                numba.config.CACHE_DIR = str(folder)
            return cast(Function, numba.njit(cache=folder is not None, **settings)(function))
        finally:
            numba.config.CACHE_DIR = before

    return decorate


@intrinsic  # type: ignore[misc,untyped-decorator]
def _call(typing_context, address, t, y, p, out):  # type: ignore[no-untyped-def]
    """Call a kernel function at an address: ``void f(double t, double* y, double* p, double* out)``."""
    signature = types.void(types.int64, types.float64, y, p, out)

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        double = ir.DoubleType()
        pointer = double.as_pointer()
        function = ir.FunctionType(ir.VoidType(), [double, pointer, pointer, pointer])
        target = builder.inttoptr(args[0], function.as_pointer())
        data = [context.make_array(signature.args[i])(context, builder, args[i]).data for i in (2, 3, 4)]
        builder.call(target, [args[1], *(builder.bitcast(item, pointer) for item in data)])
        return context.get_dummy_value()

    return signature, generate


# ---------------------------------------------------------------------- the two methods

# Tsitouras 5(4): nodes, weights, error weights
TSIT_C = np.array([0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0])
A21 = 0.161
A31, A32 = -0.008480655492356989, 0.335480655492357
A41, A42, A43 = 2.8971530571054935, -6.359448489975075, 4.3622954328695815
A51, A52, A53, A54 = 5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525
A61, A62, A63, A64, A65 = (
    5.86145544294642,
    -12.92096931784711,
    8.159367898576159,
    -0.071584973281401,
    -0.028269050394068383,
)
A71, A72, A73, A74, A75, A76 = (
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
)
E1, E2, E3, E4, E5, E6, E7 = (
    -0.00178001105222577714,
    -0.0008164344596567469,
    0.007880878010261995,
    -0.1447110071732629,
    0.5823571654525552,
    -0.45808210592918697,
    1.0 / 66.0,
)
TSIT_STABILITY = 3.5  # about the length of the stability region on the negative axis

# RODAS: gamma, then a, c, alpha, gamma_i, interpolation
GAMMA = 0.25
ROS_A = np.zeros((6, 6))
ROS_A[1, 0] = 0.1544e1
ROS_A[2, :2] = 0.9466785280815826, 0.2557011698983284
ROS_A[3, :3] = 0.3314825187068521e1, 0.2896124015972201e1, 0.9986419139977817
ROS_A[4, :4] = 0.1221224509226641e1, 0.6019134481288629e1, 0.1253708332932087e2, -0.6878860361058950
ROS_A[5, :4] = ROS_A[4, :4]
ROS_A[5, 4] = 1.0
ROS_C = np.zeros((6, 6))
ROS_C[1, 0] = -0.56688e1
ROS_C[2, :2] = -0.2430093356833875e1, -0.2063599157091915
ROS_C[3, :3] = -0.1073529058151375, -0.9594562251023355e1, -0.2047028614809616e2
ROS_C[4, :4] = 0.7496443313967647e1, -0.1024680431464352e2, -0.3399990352819905e2, 0.1170890893206160e2
ROS_C[5, :5] = (
    0.8083246795921522e1,
    -0.7981132988064893e1,
    -0.3152159432874371e2,
    0.1631930543123136e2,
    -0.6058818238834054e1,
)
ROS_ALPHA = np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0])
ROS_G = np.array([0.25, -0.1043, 0.1035, -0.3620000000000023e-1, 0.0, 0.0])
ROS_D2 = np.array(
    [0.1012623508344586e2, -0.7487995877610167e1, -0.3480091861555747e2, -0.7992771707568823e1, 0.1025137723295662e1]
)
ROS_D3 = np.array(
    [-0.6762803392806898, 0.6087714651680015e1, 0.1643084320892478e2, 0.2476722511418386e2, -0.6594389125716872e1]
)

# step control
SAFETY = 0.9
TSIT_EXPONENT, TSIT_MEMORY = 0.7 / 5, 0.4 / 5
MOST_SHRINK, MOST_GROWTH = 0.15, 5.0
SELF_SCALE = 1e-3  # absolute tolerance by itself: this share of rtol times the largest value that the state has had
SELF_FLOOR = 1e-6  # and never below this share of rtol

# choice of method
STABILITY_SIGN = 0.9 * TSIT_STABILITY
STIFF_STEPS = 20  # so many steps at the border of stability start a trial of the stiff method
CALM_STEPS = 6
TRIAL_STEPS = 12
TRIAL_WARM = 5  # steps of a trial that are not counted: the step size has to grow first
REVIEW_STEPS = 50
FIRST_PENALTY = 250  # after a trial that did not pay: no other one for twice, four times, ... so many steps
EASE = 0.7

LONGEST_CHAIN = 1000  # events at one moment
BISECTIONS = 60


@_compiled()
def _tsit_step(rhs, t, h, y, p, k, stage, sixth, new, error):  # type: ignore[no-untyped-def]
    """One explicit step; ``k[0]`` holds the rates at `y`."""
    n = y.size
    k0, k1, k2, k3, k4, k5, k6 = k[0], k[1], k[2], k[3], k[4], k[5], k[6]
    for i in range(n):
        stage[i] = y[i] + h * (A21 * k0[i])
    _call(rhs, t + TSIT_C[1] * h, stage, p, k1)
    for i in range(n):
        stage[i] = y[i] + h * (A31 * k0[i] + A32 * k1[i])
    _call(rhs, t + TSIT_C[2] * h, stage, p, k2)
    for i in range(n):
        stage[i] = y[i] + h * (A41 * k0[i] + A42 * k1[i] + A43 * k2[i])
    _call(rhs, t + TSIT_C[3] * h, stage, p, k3)
    for i in range(n):
        stage[i] = y[i] + h * (A51 * k0[i] + A52 * k1[i] + A53 * k2[i] + A54 * k3[i])
    _call(rhs, t + TSIT_C[4] * h, stage, p, k4)
    for i in range(n):
        sixth[i] = y[i] + h * (A61 * k0[i] + A62 * k1[i] + A63 * k2[i] + A64 * k3[i] + A65 * k4[i])
    _call(rhs, t + h, sixth, p, k5)
    for i in range(n):
        new[i] = y[i] + h * (A71 * k0[i] + A72 * k1[i] + A73 * k2[i] + A74 * k3[i] + A75 * k4[i] + A76 * k5[i])
    _call(rhs, t + h, new, p, k6)
    for i in range(n):
        error[i] = h * (E1 * k0[i] + E2 * k1[i] + E3 * k2[i] + E4 * k3[i] + E5 * k4[i] + E6 * k5[i] + E7 * k6[i])


@_compiled()
def _factor(matrix, pivots):  # type: ignore[no-untyped-def]
    """LU decomposition in place with row exchange; False where the matrix is singular."""
    n = matrix.shape[0]
    for j in range(n):
        best, row = abs(matrix[j, j]), j
        for i in range(j + 1, n):
            if abs(matrix[i, j]) > best:
                best, row = abs(matrix[i, j]), i
        pivots[j] = row
        if not best > 0.0:
            return False
        if row != j:
            for m in range(n):
                matrix[j, m], matrix[row, m] = matrix[row, m], matrix[j, m]
        inverse = 1.0 / matrix[j, j]
        for i in range(j + 1, n):
            if matrix[i, j] != 0.0:
                factor = matrix[i, j] * inverse
                matrix[i, j] = factor
                for m in range(j + 1, n):
                    matrix[i, m] -= factor * matrix[j, m]
    return True


@_compiled(fastmath={"reassoc", "contract"})
def _solve(matrix, pivots, x):  # type: ignore[no-untyped-def]
    """Solve in place with a decomposed matrix."""
    n = x.size
    for j in range(n):
        row = pivots[j]
        if row != j:
            x[j], x[row] = x[row], x[j]
    for i in range(n):
        total = x[i]
        for j in range(i):
            total -= matrix[i, j] * x[j]
        x[i] = total
    for i in range(n - 1, -1, -1):
        total = x[i]
        for j in range(i + 1, n):
            total -= matrix[i, j] * x[j]
        x[i] = total / matrix[i, i]


@_compiled()
def _rosenbrock_step(  # type: ignore[no-untyped-def]
    rhs, t, h, y, p, rates, jacobian, k, matrix, pivots, stage, f, new, error
):
    """One stiff step; `rates` holds the rates at `y`, `jacobian` the matrix there and the rates' slopes in time."""
    n = y.size
    diagonal = 1.0 / (h * GAMMA)
    for i in range(n):
        for j in range(n):
            matrix[i, j] = -jacobian[i * n + j]
        matrix[i, i] += diagonal
    if not _factor(matrix, pivots):
        return False
    for s in range(6):
        if s == 0:
            for i in range(n):
                f[i] = rates[i]
        else:
            for i in range(n):
                stage[i] = y[i]
            for m in range(s):
                a = ROS_A[s, m]
                for i in range(n):
                    stage[i] += a * k[m, i]
            _call(rhs, t + ROS_ALPHA[s] * h, stage, p, f)
        slope = ROS_G[s] * h
        for i in range(n):
            f[i] += slope * jacobian[n * n + i]
        for m in range(s):
            c = ROS_C[s, m] / h
            for i in range(n):
                f[i] += c * k[m, i]
        _solve(matrix, pivots, f)
        for i in range(n):
            k[s, i] = f[i]
    for i in range(n):
        error[i] = k[5, i]
        new[i] = stage[i] + k[5, i]
    return True


@_compiled()
def _interpolate(stiff, theta, h, y, new, k, out):  # type: ignore[no-untyped-def]
    """Values within a step, at the share `theta` of it."""
    n = y.size
    if theta >= 1.0:
        for i in range(n):
            out[i] = new[i]
    elif stiff:
        rest = 1.0 - theta
        for i in range(n):
            c2 = 0.0
            c3 = 0.0
            for m in range(5):
                c2 += ROS_D2[m] * k[m, i]
                c3 += ROS_D3[m] * k[m, i]
            out[i] = y[i] * rest + theta * (new[i] + rest * (c2 + theta * c3))
    else:
        x = theta
        x2 = x * x
        b1 = -1.0530884977290216 * x * (x - 1.3299890189751412) * (x2 - 1.4364028541716351 * x + 0.7139816917074209)
        b2 = 0.1017 * x2 * (x2 - 2.1966568338249754 * x + 1.2949852507374631)
        b3 = 2.490627285651252793 * x2 * (x2 - 2.38535645472061657 * x + 1.57803468208092486)
        b4 = -16.54810288924490272 * (x - 1.21712927295533244) * (x - 0.61620406037800089) * x2
        b5 = 47.37952196281928122 * (x - 1.203071208372362603) * (x - 0.658047292653547382) * x2
        b6 = -34.87065786149660974 * (x - 1.2) * (x - 0.666666666666666667) * x2
        b7 = 2.5 * (x - 1.0) * (x - 0.6) * x2
        for i in range(n):
            out[i] = y[i] + h * (
                b1 * k[0, i] + b2 * k[1, i] + b3 * k[2, i] + b4 * k[3, i] + b5 * k[4, i] + b6 * k[5, i] + b7 * k[6, i]
            )


@_compiled(fastmath={"reassoc", "contract", "nsz"})
def _norm(x, weight):  # type: ignore[no-untyped-def]
    """Root mean square of scaled values."""
    total = 0.0
    for i in range(x.size):
        scaled = x[i] * weight[i]
        total += scaled * scaled
    return np.sqrt(total / max(x.size, 1))


@_compiled(fastmath={"reassoc", "contract", "nsz"})
def _stiffness(k5, k6, sixth, new, weight):  # type: ignore[no-untyped-def]
    """Estimate of the largest rate in the system, from two evaluations at one time."""
    top = 0.0
    bottom = 0.0
    for i in range(new.size):
        a = (k6[i] - k5[i]) * weight[i]
        b = (new[i] - sixth[i]) * weight[i]
        top += a * a
        bottom += b * b
    return np.sqrt(top / bottom) if bottom > 0.0 else 0.0


@_compiled()
def _set_weights(y, new, scale, by_itself, rtol, atol, weight):  # type: ignore[no-untyped-def]
    """One over the tolerated error of each state."""
    if by_itself:
        share = rtol * SELF_SCALE
        floor = rtol * SELF_FLOOR
        for i in range(y.size):
            size = max(abs(y[i]), abs(new[i]))
            weight[i] = 1.0 / (rtol * size + max(share * max(scale[i], size), floor))
    else:
        for i in range(y.size):
            weight[i] = 1.0 / (rtol * max(abs(y[i]), abs(new[i])) + atol[i])


@_compiled()
def _first_bad(x):  # type: ignore[no-untyped-def]
    """Index of the first value that is not finite, -1 where there is none."""
    for i in range(x.size):
        if not np.isfinite(x[i]):
            return i
    return -1


@_compiled()
def _differs(a, b):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        if a[i] != b[i]:
            return True
    return False


@_compiled()
def _rises(before, after):  # type: ignore[no-untyped-def]
    for i in range(before.size):
        if before[i] == 0.0 and after[i] != 0.0:
            return True
    return False


@_compiled()
def _largest_rate(matrix, vector, work):  # type: ignore[no-untyped-def]
    """Estimate of the Jacobian's largest eigenvalue by a few rounds of the power method."""
    n = work.size
    for i in range(n):
        vector[i] = 1.0 + 0.01 * (i % 7)
    size = 0.0
    for _ in range(8):
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += matrix[i * n + j] * vector[j]
            work[i] = total
        size = 0.0
        for i in range(n):
            size = max(size, abs(work[i]))
        if not size > 0.0:
            return 0.0
        for i in range(n):
            vector[i] = work[i] / size
    return size


@_compiled()
def _first_step(rhs, t, span, y, p, rates, weight, stage, f):  # type: ignore[no-untyped-def]
    """Step size to start with (Hairer, Norsett & Wanner, section II.4)."""
    d0 = _norm(y, weight)
    d1 = _norm(rates, weight)
    h = 1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1
    h = min(h, span)
    for i in range(y.size):
        stage[i] = y[i] + h * rates[i]
    _call(rhs, t + h, stage, p, f)
    for i in range(y.size):
        f[i] -= rates[i]
    d2 = _norm(f, weight) / h
    if not np.isfinite(d2):
        return h * 1e-3
    largest = max(d1, d2)
    h1 = max(1e-6, h * 1e-3) if largest <= 1e-15 else (0.01 / largest) ** 0.2
    return min(100.0 * h, h1, span)


# ---------------------------------------------------------------------- what the loop works on


class Code(NamedTuple):
    """The compiled model.

    `functions` holds the addresses of prepare, rhs, jacobian, outputs, triggers and switches; `events` one address an
    event. `kinds` says of each event whether its condition counts as true before the start, whether the event is
    persistent, and whether its values are computed at the trigger; `targets` which states it sets. `costs` are those
    of one explicit and of one stiff step, in operations.
    """

    functions: Integers
    events: Integers
    kinds: Truths
    targets: Truths
    costs: Floats


class People(NamedTuple):
    """Numbers of the people; see `vagus.engine.solver.simulate`."""

    parameters: Floats
    initial: Floats
    output_times: Floats
    dose_offsets: Integers
    dose_times: Floats
    dose_states: Integers
    dose_amounts: Floats
    input_starts: Floats
    input_places: Integers
    input_values: Floats


class Settings(NamedTuple):
    """How to integrate; `by_itself`: absolute tolerances follow the states' own sizes."""

    t_start: float
    rtol: float
    atol: Floats
    by_itself: bool
    max_step: float
    max_steps: int
    method: int


class Result(NamedTuple):
    """Where the results go."""

    values: Floats
    final: Floats
    status: Integers
    status_time: Floats
    status_place: Integers
    steps: Integers
    stiff_steps: Integers


class Work(NamedTuple):
    """Memory for one person at a time; `own` and `prepared` are the two parts of `p`."""

    clock: Floats
    count: Integers
    p: Floats
    own: Floats
    prepared: Floats
    y: Floats
    new: Floats
    stage: Floats
    sixth: Floats
    error: Floats
    weight: Floats
    scale: Floats
    at: Floats
    old: Floats
    f: Floats
    rates: Floats
    k: Floats
    jacobian: Floats
    matrix: Floats
    pivots: Integers
    out: Floats
    g: Floats
    g_before: Floats
    fired: Truths
    s_now: Floats
    s_then: Floats


PREPARE, RHS, JACOBIAN, OUTPUTS, TRIGGERS, SWITCHES = range(6)
# places in Work.clock
T, H, ERROR_BEFORE, LEFT, RIGHT, WINDOW_START, WINDOW_COST, EXPLICIT_SPEED, EXPLICIT_STEP = range(9)
# places in Work.count
STEPS, STIFF_STEPS, DONE, DOSE, INTERVAL, FRESH, IS_STIFF, HAVE_JACOBIAN = range(8)
LIMITED, CALM, TRIAL, PAUSE, PENALTY, REVIEW, REJECTED, PLACE = range(8, 16)


def workspace(states: int, parameters: int, prepared: int, outputs: int, events: int, switches: int) -> Work:
    """Return memory for models of this size."""
    p = np.zeros(parameters + prepared)
    row = (np.zeros(states) for _ in range(11))
    return Work(
        np.zeros(9),
        np.zeros(16, dtype=np.int64),
        p,
        p[:parameters],
        p[parameters:],
        *row,
        np.zeros((7, states)),
        np.zeros(states * states + states),
        np.zeros((states, states)),
        np.zeros(states, dtype=np.int64),
        np.zeros(outputs),
        np.zeros(events),
        np.zeros(events),
        np.zeros(events, dtype=np.bool_),
        np.zeros(switches),
        np.zeros(switches),
    )


# ---------------------------------------------------------------------- the loop


@_compiled()
def _fire(code, work):  # type: ignore[no-untyped-def]
    """Execute all events whose condition has become true, and those that they cause.

    ``work.g_before`` holds the conditions up to now and leaves as the conditions after all events.
    """
    t = work.clock[T]
    y, g, before = work.y, work.g, work.g_before
    rounds = 0
    while True:
        _call(code.functions[TRIGGERS], t, y, work.p, g)
        some = False
        for e in range(g.size):
            work.fired[e] = before[e] == 0.0 and g[e] != 0.0
            before[e] = g[e]
            some = some or work.fired[e]
        if not some:
            return OK
        rounds += 1
        if rounds > LONGEST_CHAIN:
            return EVENT_CHAIN
        work.count[FRESH] = 1
        for i in range(y.size):
            work.old[i] = y[i]
        for e in range(g.size):
            if not work.fired[e]:
                continue
            if not code.kinds[e, 1]:  # not persistent: another event may have made it false
                _call(code.functions[TRIGGERS], t, y, work.p, g)
                if g[e] == 0.0:
                    before[e] = 0.0
                    continue
            if code.kinds[e, 2]:
                _call(code.events[e], t, work.old, work.p, work.at)
            else:
                _call(code.events[e], t, y, work.p, work.at)
            for i in range(y.size):
                if code.targets[e, i]:
                    y[i] = work.at[i]


@_compiled()
def _write(person, t, y, code, work, result):  # type: ignore[no-untyped-def]
    """Write the next output."""
    _call(code.functions[OUTPUTS], t, y, work.p, work.out)
    done = work.count[DONE]
    for o in range(work.out.size):
        result.values[person, done, o] = work.out[o]
    work.count[DONE] = done + 1


@_compiled()
def _take_inputs(person, people, work):  # type: ignore[no-untyped-def]
    """Set the parameters of the interval that holds now; say whether there is a new one."""
    count, starts = work.count, people.input_starts
    before = count[INTERVAL]
    while count[INTERVAL] + 1 < starts.size and starts[count[INTERVAL] + 1] <= work.clock[T]:
        count[INTERVAL] += 1
    if count[INTERVAL] == before:
        return False
    for j in range(people.input_places.size):
        work.p[people.input_places[j]] = people.input_values[person, count[INTERVAL], j]
    return True


@_compiled()
def _prepare(code, work):  # type: ignore[no-untyped-def]
    """Compute what depends on the person's parameters alone."""
    work.count[PLACE] = _first_bad(work.own)
    if work.count[PLACE] >= 0:
        return BAD_PARAMETER
    t = work.clock[T]
    _call(code.functions[PREPARE], t, work.y, work.p, work.prepared)
    if work.s_now.size:
        _call(code.functions[SWITCHES], t, work.y, work.p, work.s_now)
    work.clock[LEFT] = np.inf
    work.clock[RIGHT] = np.inf
    return OK


@_compiled()
def _begin(person, code, people, settings, work, result):  # type: ignore[no-untyped-def]
    """Take over a person's parameters and states; write the outputs at the start."""
    clock, count, y = work.clock, work.count, work.y
    clock[:] = 0.0
    count[:] = 0
    clock[T] = settings.t_start
    clock[WINDOW_START] = settings.t_start
    clock[ERROR_BEFORE] = 1e-4
    count[FRESH] = 1
    count[PENALTY] = FIRST_PENALTY
    count[IS_STIFF] = settings.method == STIFF
    count[INTERVAL] = -1
    for j in range(work.own.size):
        work.p[j] = people.parameters[person, j]
    _take_inputs(person, people, work)
    for i in range(y.size):
        y[i] = people.initial[person, i]
        work.scale[i] = abs(y[i])
    status = _prepare(code, work)
    if status != OK:
        return status
    count[PLACE] = _first_bad(y)
    if count[PLACE] >= 0:
        return BAD_INITIAL
    dose, dose_end = people.dose_offsets[person], people.dose_offsets[person + 1]
    while dose < dose_end and people.dose_times[dose] < settings.t_start:
        dose += 1
    count[DOSE] = dose
    if work.g.size:
        _call(code.functions[TRIGGERS], clock[T], y, work.p, work.g)
        for e in range(work.g.size):
            work.g_before[e] = work.g[e] if code.kinds[e, 0] else 0.0
        status = _fire(code, work)
    while status == OK and count[DONE] < people.output_times.size:
        if people.output_times[count[DONE]] > clock[T]:
            break
        _write(person, clock[T], y, code, work, result)
    return status


@_compiled()
def _take_due(person, code, people, work):  # type: ignore[no-untyped-def]
    """Give the doses and set the inputs of this moment."""
    count, y, t = work.count, work.y, work.clock[T]
    due = False
    while count[DOSE] < people.dose_offsets[person + 1] and people.dose_times[count[DOSE]] <= t:
        place = people.dose_states[count[DOSE]]
        y[place] += people.dose_amounts[count[DOSE]]
        work.scale[place] = max(work.scale[place], abs(y[place]))
        count[DOSE] += 1
        due = True
    if _take_inputs(person, people, work):
        status = _prepare(code, work)
        if status != OK:
            return status
        due = True
    if not due:
        return OK
    count[FRESH] = 1
    count[PLACE] = _first_bad(y)
    if count[PLACE] >= 0:
        return BAD_DOSE
    return _fire(code, work) if work.g.size else OK


@_compiled()
def _next_stop(person, people, work):  # type: ignore[no-untyped-def]
    """Return the time of the next dose, border of inputs, or end."""
    stop = people.output_times[people.output_times.size - 1]
    if work.count[DOSE] < people.dose_offsets[person + 1]:
        stop = min(stop, people.dose_times[work.count[DOSE]])
    if work.count[INTERVAL] + 1 < people.input_starts.size:
        stop = min(stop, people.input_starts[work.count[INTERVAL] + 1])
    return stop


@_compiled()
def _refresh(stop, code, settings, work):  # type: ignore[no-untyped-def]
    """Compute the rates here; at the very start also the first step size."""
    clock, count = work.clock, work.count
    _call(code.functions[RHS], clock[T], work.y, work.p, work.k[0])
    count[PLACE] = _first_bad(work.k[0])
    if count[PLACE] >= 0:
        return NOT_FINITE
    count[FRESH] = 0
    count[HAVE_JACOBIAN] = 0
    if clock[H] == 0.0:
        _set_weights(work.y, work.y, work.scale, settings.by_itself, settings.rtol, settings.atol, work.weight)
        clock[H] = _first_step(
            code.functions[RHS], clock[T], stop - clock[T], work.y, work.p, work.k[0], work.weight, work.stage, work.f
        )
    return OK


@_compiled()
def _look_ahead(stop, code, work):  # type: ignore[no-untyped-def]
    """Find the first jump of time alone within the next step: the last moment before it and the first after it."""
    clock = work.clock
    t = clock[T]
    ahead = min(t + clock[H], stop)
    for quarter in range(1, 5):
        upper = ahead if quarter == 4 else t + 0.25 * quarter * (ahead - t)
        _call(code.functions[SWITCHES], upper, work.y, work.p, work.s_then)
        if not _differs(work.s_now, work.s_then):
            continue
        lower = t
        while True:
            middle = 0.5 * (lower + upper)
            if middle <= lower or middle >= upper:
                break
            _call(code.functions[SWITCHES], middle, work.y, work.p, work.s_then)
            if _differs(work.s_now, work.s_then):
                upper = middle
            else:
                lower = middle
        clock[LEFT] = lower
        clock[RIGHT] = upper
        return


@_compiled()
def _jump(code, people, work):  # type: ignore[no-untyped-def]
    """Go over a jump of time alone."""
    clock = work.clock
    clock[T] = min(clock[RIGHT], people.output_times[people.output_times.size - 1])
    clock[LEFT] = np.inf
    clock[RIGHT] = np.inf
    _call(code.functions[SWITCHES], clock[T], work.y, work.p, work.s_now)
    work.count[FRESH] = 1
    return _fire(code, work) if work.g.size else OK


@_compiled()
def _try_step(step, code, settings, work):  # type: ignore[no-untyped-def]
    """Compute one step and return its scaled error."""
    clock, count, rhs = work.clock, work.count, code.functions[RHS]
    t = clock[T]
    good = True
    count[STEPS] += 1
    if count[IS_STIFF]:
        count[STIFF_STEPS] += 1
        clock[WINDOW_COST] += code.costs[1]
        if not count[HAVE_JACOBIAN]:
            _call(code.functions[JACOBIAN], t, work.y, work.p, work.jacobian)
            for i in range(work.jacobian.size):
                if not np.isfinite(work.jacobian[i]):
                    work.jacobian[i] = 0.0
            for i in range(work.y.size):  # the step overwrites k
                work.rates[i] = work.k[0, i]
            count[HAVE_JACOBIAN] = 1
        good = _rosenbrock_step(
            rhs,
            t,
            step,
            work.y,
            work.p,
            work.rates,
            work.jacobian,
            work.k,
            work.matrix,
            work.pivots,
            work.stage,
            work.f,
            work.new,
            work.error,
        )
    else:
        clock[WINDOW_COST] += code.costs[0]
        _tsit_step(rhs, t, step, work.y, work.p, work.k, work.stage, work.sixth, work.new, work.error)
    _set_weights(work.y, work.new, work.scale, settings.by_itself, settings.rtol, settings.atol, work.weight)
    size = _norm(work.error, work.weight) if good else 1e8
    return size if size < 1e8 else 1e8  # also where it is NaN


@_compiled()
def _reject(step, size, work):  # type: ignore[no-untyped-def]
    """Shorten the step; give up where it vanishes."""
    clock, count = work.clock, work.count
    shrink = SAFETY * size ** (-0.25 if count[IS_STIFF] else -0.2)
    clock[H] = step * max(MOST_SHRINK, min(0.9, shrink))
    count[REJECTED] = 1
    if clock[H] > 4e-16 * max(abs(clock[T]), 1e-3):
        return OK
    count[PLACE] = _first_bad(work.new)
    if count[PLACE] >= 0:
        return NOT_FINITE
    worst = -1.0
    for i in range(work.y.size):
        share = abs(work.error[i] * work.weight[i])
        if share > worst:
            worst = share
            count[PLACE] = i
    return STEP_TOO_SMALL


@_compiled()
def _next_size(step, size, work):  # type: ignore[no-untyped-def]
    """Set the size of the next step after a good one."""
    clock, count = work.clock, work.count
    size = max(size, 1e-10)
    if count[IS_STIFF]:
        growth = SAFETY * size**-0.25
    else:
        growth = SAFETY * size**-TSIT_EXPONENT * clock[ERROR_BEFORE] ** TSIT_MEMORY
    growth = max(MOST_SHRINK, min(1.0 if count[REJECTED] else MOST_GROWTH, growth))
    count[REJECTED] = 0
    if step < clock[H]:  # shortened to land: says little about the next one
        clock[H] = max(step * growth, clock[H]) if growth >= 1.0 else step * growth
    else:
        clock[ERROR_BEFORE] = max(size, 1e-4)
        clock[H] = step * growth


@_compiled()
def _locate(step, code, work):  # type: ignore[no-untyped-def]
    """Return the share of the step at which the first condition becomes true, and put the states there into `old`."""
    t, stiff = work.clock[T], work.count[IS_STIFF] != 0
    lower, upper = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (lower + upper)
        if middle <= lower or middle >= upper or t + middle * step <= t:
            break
        _interpolate(stiff, middle, step, work.y, work.new, work.k, work.at)
        _call(code.functions[TRIGGERS], t + middle * step, work.at, work.p, work.g)
        if _rises(work.g_before, work.g):
            upper = middle
        else:
            lower = middle
    _interpolate(stiff, upper, step, work.y, work.new, work.k, work.old)
    return upper


@_compiled()
def _accept(person, step, t_new, size, code, people, settings, work, result):  # type: ignore[no-untyped-def]
    """Take a good step, up to its first event."""
    clock, count, y = work.clock, work.count, work.y
    t = clock[T]
    stiff = count[IS_STIFF] != 0
    happened = False
    _next_size(step, size, work)
    if work.g.size:
        _call(code.functions[TRIGGERS], t_new, work.new, work.p, work.g)
        if _rises(work.g_before, work.g):
            happened = True
            share = _locate(step, code, work)
            if share < 1.0:
                t_new = t + share * step
        else:
            for e in range(work.g.size):
                work.g_before[e] = work.g[e]
    while count[DONE] < people.output_times.size and people.output_times[count[DONE]] <= t_new:
        t_out = people.output_times[count[DONE]]
        theta = min(max((t_out - t) / step, 0.0), 1.0)
        _interpolate(stiff, theta, step, y, work.new, work.k, work.at)
        _write(person, t_out, work.at, code, work, result)
    rate = 0.0
    if not stiff and not happened:
        rate = step * _stiffness(work.k[5], work.k[6], work.sixth, work.new, work.weight)
    for i in range(y.size):
        y[i] = work.old[i] if happened else work.new[i]
        work.scale[i] = max(work.scale[i], abs(y[i]))
    clock[T] = t_new
    if stiff or happened:
        count[FRESH] = 1
    else:
        for i in range(y.size):
            work.k[0, i] = work.k[6, i]
    if happened:
        status = _fire(code, work)
        if status != OK:
            return status
        count[PLACE] = _first_bad(y)
        if count[PLACE] >= 0:
            return NOT_FINITE
    if settings.method == AUTOMATIC:
        if stiff:
            _review(code, work)
        else:
            _watch(rate, work)
    return OK


@_compiled()
def _watch(rate, work):  # type: ignore[no-untyped-def]
    """While explicit: start a trial of the stiff method where stability holds the step down."""
    clock, count = work.clock, work.count
    if count[PAUSE] > 0:
        count[PAUSE] -= 1
    elif rate > STABILITY_SIGN:
        if count[LIMITED] == 0:
            clock[WINDOW_START] = clock[T]
            clock[WINDOW_COST] = 0.0
        count[LIMITED] += 1
        count[CALM] = 0
        if count[LIMITED] > STIFF_STEPS:
            clock[EXPLICIT_SPEED] = (clock[T] - clock[WINDOW_START]) / clock[WINDOW_COST]
            clock[EXPLICIT_STEP] = clock[H]
            count[IS_STIFF] = 1
            count[HAVE_JACOBIAN] = 0
            count[TRIAL] = TRIAL_STEPS
    elif count[LIMITED] > 0:
        count[CALM] += 1
        if count[CALM] >= CALM_STEPS:
            count[LIMITED] = 0


@_compiled()
def _review(code, work):  # type: ignore[no-untyped-def]
    """While stiff: end a trial, or see whether the explicit method would now be the cheaper one."""
    clock, count = work.clock, work.count
    if count[TRIAL] > 0:
        count[TRIAL] -= 1
        if count[TRIAL] == TRIAL_STEPS - TRIAL_WARM:
            clock[WINDOW_START] = clock[T]
            clock[WINDOW_COST] = 0.0
        if count[TRIAL] > 0:
            return
        speed = (clock[T] - clock[WINDOW_START]) / clock[WINDOW_COST]
        if speed <= clock[EXPLICIT_SPEED]:
            clock[H] = min(clock[H], clock[EXPLICIT_STEP])
            count[PENALTY] *= 2
            _leave_stiff(count[PENALTY], work)
    else:
        count[REVIEW] -= 1
        if count[REVIEW] > 0:
            return
        speed = (clock[T] - clock[WINDOW_START]) / clock[WINDOW_COST]
        largest = _largest_rate(work.jacobian, work.stage, work.f)
        possible = min(clock[H], EASE * TSIT_STABILITY / largest) if largest > 0.0 else clock[H]
        if possible > speed * code.costs[0]:
            clock[H] = possible
            _leave_stiff(0, work)
    count[REVIEW] = REVIEW_STEPS
    clock[WINDOW_START] = clock[T]
    clock[WINDOW_COST] = 0.0


@_compiled()
def _leave_stiff(pause, work):  # type: ignore[no-untyped-def]
    """Go back to the explicit method and leave it in peace for so many steps."""
    count = work.count
    count[IS_STIFF] = 0
    count[FRESH] = 1
    count[LIMITED] = 0
    count[CALM] = 0
    count[PAUSE] = pause


@_compiled()
def _advance(person, stop, code, people, settings, work, result):  # type: ignore[no-untyped-def]
    """Try one step towards the stop."""
    clock = work.clock
    if work.count[FRESH]:
        status = _refresh(people.output_times[people.output_times.size - 1], code, settings, work)
        if status != OK:
            return status
    clock[H] = min(clock[H], settings.max_step)
    if work.s_now.size and clock[LEFT] == np.inf:
        _look_ahead(stop, code, work)
    goal = min(stop, clock[LEFT])
    left = goal - clock[T]
    status = OK
    if left > 0.0:
        lands = clock[H] * 1.001 >= left
        step = left if lands else 0.5 * left if 2.0 * clock[H] > left else clock[H]
        size = _try_step(step, code, settings, work)
        if size > 1.0:
            return _reject(step, size, work)
        t_new = goal if lands else clock[T] + step
        status = _accept(person, step, t_new, size, code, people, settings, work, result)
    if status == OK and clock[T] >= clock[LEFT]:
        status = _jump(code, people, work)
    return status


@_compiled(no_cpython_wrapper=False)
def integrate(first, last, code, people, settings, work, result, cancel):  # type: ignore[no-untyped-def]
    """Integrate the people from `first` up to `last`; ``cancel[0]`` not 0 ends it soon."""
    clock, count = work.clock, work.count
    n_times = people.output_times.size
    t_end = people.output_times[n_times - 1]
    for person in range(first, last):
        status = _begin(person, code, people, settings, work, result)
        while status == OK and clock[T] < t_end:
            status = _take_due(person, code, people, work)
            stop = _next_stop(person, people, work)
            while status == OK and clock[T] < stop:
                if cancel[0] != 0:
                    status = CANCELLED
                elif count[STEPS] >= settings.max_steps:
                    status = TOO_MANY_STEPS
                else:
                    status = _advance(person, stop, code, people, settings, work, result)
        while status == OK and count[DONE] < n_times:  # the last time itself, where a jump led to it
            _write(person, clock[T], work.y, code, work, result)
        result.status[person] = status
        result.status_time[person] = clock[T]
        result.status_place[person] = count[PLACE]
        result.steps[person] = count[STEPS]
        result.stiff_steps[person] = count[STIFF_STEPS]
        if status == OK:
            for i in range(work.y.size):
                result.final[person, i] = work.y[i]
