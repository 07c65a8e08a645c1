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
from typing import Any, TypeVar, cast

import llvmlite.ir as ir
import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from vagus import store

OK, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS, CANCELLED, BAD_PARAMETER, BAD_INITIAL, EVENT_CHAIN, BAD_DOSE = range(9)
AUTOMATIC, EXPLICIT, STIFF = range(3)

Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(**options: Any) -> Callable[[Function], Function]:
    """Compile with numba, its cache kept in vagus's own folder (no cache where none can be written)."""

    def decorate(function: Function) -> Function:
        folder = store.writable_folder("integrator")
        settings = {"nogil": True, "error_model": "numpy", **options}
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
        new[i] = y[i] + h * (
            A71 * k0[i] + A72 * k1[i] + A73 * k2[i] + A74 * k3[i] + A75 * k4[i] + A76 * k5[i]
        )
    _call(rhs, t + h, new, p, k6)
    for i in range(n):
        error[i] = h * (
            E1 * k0[i] + E2 * k1[i] + E3 * k2[i] + E4 * k3[i] + E5 * k4[i] + E6 * k5[i] + E7 * k6[i]
        )


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
                b1 * k[0, i]
                + b2 * k[1, i]
                + b3 * k[2, i]
                + b4 * k[3, i]
                + b5 * k[4, i]
                + b6 * k[5, i]
                + b7 * k[6, i]
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


@_compiled()
def _fire(t, y, p, triggers, events, kinds, targets, before, g, values, fired, old):  # type: ignore[no-untyped-def]
    """Execute all events whose condition has become true, and those that they cause.

    `before` holds the conditions up to now and leaves as the conditions after all events.

    Returns
    -------
    int
        Number of rounds; -1 where events cause each other without end.
    """
    count = before.size
    n = y.size
    rounds = 0
    while True:
        _call(triggers, t, y, p, g)
        some = False
        for k in range(count):
            fired[k] = before[k] == 0.0 and g[k] != 0.0
            before[k] = g[k]
            some = some or fired[k]
        if not some:
            return rounds
        rounds += 1
        if rounds > LONGEST_CHAIN:
            return -1
        for i in range(n):
            old[i] = y[i]
        for k in range(count):
            if not fired[k]:
                continue
            if kinds[k, 1] == 0:  # not persistent: another event may have made it false
                _call(triggers, t, y, p, g)
                if g[k] == 0.0:
                    before[k] = 0.0
                    continue
            source = old if kinds[k, 2] == 1 else y
            _call(events[k], t, source, p, values)
            for i in range(n):
                if targets[k, i]:
                    y[i] = values[i]


@_compiled()
def integrate(  # type: ignore[no-untyped-def]
    first,
    last,
    functions,
    events,
    kinds,
    targets,
    sizes,
    costs,
    parameters,
    initial,
    t_start,
    output_times,
    dose_offsets,
    dose_times,
    dose_states,
    dose_amounts,
    input_starts,
    input_places,
    input_values,
    rtol,
    atol,
    by_itself,
    max_step,
    max_steps,
    method,
    values,
    final,
    status,
    status_time,
    status_place,
    steps,
    stiff_steps,
    cancel,
):
    """Integrate the people from `first` up to `last`; see `vagus.engine.solver.simulate` for the arrays."""
    prepare, rhs, jacobian_at, outputs_at, triggers_at, switches_at = (
        functions[0],
        functions[1],
        functions[2],
        functions[3],
        functions[4],
        functions[5],
    )
    n = initial.shape[1]
    n_parameters = parameters.shape[1]
    n_triggers = events.size
    n_switches = sizes[1]
    n_outputs = values.shape[2]
    n_times = output_times.size
    n_intervals = input_starts.size
    t_end = output_times[n_times - 1]

    p = np.zeros(n_parameters + sizes[0])
    prepared = p[n_parameters:]
    y = np.zeros(n)
    new = np.zeros(n)
    stage = np.zeros(n)
    sixth = np.zeros(n)
    error = np.zeros(n)
    weight = np.zeros(n)
    scale = np.zeros(n)
    at = np.zeros(n)
    old = np.zeros(n)
    f = np.zeros(n)
    k = np.zeros((7, n))
    jacobian = np.zeros(n * n + n)
    matrix = np.zeros((n, n))
    pivots = np.zeros(n, dtype=np.int64)
    out = np.zeros(n_outputs)
    g = np.zeros(n_triggers)
    g_before = np.zeros(n_triggers)
    fired = np.zeros(n_triggers, dtype=np.bool_)
    s_now = np.zeros(n_switches)
    s_then = np.zeros(n_switches)
    cost_explicit = 6.0 * costs[0] + 40.0 * n
    cost_stiff = costs[1] + 6.0 * costs[0] + n * (60.0 + n * (14.0 + n / 3.0))

    for person in range(first, last):
        code = OK
        bad_time = t_start
        bad_place = -1
        n_steps = 0
        n_stiff = 0
        done = 0  # outputs written
        t = t_start

        # ------------------------------------------------------------ parameters and start
        for j in range(n_parameters):
            p[j] = parameters[person, j]
        interval = -1
        while interval + 1 < n_intervals and input_starts[interval + 1] <= t_start:
            interval += 1
        if interval >= 0:
            for j in range(input_places.size):
                p[input_places[j]] = input_values[person, interval, j]
        bad_place = _first_bad(p[:n_parameters])
        if bad_place >= 0:
            code = BAD_PARAMETER
        for i in range(n):
            y[i] = initial[person, i]
            scale[i] = abs(y[i])
        if code == OK:
            bad_place = _first_bad(y)
            if bad_place >= 0:
                code = BAD_INITIAL
        dose = dose_offsets[person]
        dose_end = dose_offsets[person + 1]
        while dose < dose_end and dose_times[dose] < t_start:
            dose += 1
        stiff = method == STIFF
        h = 0.0
        error_before = 1e-4
        limited = 0
        calm = 0
        trial = 0
        pause = 0
        penalty = 250
        window_start = t
        window_cost = 0.0
        explicit_speed = 0.0
        review = 0
        explicit_step = 0.0
        rejected = False
        fresh = True  # rates at t are not known yet
        have_jacobian = False
        switch_left = np.inf
        switch_right = np.inf
        if code == OK:
            _call(prepare, t, y, p, prepared)
            if n_switches:
                _call(switches_at, t, y, p, s_now)
            if n_triggers:
                for e in range(n_triggers):
                    g_before[e] = 1.0
                _call(triggers_at, t, y, p, g)
                for e in range(n_triggers):
                    g_before[e] = g[e] if kinds[e, 0] == 1 else 0.0
                if _fire(t, y, p, triggers_at, events, kinds, targets, g_before, g, at, fired, old) < 0:
                    code = EVENT_CHAIN
            while done < n_times and output_times[done] <= t:
                _call(outputs_at, t, y, p, out)
                for o in range(n_outputs):
                    values[person, done, o] = out[o]
                done += 1

        # ------------------------------------------------------------ from stop to stop
        while code == OK and t < t_end:
            due = False
            while dose < dose_end and dose_times[dose] <= t:
                y[dose_states[dose]] += dose_amounts[dose]
                scale[dose_states[dose]] = max(scale[dose_states[dose]], abs(y[dose_states[dose]]))
                dose += 1
                due = True
            moved = False
            while interval + 1 < n_intervals and input_starts[interval + 1] <= t:
                interval += 1
                moved = True
            if moved:
                for j in range(input_places.size):
                    p[input_places[j]] = input_values[person, interval, j]
                bad_place = _first_bad(p[:n_parameters])
                if bad_place >= 0:
                    code = BAD_PARAMETER
                    break
                _call(prepare, t, y, p, prepared)
                if n_switches:
                    _call(switches_at, t, y, p, s_now)
                    switch_left = np.inf
                    switch_right = np.inf
                due = True
            if due:
                fresh = True
                bad_place = _first_bad(y)
                if bad_place >= 0:
                    code = BAD_DOSE
                    break
                if n_triggers:
                    if _fire(t, y, p, triggers_at, events, kinds, targets, g_before, g, at, fired, old) < 0:
                        code = EVENT_CHAIN
                        break
            stop = t_end
            if dose < dose_end:
                stop = min(stop, dose_times[dose])
            if interval + 1 < n_intervals:
                stop = min(stop, input_starts[interval + 1])

            # -------------------------------------------------------- steps up to the stop
            while t < stop:
                if cancel[0] != 0:
                    code = CANCELLED
                    break
                if n_steps >= max_steps:
                    code = TOO_MANY_STEPS
                    break
                if fresh:
                    _call(rhs, t, y, p, k[0])
                    bad_place = _first_bad(k[0])
                    if bad_place >= 0:
                        code = NOT_FINITE
                        break
                    fresh = False
                    have_jacobian = False
                    if h == 0.0:
                        _set_weights(y, y, scale, by_itself, rtol, atol, weight)
                        h = _first_step(rhs, t, t_end - t, y, p, k[0], weight, stage, f)
                h = min(h, max_step)

                # ---------------------------------------------------- where time alone makes a jump
                if n_switches and switch_left == np.inf:
                    ahead = min(t + h, stop)
                    for quarter in range(1, 5):
                        upper = ahead if quarter == 4 else t + 0.25 * quarter * (ahead - t)
                        _call(switches_at, upper, y, p, s_then)
                        if _differs(s_now, s_then):
                            lower = t
                            while True:
                                middle = 0.5 * (lower + upper)
                                if middle <= lower or middle >= upper:
                                    break
                                _call(switches_at, middle, y, p, s_then)
                                if _differs(s_now, s_then):
                                    upper = middle
                                else:
                                    lower = middle
                            switch_left = lower
                            switch_right = upper
                            break
                goal = min(stop, switch_left)
                if goal > t:
                    left = goal - t
                    lands = h * 1.001 >= left
                    if lands:
                        step = left
                    elif 2.0 * h > left:
                        step = 0.5 * left
                    else:
                        step = h
                    t_new = goal if lands else t + step
                    n_steps += 1

                    # ------------------------------------------------ one attempt
                    good = True
                    if stiff:
                        n_stiff += 1
                        if not have_jacobian:
                            _call(jacobian_at, t, y, p, jacobian)
                            for i in range(n * n + n):
                                if not np.isfinite(jacobian[i]):
                                    jacobian[i] = 0.0
                            have_jacobian = True
                            for i in range(n):  # the step overwrites k: the rates are kept apart
                                sixth[i] = k[0, i]
                        good = _rosenbrock_step(
                            rhs, t, step, y, p, sixth, jacobian, k, matrix, pivots, stage, f, new, error
                        )
                        window_cost += cost_stiff
                    else:
                        _tsit_step(rhs, t, step, y, p, k, stage, sixth, new, error)
                        window_cost += cost_explicit
                    _set_weights(y, new, scale, by_itself, rtol, atol, weight)
                    size = _norm(error, weight) if good else np.inf
                    if not size < 1e8:  # also NaN
                        size = 1e8

                    if size > 1.0:  # ------------------------------- rejected
                        exponent = 0.25 if stiff else 0.2
                        shrink = max(MOST_SHRINK, min(0.9, SAFETY * size**-exponent))
                        h = step * shrink
                        if h < 4e-16 * max(abs(t), 1e-3) or h < 1e-300:
                            bad_place = _first_bad(new)
                            if bad_place < 0:
                                worst = -1.0
                                for i in range(n):
                                    if abs(error[i] * weight[i]) > worst:
                                        worst = abs(error[i] * weight[i])
                                        bad_place = i
                                code = STEP_TOO_SMALL
                            else:
                                code = NOT_FINITE
                            break
                        rejected = True
                        continue

                    # ------------------------------------------------ accepted
                    size = max(size, 1e-10)
                    if stiff:
                        growth = SAFETY * size**-0.25
                    else:
                        growth = SAFETY * size**-TSIT_EXPONENT * error_before**TSIT_MEMORY
                    growth = max(MOST_SHRINK, min(MOST_GROWTH, growth))
                    if rejected:
                        growth = min(growth, 1.0)
                    rejected = False
                    h_next = step * growth
                    if step < h:  # shortened to land: says little about the next one
                        h_next = max(h_next, h) if growth >= 1.0 else h_next
                    else:
                        error_before = max(size, 1e-4)

                    happened = False
                    if n_triggers:
                        _call(triggers_at, t_new, new, p, g)
                        if _rises(g_before, g):
                            lower = 0.0
                            upper = 1.0
                            for _ in range(BISECTIONS):
                                middle = 0.5 * (lower + upper)
                                if middle <= lower or middle >= upper or t + middle * step <= t:
                                    break
                                _interpolate(stiff, middle, step, y, new, k, at)
                                _call(triggers_at, t + middle * step, at, p, g)
                                if _rises(g_before, g):
                                    upper = middle
                                else:
                                    lower = middle
                            happened = True
                            _interpolate(stiff, upper, step, y, new, k, old)
                            t_event = t_new if upper >= 1.0 else t + upper * step
                    t_reached = t_event if happened else t_new
                    while done < n_times and output_times[done] <= t_reached:
                        theta = min(max((output_times[done] - t) / step, 0.0), 1.0)
                        _interpolate(stiff, theta, step, y, new, k, at)
                        _call(outputs_at, output_times[done], at, p, out)
                        for o in range(n_outputs):
                            values[person, done, o] = out[o]
                        done += 1
                    if not stiff and not happened:
                        rate = _stiffness(k[5], k[6], sixth, new, weight) * step
                    else:
                        rate = 0.0
                    for i in range(n):
                        y[i] = old[i] if happened else new[i]
                        scale[i] = max(scale[i], abs(y[i]))
                    t = t_reached
                    h = h_next
                    if happened:
                        if _fire(t, y, p, triggers_at, events, kinds, targets, g_before, g, at, fired, old) < 0:
                            code = EVENT_CHAIN
                            break
                        bad_place = _first_bad(y)
                        if bad_place >= 0:
                            code = NOT_FINITE
                            break
                        fresh = True
                    else:
                        for e in range(n_triggers):
                            g_before[e] = g[e]
                        if stiff:
                            fresh = True
                        else:
                            for i in range(n):
                                k[0, i] = k[6, i]

                    # ------------------------------------------------ which method
                    if method == AUTOMATIC:
                        if stiff:
                            if trial > 0:
                                trial -= 1
                                if trial == TRIAL_STEPS - TRIAL_WARM:
                                    window_start = t
                                    window_cost = 0.0
                                elif trial == 0:
                                    speed = (t - window_start) / window_cost
                                    if speed > explicit_speed:
                                        review = REVIEW_STEPS
                                        window_start = t
                                        window_cost = 0.0
                                    else:
                                        stiff = False
                                        penalty *= 2
                                        pause = penalty
                                        limited = 0
                                        fresh = True
                                        h = min(h, explicit_step)
                                        window_start = t
                                        window_cost = 0.0
                            else:
                                review -= 1
                                if review <= 0:
                                    review = REVIEW_STEPS
                                    speed = (t - window_start) / window_cost
                                    window_start = t
                                    window_cost = 0.0
                                    largest = _largest_rate(jacobian, stage, f)
                                    possible = 0.7 * TSIT_STABILITY / largest if largest > 0.0 else h
                                    possible = min(possible, h)
                                    if possible / cost_explicit > speed:
                                        stiff = False
                                        h = possible
                                        fresh = True
                                        limited = 0
                                        pause = 0
                        else:
                            if pause > 0:
                                pause -= 1
                            elif rate > STABILITY_SIGN:
                                if limited == 0:
                                    window_start = t
                                    window_cost = 0.0
                                limited += 1
                                calm = 0
                                if limited >= STIFF_STEPS:
                                    explicit_speed = (t - window_start) / window_cost
                                    explicit_step = h
                                    stiff = True
                                    trial = TRIAL_STEPS
                                    limited = 0
                            elif limited > 0:
                                calm += 1
                                if calm >= CALM_STEPS:
                                    limited = 0
                                    calm = 0

                # ---------------------------------------------------- over the jump
                if t >= switch_left:
                    t = min(switch_right, t_end)
                    switch_left = np.inf
                    switch_right = np.inf
                    _call(switches_at, t, y, p, s_now)
                    fresh = True
                    if n_triggers:
                        if _fire(t, y, p, triggers_at, events, kinds, targets, g_before, g, at, fired, old) < 0:
                            code = EVENT_CHAIN
                            break

        # ------------------------------------------------------------ the end of this person
        if code == OK:
            while done < n_times:  # the last time itself, reached over a jump
                _call(outputs_at, t, y, p, out)
                for o in range(n_outputs):
                    values[person, done, o] = out[o]
                done += 1
            bad_place = _first_bad(y)
            if bad_place >= 0:
                code = NOT_FINITE
        status[person] = code
        status_time[person] = t
        status_place[person] = bad_place
        steps[person] = n_steps
        stiff_steps[person] = n_stiff
        for o in range(n):
            final[person, o] = y[o] if code == OK else np.nan
        for m in range(done, n_times):
            for o in range(n_outputs):
                values[person, m, o] = np.nan
