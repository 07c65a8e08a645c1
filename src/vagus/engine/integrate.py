"""The integrator: one person after the other through a compiled kernel, in machine code and without the GIL.

Two methods share one loop. The explicit one is Tsitouras' pair 5(4) (Computers & Mathematics with Applications 62,
2011, 770-775) with its own interpolant. The stiff one is RODAS, a Rosenbrock pair 4(3) with its own interpolant
(Hairer & Wanner, Solving Ordinary Differential Equations II, 2nd edition, section IV.7 and the appendix). The loop
starts explicit. Where the step is held down by stability (the test of Hairer & Wanner's DOPRI5), the stiff method is
tried for a few steps, and the method that advances further for the same number of operations is kept. Every decision
rests on numbers of this person alone, never on a clock, so the bits do not depend on chunks or threads.

The integrator stops exactly at doses, at borders of inputs, and where an expression of time alone jumps. Conditions
of events are looked at after every step and located on the interpolant by bisection.

The code is independent of the model: it is written once (see `vagus.engine.assembly`) and compiled once a machine.
Every function takes the address of a table, `Frame`, that names all arrays and numbers.
"""

from __future__ import annotations

import ctypes
import inspect
import sys
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.engine import assembly
from vagus.engine.assembly import REAL, REALS, WHOLE, WHOLES, Array, Cells, Code, Module, Value
from vagus.engine.native import Library, build

OK, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS, CANCELLED, BAD_PARAMETER, BAD_INITIAL, EVENT_CHAIN, BAD_DOSE = range(9)
AUTOMATIC, EXPLICIT, STIFF = range(3)

# ---------------------------------------------------------------------- the two methods

# Tsitouras 5(4): nodes, weights of the stages (the last row is the solution), weights of the error
TSIT_C = (0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0)
TSIT_A: tuple[tuple[float, ...], ...] = (
    (),
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
    (
        *(0.09646076681806523, 0.01, 0.4798896504144996),
        *(1.379008574103742, -3.290069515436081, 2.324710524099774),
    ),
)
TSIT_E = (
    *(-0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629),
    *(0.5823571654525552, -0.45808210592918697, 1.0 / 66.0),
)
TSIT_STABILITY = 3.5  # about the length of the stability region on the negative axis

# RODAS: gamma, then a, c, alpha, gamma_i, interpolant; the sixth stage begins at the fifth's argument + its increment
GAMMA = 0.25
LAST_A = (0.1221224509226641e1, 0.6019134481288629e1, 0.1253708332932087e2, -0.6878860361058950)
ROS_A: tuple[tuple[float, ...], ...] = (
    (),
    (0.1544e1,),
    (0.9466785280815826, 0.2557011698983284),
    (0.3314825187068521e1, 0.2896124015972201e1, 0.9986419139977817),
    LAST_A,
    (*LAST_A, 1.0),
)
ROS_C: tuple[tuple[float, ...], ...] = (
    (),
    (-0.56688e1,),
    (-0.2430093356833875e1, -0.2063599157091915),
    (-0.1073529058151375, -0.9594562251023355e1, -0.2047028614809616e2),
    (0.7496443313967647e1, -0.1024680431464352e2, -0.3399990352819905e2, 0.1170890893206160e2),
    (
        *(0.8083246795921522e1, -0.7981132988064893e1, -0.3152159432874371e2),
        *(0.1631930543123136e2, -0.6058818238834054e1),
    ),
)
ROS_ALPHA = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
ROS_G = (0.25, -0.1043, 0.1035, -0.3620000000000023e-1, 0.0, 0.0)
ROS_D2 = (
    *(0.1012623508344586e2, -0.7487995877610167e1, -0.3480091861555747e2),
    *(-0.7992771707568823e1, 0.1025137723295662e1),
)
ROS_D3 = (
    *(-0.6762803392806898, 0.6087714651680015e1, 0.1643084320892478e2),
    *(0.2476722511418386e2, -0.6594389125716872e1),
)

# step control
SAFETY = 0.9
TSIT_EXPONENT, TSIT_MEMORY = 0.17, 0.04
MOST_SHRINK, MOST_GROWTH = 0.15, 5.0
LEAST_ERROR = 1e-4  # a smaller error is not remembered as such: it says little about the next step
HOPELESS = 1e8  # stands for an error that is not a number
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

LONGEST_CHAIN = 1000  # rounds of events at one moment
BISECTIONS = 60
LEAST_SHARE = 0.2

# ---------------------------------------------------------------------- the table

ADDRESSES_REAL = (
    # people
    *("parameters", "initial", "output_times", "dose_times", "dose_amounts", "input_starts", "input_values", "atol"),
    # results
    *("values", "final", "status_time"),
    # memory for one person; `own` and `prepared` are the two parts of `p`, `k` the seven stages one after the other
    *("clock", "p", "own", "prepared", "y", "new", "stage", "sixth", "error", "weight", "scale", "at", "old", "f"),
    *("rates", "k", "jacobian", "matrix", "out", "g", "g_before", "fired", "s_now", "s_then"),
)
ADDRESSES_WHOLE = (
    *("dose_offsets", "dose_states", "input_places", "status", "status_place", "steps", "stiff_steps", "cancel"),
    # of each event: does its condition count as true before the start, is it persistent, are its values computed at
    # the trigger; and which states it sets
    *("count", "pivots", "events", "kinds", "targets"),
)
FUNCTIONS = ("prepare", "rhs", "jacobian_of", "outputs", "triggers", "switches")
SIZES = (
    *("n_states", "n_own", "n_outputs", "n_events", "n_switches", "n_times", "n_intervals", "n_inputs"),
    *("by_itself", "max_steps", "method"),
)
TABLE = (*ADDRESSES_REAL, *ADDRESSES_WHOLE, *FUNCTIONS, *SIZES)
CLOCK = (
    *("t", "h", "error_before", "left", "right", "window_start", "window_cost", "explicit_speed", "explicit_step"),
    *("error_now", "share", "t_start", "t_end", "rtol", "max_step", "cost_explicit", "cost_stiff"),
)
COUNT = (
    *("steps", "stiff_steps", "done", "dose", "interval", "fresh", "stiff", "have_jacobian"),
    *("limited", "calm", "trial", "pause", "penalty", "review", "rejected", "place", "jumps"),
)


class Frame:
    """The table as a function sees it that is being written."""

    clock: Any
    count: Any

    def __init__(self, code: Code) -> None:
        self._code = code
        self._table = Cells(code.arguments[0], TABLE)
        self.clock = Cells(self._array("clock"), CLOCK)
        self.count = Cells(self._array("count"), COUNT)

    def _array(self, name: str) -> Array:
        kind = REAL if name in ADDRESSES_REAL else WHOLE
        return self._code.array_at(getattr(self._table, name), kind)

    def __getattr__(self, name: str) -> Any:
        if name in ADDRESSES_REAL or name in ADDRESSES_WHOLE:
            return self._array(name)
        return getattr(self._table, name)

    def call(self, function: str, t: Value, y: Array, out: Array) -> None:
        """Call a function of the model's kernel."""
        self._code.call_at(getattr(self._table, function), t, y, self._array("p"), out)


class Table:
    """The table as Python fills it; keeps the arrays alive."""

    def __init__(self, arrays: dict[str, NDArray[Any]], numbers: dict[str, int]) -> None:
        self.arrays = arrays
        for name, array in arrays.items():
            kind = np.float64 if name in ADDRESSES_REAL else np.int64
            if array.dtype != kind or not array.flags.c_contiguous:
                raise TypeError(f"{name} must be a contiguous array of {kind.__name__}")
        entries = {**{name: array.ctypes.data for name, array in arrays.items()}, **numbers}
        self.entries = np.array([entries[name] for name in TABLE], dtype=np.int64)


def step_costs(states: int, rhs: float, jacobian: float) -> tuple[float, float]:
    """Return the rough cost of an explicit and of a stiff step, in additions."""
    return 6 * rhs + 40.0 * states, jacobian + 6 * rhs + states * (60.0 + states * (14.0 + states / 3.0))


def memory(sizes: dict[str, int], prepared: int, numbers: dict[str, float]) -> dict[str, NDArray[Any]]:
    """Return memory for one person at a time; `numbers` are set in the clock."""
    n, own = sizes["n_states"], sizes["n_own"]
    clock = np.zeros(len(CLOCK))
    for name, number in numbers.items():
        clock[CLOCK.index(name)] = number
    p = np.zeros(own + prepared)
    rows = ("y", "new", "stage", "sixth", "error", "weight", "scale", "at", "old", "f", "rates")
    return {
        **{name: np.zeros(n) for name in rows},
        **{name: np.zeros(sizes["n_events"]) for name in ("g", "g_before", "fired")},
        **{name: np.zeros(sizes["n_switches"]) for name in ("s_now", "s_then")},
        "clock": clock,
        "count": np.zeros(len(COUNT), dtype=np.int64),
        "p": p,
        "own": p[:own],
        "prepared": p[own:],
        "k": np.zeros((7, n)),
        "jacobian": np.zeros(n * n + n),
        "matrix": np.zeros((n, n)),
        "pivots": np.zeros(n, dtype=np.int64),
        "out": np.zeros(sizes["n_outputs"]),
    }


# ---------------------------------------------------------------------- writing it


def tsit_weights(x: Value) -> list[Value]:
    """Return the weights of the seven stages at the share `x` of an explicit step."""
    square = x * x
    first = x * -1.0530884977290216 * (x - 1.3299890189751412)
    return [
        first * (square - 1.4364028541716351 * x + 0.7139816917074209),
        0.1017 * square * (square - 2.1966568338249754 * x + 1.2949852507374631),
        2.490627285651252793 * square * (square - 2.38535645472061657 * x + 1.57803468208092486),
        -16.54810288924490272 * square * (x - 1.21712927295533244) * (x - 0.61620406037800089),
        47.37952196281928122 * square * (x - 1.203071208372362603) * (x - 0.658047292653547382),
        -34.87065786149660974 * square * (x - 1.2) * (x - 0.666666666666666667),
        2.5 * square * (x - 1.0) * (x - 0.6),
    ]


class _Writer:
    """Writes all functions of the integrator into one module."""

    def __init__(self) -> None:
        self.module = Module("vagus-integrator")
        self.functions: dict[str, Code] = {}
        for name in (
            *("tsit_step", "factor", "solve", "rosenbrock_step", "interpolate"),
            *("set_weights", "first_bad", "any_differ", "any_rise", "largest_rate", "first_step"),
            *("fire", "write_output", "take_inputs", "prepare_person", "begin", "take_due", "refresh", "look_ahead"),
            *(
                "jump",
                "try_step",
                "reject",
                "next_size",
                "locate",
                "look_for_events",
                "watch",
                "leave_stiff",
                "review",
                "accept",
            ),
            *("advance", "integrate"),
        ):
            getattr(self, f"_{name}")(name)

    def _begin_function(self, name: str, *arguments: Any, apart: bool = False) -> tuple[Code, list[Any]]:
        code = self.module.function(name, arguments, private=name != "integrate", apart=apart)
        self.functions[name] = code
        return code, code.arguments

    def _run(self, code: Code, name: str, *arguments: Any) -> Value:
        return code.call(self.functions[name], *arguments)

    def _framed(self, name: str, *arguments: Any) -> tuple[Code, Frame, list[Any]]:
        code, values = self._begin_function(name, WHOLES, *arguments)
        return code, Frame(code), values

    def _pass_on(self, code: Code, name: str, *arguments: Any) -> None:
        """Call a function and give its status if that is not OK."""
        status = self._run(code, name, *arguments)
        with code.when(status.differs(OK)):
            code.give(status)

    # ------------------------------------------------------------------ the explicit step

    def _tsit_step(self, name: str) -> None:
        """Compute one explicit step from t to t_new; the first part of k holds the rates at y."""
        pointers = [REALS] * 7
        code, (rhs, n, t, h, t_new, y, p, k, stage, sixth, new, error) = self._begin_function(
            name, WHOLE, WHOLE, REAL, REAL, REAL, *pointers, apart=True
        )
        rows = [k.after(n * s) for s in range(7)]
        for s in range(1, 7):
            target = (stage, stage, stage, stage, sixth, new)[s - 1]
            with code.each(n) as i:
                total = rows[0][i] * TSIT_A[s][0]
                for m in range(1, s):
                    total = total + TSIT_A[s][m] * rows[m][i]
                target[i] = y[i] + h * total
            # t + h may be rounded to beyond t_new, and there time may have made a jump
            code.call_at(rhs, t_new if TSIT_C[s] == 1.0 else t + TSIT_C[s] * h, target, p, rows[s])
        with code.each(n) as i:
            total = rows[0][i] * TSIT_E[0]
            for m in range(1, 7):
                total = total + TSIT_E[m] * rows[m][i]
            error[i] = h * total
        code.give(OK)

    # ------------------------------------------------------------------ the stiff step

    def _factor(self, name: str) -> None:
        """Decompose a matrix in place, with row exchange; gives 0 where it is singular."""
        code, (matrix, pivots, n) = self._begin_function(name, REALS, WHOLES, WHOLE, apart=True)
        with code.each(n) as j:
            column = matrix.after(j * n)
            best = code.variable(code.size(column[j]))
            row = code.variable(j, WHOLE)
            with code.each(n - j - 1) as below:
                i = j + 1 + below
                size = code.size(matrix[i * n + j])
                with code.when(size > best.get()):
                    best.set(size)
                    row.set(i)
            pivots[j] = row.get()
            with code.when(~(best.get() > 0.0)):
                code.give(0)
            with code.when(row.get().differs(j)):
                other = matrix.after(row.get() * n)
                with code.each(n) as m:
                    value = column[m]
                    column[m] = other[m]
                    other[m] = value
            inverse = 1.0 / column[j]
            with code.each(n - j - 1) as below:
                line = matrix.after((j + 1 + below) * n)
                with code.when(line[j].differs(0.0)):
                    factor = line[j] * inverse
                    line[j] = factor
                    with code.each(n - j - 1) as rest:
                        m = j + 1 + rest
                        line[m] = line[m] - factor * column[m]
        code.give(1)

    def _solve(self, name: str) -> None:
        """Solve in place with a decomposed matrix."""
        code, (matrix, pivots, x, n) = self._begin_function(name, REALS, WHOLES, REALS, WHOLE, apart=True)
        with code.each(n) as j:
            row = pivots[j]
            value = x[j]
            x[j] = x[row]
            x[row] = value
        with code.reordered():
            with code.each(n) as i:
                line = matrix.after(i * n)
                total = code.variable(0.0)
                with code.each(i) as j:
                    total.set(total.get() + line[j] * x[j])
                x[i] = x[i] - total.get()
            with code.each(n) as backwards:
                i = n - 1 - backwards
                line = matrix.after(i * n)
                total = code.variable(0.0)
                with code.each(backwards) as rest:
                    j = i + 1 + rest
                    total.set(total.get() + line[j] * x[j])
                x[i] = (x[i] - total.get()) / line[i]
        code.give(OK)

    def _rosenbrock_step(self, name: str) -> None:
        """Compute one stiff step from t to t_new; gives 0 where the matrix is singular.

        `rates` holds the rates at y, `jacobian` the matrix there and, behind it, the rates' slopes in time.
        """
        pointers = [REALS] * 10
        code, values = self._begin_function(name, WHOLE, WHOLE, REAL, REAL, REAL, *pointers, WHOLES, apart=True)
        rhs, n, t, h, t_new, y, p, rates, jacobian, k, matrix, stage, value, new, error, pivots = values
        diagonal = 1.0 / (h * GAMMA)
        with code.each(n * n) as i:
            matrix[i] = -jacobian[i]
        with code.each(n) as i:
            place = i * n + i
            matrix[place] = matrix[place] + diagonal
        with code.when(self._run(code, "factor", matrix, pivots, n).equals(0)):
            code.give(0)
        rows = [k.after(n * s) for s in range(6)]
        slopes = jacobian.after(n * n)
        for s in range(6):
            if s == 0:
                with code.each(n) as i:
                    value[i] = rates[i]
            else:
                with code.each(n) as i:
                    total = y[i]
                    for m in range(s):
                        total = total + ROS_A[s][m] * rows[m][i]
                    stage[i] = total
                code.call_at(rhs, t_new if ROS_ALPHA[s] == 1.0 else t + ROS_ALPHA[s] * h, stage, p, value)
            slope = ROS_G[s] * h
            shares = [ROS_C[s][m] / h for m in range(s)]
            with code.each(n) as i:
                total = value[i] + slope * slopes[i]
                for m in range(s):
                    total = total + shares[m] * rows[m][i]
                value[i] = total
            self._run(code, "solve", matrix, pivots, value, n)
            with code.each(n) as i:
                rows[s][i] = value[i]
        with code.each(n) as i:
            error[i] = rows[5][i]
            new[i] = stage[i] + rows[5][i]
        code.give(1)

    # ------------------------------------------------------------------ small tools

    def _interpolate(self, name: str) -> None:
        """Compute the states at the share `theta` of a step."""
        code, (stiff, n, theta, h, y, new, k, out) = self._begin_function(
            name, WHOLE, WHOLE, REAL, REAL, REALS, REALS, REALS, REALS, apart=True
        )
        with code.when(theta >= 1.0):
            with code.each(n) as i:
                out[i] = new[i]
            code.give(OK)
        rows = [k.after(n * s) for s in range(7)]
        with code.when(stiff.differs(0)):
            rest = 1.0 - theta
            with code.each(n) as i:
                c2 = rows[0][i] * ROS_D2[0]
                c3 = rows[0][i] * ROS_D3[0]
                for m in range(1, 5):
                    c2 = c2 + ROS_D2[m] * rows[m][i]
                    c3 = c3 + ROS_D3[m] * rows[m][i]
                out[i] = y[i] * rest + theta * (new[i] + rest * (c2 + theta * c3))
            code.give(OK)
        weights = [h * weight for weight in tsit_weights(theta)]
        with code.each(n) as i:
            total = y[i]
            for m in range(7):
                total = total + weights[m] * rows[m][i]
            out[i] = total
        code.give(OK)

    def _norm(self, code: Code, values: Array, weight: Array, n: Value) -> Value:
        """Return the root mean square of scaled values."""
        with code.reordered():
            total = code.variable(0.0)
            with code.each(n) as i:
                scaled = values[i] * weight[i]
                total.set(total.get() + scaled * scaled)
        return code.root(total.get() / code.larger(code.as_real(n), 1.0))

    def _set_weights(self, name: str) -> None:
        """Set one over the tolerated error of each state."""
        code, (n, by_itself, rtol, y, new, scale, atol, weight) = self._begin_function(
            name, WHOLE, WHOLE, REAL, *[REALS] * 5, apart=True
        )
        with code.either(by_itself.differs(0)) as (yes, no):
            with yes:
                share, floor = rtol * SELF_SCALE, rtol * SELF_FLOOR
                with code.each(n) as i:
                    size = code.larger(code.size(y[i]), code.size(new[i]))
                    absolute = code.larger(share * code.larger(scale[i], size), floor)
                    weight[i] = 1.0 / (rtol * size + absolute)
            with no, code.each(n) as i:
                size = code.larger(code.size(y[i]), code.size(new[i]))
                weight[i] = 1.0 / (rtol * size + atol[i])
        code.give(OK)

    def _first_bad(self, name: str) -> None:
        """Give the place of the first number that is not finite, -1 where there is none."""
        code, (values, n) = self._begin_function(name, REALS, WHOLE)
        with code.each(n) as i, code.when(~code.finite(values[i])):
            code.give(i)
        code.give(-1)

    def _any_differ(self, name: str) -> None:
        """Give 1 where two lists differ anywhere."""
        code, (a, b, n) = self._begin_function(name, REALS, REALS, WHOLE)
        with code.each(n) as i, code.when(a[i].differs(b[i])):
            code.give(1)
        code.give(0)

    def _any_rise(self, name: str) -> None:
        """Give 1 where any number was zero and is no more."""
        code, (before, after, n) = self._begin_function(name, REALS, REALS, WHOLE)
        with code.each(n) as i, code.when(before[i].equals(0.0) & after[i].differs(0.0)):
            code.give(1)
        code.give(0)

    def _largest_rate(self, name: str) -> None:
        """Estimate the Jacobian's largest eigenvalue by a few rounds of the power method; the result is in work[0]."""
        code, (matrix, vector, work, n) = self._begin_function(name, REALS, REALS, REALS, WHOLE, apart=True)
        with code.each(n) as i:
            vector[i] = 1.0 + 0.01 * code.as_real(i)
        size = code.variable(0.0)
        with code.each(8):
            with code.each(n) as i, code.reordered():
                line = matrix.after(i * n)
                total = code.variable(0.0)
                with code.each(n) as j:
                    total.set(total.get() + line[j] * vector[j])
                work[i] = total.get()
            size.set(0.0)
            with code.each(n) as i:
                size.set(code.larger(code.size(work[i]), size.get()))
            with code.when(~(size.get() > 0.0)):
                work[0] = 0.0
                code.give(OK)
            with code.each(n) as i:
                vector[i] = work[i] / size.get()
        work[0] = size.get()
        code.give(OK)

    # ------------------------------------------------------------------ events, outputs, inputs

    def _fire(self, name: str) -> None:
        """Execute all events whose condition has become true, and those that they cause.

        `g_before` holds the conditions up to now and leaves as the conditions after all events.
        """
        code, f, _ = self._framed(name)
        y, g, before, fired, old, at = f.y, f.g, f.g_before, f.fired, f.old, f.at
        t, n, events = f.clock.t, f.n_states, f.n_events
        rounds = code.variable(0, WHOLE)
        some = code.variable(0, WHOLE)
        with code.repeat():
            f.call("triggers", t, y, g)
            some.set(0)
            with code.each(events) as e:
                now = before[e].equals(0.0) & g[e].differs(0.0)
                fired[e] = code.choose(now, code.real(1.0), 0.0)
                before[e] = g[e]
                with code.when(now):
                    some.set(1)
            with code.when(some.get().equals(0)):
                code.give(OK)
            rounds.set(rounds.get() + 1)
            with code.when(rounds.get() > LONGEST_CHAIN):
                code.give(EVENT_CHAIN)
            f.count.fresh = 1
            self._copy(code, y, old, n)
            with code.each(events) as e, code.when(fired[e].differs(0.0)):
                stays = code.variable(1, WHOLE)
                with code.when(f.kinds[e * 3 + 1].equals(0)):  # not persistent: another one may have made it false
                    f.call("triggers", t, y, g)
                    with code.when(g[e].equals(0.0)):
                        before[e] = 0.0
                        stays.set(0)
                with code.when(stays.get().differs(0)):
                    self._assign(code, f, e, t, n, y, old, at)

    def _assign(self, code: Code, f: Frame, e: Value, t: Value, n: Value, y: Array, old: Array, at: Array) -> None:
        with code.either(f.kinds[e * 3 + 2].differs(0)) as (at_trigger, in_turn):
            with at_trigger:
                code.call_at(f.events[e], t, old, f.p, at)
            with in_turn:
                code.call_at(f.events[e], t, y, f.p, at)
        targets = f.targets.after(e * n)
        with code.each(n) as i, code.when(targets[i].differs(0)):
            y[i] = at[i]

    @staticmethod
    def _copy(code: Code, source: Array, target: Array, n: Value) -> None:
        with code.each(n) as i:
            target[i] = source[i]

    def _write_output(self, name: str) -> None:
        """Write the next output."""
        code, f, (_, person, t, y) = self._framed(name, WHOLE, REAL, REALS)
        out, done, n = f.out, f.count.done, f.n_outputs
        f.call("outputs", t, y, out)
        row = f.values.after((person * f.n_times + done) * n)
        self._copy(code, out, row, n)
        f.count.done = done + 1
        code.give(OK)

    def _take_inputs(self, name: str) -> None:
        """Set the parameters of the interval that holds now; gives 1 where it is a new one."""
        code, f, (_, person) = self._framed(name, WHOLE)
        starts, t = f.input_starts, f.clock.t
        before = f.count.interval
        with code.repeat() as loop:
            following = f.count.interval + 1
            loop.leave_when(following >= f.n_intervals)
            loop.leave_when(starts[following] > t)
            f.count.interval = following
        interval = f.count.interval
        with code.when(interval.equals(before)):
            code.give(0)
        row = f.input_values.after((person * f.n_intervals + interval) * f.n_inputs)
        with code.each(f.n_inputs) as j:
            f.p[f.input_places[j]] = row[j]
        code.give(1)

    def _prepare_person(self, name: str) -> None:
        """Compute what depends on the person's parameters alone."""
        code, f, _ = self._framed(name)
        place = self._run(code, "first_bad", f.own, f.n_own)
        f.count.place = place
        with code.when(place >= 0):
            code.give(BAD_PARAMETER)
        f.call("prepare", f.clock.t, f.y, f.prepared)
        f.call("switches", f.clock.t, f.y, f.s_now)
        f.clock.left = np.inf
        f.clock.right = np.inf
        code.give(OK)

    def _begin(self, name: str) -> None:
        """Take over a person's parameters and states; write the outputs at the start."""
        code, f, (table, person) = self._framed(name, WHOLE)
        clock, count, y, n = f.clock, f.count, f.y, f.n_states
        for cell in ("steps", "stiff_steps", "done", "have_jacobian", *COUNT[8:]):
            setattr(count, cell, 0)
        count.fresh = 1
        count.penalty = FIRST_PENALTY
        count.stiff = f.method.equals(STIFF).whole()
        count.interval = -1
        for cell in ("h", "window_cost", "explicit_speed", "explicit_step"):
            setattr(clock, cell, 0.0)
        clock.t = clock.t_start
        clock.window_start = clock.t_start
        clock.error_before = LEAST_ERROR
        self._copy(code, f.parameters.after(person * f.n_own), f.p, f.n_own)
        self._run(code, "take_inputs", table, person)
        self._copy(code, f.initial.after(person * n), y, n)
        with code.each(n) as i:
            f.scale[i] = code.size(y[i])
        self._pass_on(code, "prepare_person", table)
        place = self._run(code, "first_bad", y, n)
        count.place = place
        with code.when(place >= 0):
            code.give(BAD_INITIAL)
        count.dose = f.dose_offsets[person]
        with code.repeat() as loop:
            loop.leave_when(count.dose >= f.dose_offsets[person + 1])
            loop.leave_when(f.dose_times[count.dose] >= clock.t)
            count.dose = count.dose + 1
        with code.when(f.n_events > 0):
            g, before = f.g, f.g_before
            f.call("triggers", clock.t, y, g)
            with code.each(f.n_events) as e:
                before[e] = code.choose(f.kinds[e * 3].differs(0), g[e], 0.0)
            self._pass_on(code, "fire", table)
        with code.repeat() as loop:
            loop.leave_when(count.done >= f.n_times)
            loop.leave_when(f.output_times[count.done] > clock.t)
            self._run(code, "write_output", table, person, clock.t, y)
        code.give(OK)

    def _take_due(self, name: str) -> None:
        """Give the doses and set the inputs of this moment."""
        code, f, (table, person) = self._framed(name, WHOLE)
        count, y, scale, t = f.count, f.y, f.scale, f.clock.t
        due = code.variable(0, WHOLE)
        with code.repeat() as loop:
            dose = count.dose
            loop.leave_when(dose >= f.dose_offsets[person + 1])
            loop.leave_when(f.dose_times[dose] > t)
            place = f.dose_states[dose]
            y[place] = y[place] + f.dose_amounts[dose]
            scale[place] = code.larger(code.size(y[place]), scale[place])
            count.dose = dose + 1
            due.set(1)
        with code.when(self._run(code, "take_inputs", table, person).differs(0)):
            self._pass_on(code, "prepare_person", table)
            due.set(1)
        with code.when(due.get().equals(0)):
            code.give(OK)
        count.fresh = 1
        place = self._run(code, "first_bad", y, f.n_states)
        count.place = place
        with code.when(place >= 0):
            code.give(BAD_DOSE)
        with code.when(f.n_events > 0):
            self._pass_on(code, "fire", table)
        code.give(OK)

    # ------------------------------------------------------------------ one step

    def _refresh(self, name: str) -> None:
        """Compute the rates here; at the very start also the first step size."""
        code, f, (table,) = self._framed(name)
        clock, count, n, y, rates = f.clock, f.count, f.n_states, f.y, f.k
        f.call("rhs", clock.t, y, rates)
        place = self._run(code, "first_bad", rates, n)
        count.place = place
        with code.when(place >= 0):
            code.give(NOT_FINITE)
        count.fresh = 0
        count.have_jacobian = 0
        with code.when(clock.h.equals(0.0)):
            self._weigh(code, f, y)
            self._run(code, "first_step", table)
        code.give(OK)

    def _weigh(self, code: Code, f: Frame, new: Array) -> None:
        self._run(code, "set_weights", f.n_states, f.by_itself, f.clock.rtol, f.y, new, f.scale, f.atol, f.weight)

    def _first_step(self, name: str) -> None:
        """Set the step size to start with (Hairer, Norsett & Wanner, Solving ODEs I, section II.4)."""
        code, f, _ = self._framed(name)
        clock, n, y, rates, weight, stage, value = f.clock, f.n_states, f.y, f.k, f.weight, f.stage, f.f
        t = clock.t
        span = clock.t_end - t
        d0 = self._norm(code, y, weight, n)
        d1 = self._norm(code, rates, weight, n)
        small = (d0 < 1e-5) | (d1 < 1e-5)
        h = code.smaller(code.choose(small, code.real(1e-6), 0.01 * d0 / d1), span)
        with code.each(n) as i:
            stage[i] = y[i] + h * rates[i]
        f.call("rhs", t + h, stage, value)
        with code.each(n) as i:
            value[i] = value[i] - rates[i]
        d2 = self._norm(code, value, weight, n) / h
        with code.when(~code.finite(d2)):
            clock.h = h * 1e-3
            code.give(OK)
        largest = code.larger(d1, d2)
        flat = code.larger(h * 1e-3, 1e-6)
        h1 = code.choose(largest <= 1e-15, flat, code.power(0.01 / largest, 0.2))
        clock.h = code.smaller(code.smaller(h1, 100.0 * h), span)
        code.give(OK)

    def _look_ahead(self, name: str) -> None:
        """Find the first jump of time alone within the next step: the last moment before it, the first after it."""
        code, f, (_, stop) = self._framed(name, REAL)
        clock, now, then, y, n = f.clock, f.s_now, f.s_then, f.y, f.n_switches
        t = clock.t
        ahead = code.smaller(t + clock.h, stop)
        lower, upper = code.variable(t), code.variable(ahead)
        for quarter in (0.25, 0.5, 0.75, 1.0):
            upper.set(ahead if quarter == 1.0 else t + quarter * (ahead - t))
            f.call("switches", upper.get(), y, then)
            with code.when(self._run(code, "any_differ", now, then, n).differs(0)):
                with code.repeat() as loop:
                    middle = 0.5 * (lower.get() + upper.get())
                    loop.leave_when((middle <= lower.get()) | (middle >= upper.get()))
                    f.call("switches", middle, y, then)
                    with code.either(self._run(code, "any_differ", now, then, n).differs(0)) as (yes, no):
                        with yes:
                            upper.set(middle)
                        with no:
                            lower.set(middle)
                clock.left = lower.get()
                clock.right = upper.get()
                code.give(OK)
            lower.set(upper.get())
        code.give(OK)

    def _jump(self, name: str) -> None:
        """Go over a jump of time alone."""
        code, f, (table,) = self._framed(name)
        clock = f.clock
        clock.t = code.smaller(clock.right, clock.t_end)
        clock.left = np.inf
        clock.right = np.inf
        f.call("switches", clock.t, f.y, f.s_now)
        f.count.fresh = 1
        f.count.jumps = f.count.jumps + 1
        with code.when(f.n_events > 0):
            self._pass_on(code, "fire", table)
        code.give(OK)

    def _try_step(self, name: str) -> None:
        """Compute one step; its scaled error goes into `error_now`."""
        code, f, (_, step, t_new) = self._framed(name, REAL, REAL)
        clock, count, n = f.clock, f.count, f.n_states
        y, p, k, stage, new, error = f.y, f.p, f.k, f.stage, f.new, f.error
        good = code.variable(1, WHOLE)
        count.steps = count.steps + 1
        with code.either(count.stiff.differs(0)) as (stiff, explicit):
            with stiff:
                count.stiff_steps = count.stiff_steps + 1
                clock.window_cost = clock.window_cost + clock.cost_stiff
                jacobian, rates = f.jacobian, f.rates
                with code.when(count.have_jacobian.equals(0)):
                    f.call("jacobian_of", clock.t, y, jacobian)
                    with code.each(n * n + n) as i:
                        jacobian[i] = code.choose(code.finite(jacobian[i]), jacobian[i], 0.0)
                    self._copy(code, k, rates, n)  # the step overwrites k
                    count.have_jacobian = 1
                arrays = (y, p, rates, jacobian, k, f.matrix, stage, f.f, new, error, f.pivots)
                good.set(self._run(code, "rosenbrock_step", f.rhs, n, clock.t, step, t_new, *arrays))
            with explicit:
                clock.window_cost = clock.window_cost + clock.cost_explicit
                self._run(code, "tsit_step", f.rhs, n, clock.t, step, t_new, y, p, k, stage, f.sixth, new, error)
        self._weigh(code, f, new)
        size = self._norm(code, error, f.weight, n)
        sound = (size < HOPELESS) & good.get().differs(0)
        clock.error_now = code.choose(sound, size, HOPELESS)
        code.give(OK)

    def _reject(self, name: str) -> None:
        """Shorten the step; give up where it vanishes."""
        code, f, (_, step) = self._framed(name, REAL)
        clock, count, n, new = f.clock, f.count, f.n_states, f.new
        exponent = code.choose(count.stiff.differs(0), code.real(-0.25), -0.2)
        shrink = code.smaller(SAFETY * code.power(clock.error_now, exponent), 0.9)
        clock.h = step * code.larger(shrink, MOST_SHRINK)
        count.rejected = 1
        clock.left = np.inf  # look again: an earlier jump may have been stepped over
        clock.right = np.inf
        with code.when(clock.h > 4e-16 * code.larger(code.size(clock.t), 1e-3)):
            code.give(OK)
        place = self._run(code, "first_bad", new, n)
        count.place = place
        with code.when(place >= 0):
            code.give(NOT_FINITE)
        worst = code.variable(-1.0)
        with code.each(n) as i:
            share = code.size(f.error[i] * f.weight[i])
            with code.when(share > worst.get()):
                worst.set(share)
                count.place = i
        code.give(STEP_TOO_SMALL)

    def _next_size(self, name: str) -> None:
        """Set the size of the next step after a good one."""
        code, f, (_, step) = self._framed(name, REAL)
        clock, count = f.clock, f.count
        error = code.larger(clock.error_now, 1e-10)
        memory = code.power(clock.error_before, TSIT_MEMORY)
        explicit = SAFETY * code.power(error, -TSIT_EXPONENT) * memory
        stiff = SAFETY * code.power(error, -0.25)
        growth = code.choose(count.stiff.differs(0), stiff, explicit)
        most = code.choose(count.rejected.differs(0), code.real(1.0), MOST_GROWTH)
        growth = code.larger(code.smaller(growth, most), MOST_SHRINK)
        count.rejected = 0
        with code.either(step < clock.h) as (shortened, whole):
            with shortened:  # to land on a stop: says little about the next one
                grown = code.larger(step * growth, clock.h)
                clock.h = code.choose(growth >= 1.0, grown, step * growth)
            with whole:
                clock.error_before = code.larger(error, LEAST_ERROR)
                clock.h = step * growth
        code.give(OK)

    def _look_for_events(self, name: str) -> None:
        """Look at the conditions within and at the end of a good step; gives 1 where one becomes true.

        Conditions that hold at the start are looked at four times a step: between they may fall and rise again. The
        share of the step at which the first condition becomes true goes into `share`, the states there into `old`.
        """
        code, f, (table, step, t_goal) = self._framed(name, REAL, REAL)
        n, events, at, g, before = f.n_states, f.n_events, f.at, f.g, f.g_before
        t = f.clock.t
        holds = code.variable(0, WHOLE)
        with code.each(events) as e, code.when(before[e].differs(0.0)):
            holds.set(1)
        quarter = code.variable(code.choose(holds.get().differs(0), code.whole(1), 4), WHOLE)
        lower = code.variable(0.0)
        with code.repeat() as loop:
            theta = 0.25 * code.as_real(quarter.get())
            self._run(code, "interpolate", f.count.stiff, n, theta, step, f.y, f.new, f.k, at)
            time = code.choose(quarter.get() >= 4, t_goal, t + theta * step)
            f.call("triggers", time, at, g)
            with code.when(self._run(code, "any_rise", before, g, events).differs(0)):
                self._run(code, "locate", table, step, lower.get(), theta)
                code.give(1)
            self._copy(code, g, before, events)
            lower.set(theta)
            loop.leave_when(quarter.get() >= 4)
            quarter.set(quarter.get() + 1)
        code.give(0)

    def _locate(self, name: str) -> None:
        """Find where the first condition becomes true between two shares of a step."""
        code, f, (_, step, first, last) = self._framed(name, REAL, REAL, REAL)
        clock, n, stiff = f.clock, f.n_states, f.count.stiff
        y, new, k, at, g = f.y, f.new, f.k, f.at, f.g
        t = clock.t
        lower, upper = code.variable(first), code.variable(last)
        left = code.variable(BISECTIONS, WHOLE)
        with code.repeat() as loop:
            middle = 0.5 * (lower.get() + upper.get())
            loop.leave_when((middle <= lower.get()) | (middle >= upper.get()))
            loop.leave_when((t + middle * step <= t) | (left.get() <= 0))
            left.set(left.get() - 1)
            self._run(code, "interpolate", stiff, n, middle, step, y, new, k, at)
            f.call("triggers", t + middle * step, at, g)
            with code.either(self._run(code, "any_rise", f.g_before, g, f.n_events).differs(0)) as (yes, no):
                with yes:
                    upper.set(middle)
                with no:
                    lower.set(middle)
        self._run(code, "interpolate", stiff, n, upper.get(), step, y, new, k, f.old)
        clock.share = upper.get()
        code.give(OK)

    def _accept(self, name: str) -> None:
        """Take a good step, up to its first event."""
        code, f, (table, person, step, t_goal) = self._framed(name, WHOLE, REAL, REAL)
        clock, count, n, y, new, k, at = f.clock, f.count, f.n_states, f.y, f.new, f.k, f.at
        t, stiff = clock.t, count.stiff
        happened = code.variable(0, WHOLE)
        t_new = code.variable(t_goal)
        self._run(code, "next_size", table, step)
        with code.when(f.n_events > 0):
            happened.set(self._run(code, "look_for_events", table, step, t_goal))
            with code.when(happened.get().differs(0)):
                with code.when(clock.share < 1.0):
                    t_new.set(t + clock.share * step)
                # what was learnt about the step size belongs to the time before the event
                clock.h = code.smaller(step * code.larger(clock.share, LEAST_SHARE), clock.h)
        with code.repeat() as loop:
            loop.leave_when(count.done >= f.n_times)
            t_out = f.output_times[count.done]
            loop.leave_when(t_out > t_new.get())
            theta = code.smaller(code.larger((t_out - t) / step, 0.0), 1.0)
            self._run(code, "interpolate", stiff, n, theta, step, y, new, k, at)
            self._run(code, "write_output", table, person, t_out, at)
        event = happened.get().differs(0)
        rate = code.variable(0.0)
        with code.when(stiff.equals(0) & ~event):
            rate.set(step * self._stiffness(code, f))
        with code.each(n) as i:
            y[i] = code.choose(event, f.old[i], new[i])
            f.scale[i] = code.larger(code.size(y[i]), f.scale[i])
        clock.t = t_new.get()
        with code.either(event | stiff.differs(0)) as (stale, known):
            with stale:
                count.fresh = 1
            with known:  # the last stage is the next step's first
                self._copy(code, k.after(6 * n), k, n)
        with code.when(event):
            self._pass_on(code, "fire", table)
            place = self._run(code, "first_bad", y, n)
            count.place = place
            with code.when(place >= 0):
                code.give(NOT_FINITE)
        with code.when(f.method.equals(AUTOMATIC)), code.either(stiff.differs(0)) as (is_stiff, is_explicit):
            with is_stiff:
                self._run(code, "review", table)
            with is_explicit:
                self._run(code, "watch", table, rate.get())
        code.give(OK)

    def _stiffness(self, code: Code, f: Frame) -> Value:
        """Return an estimate of the largest rate in the system, from two evaluations at one time."""
        n, k, weight, new, sixth = f.n_states, f.k, f.weight, f.new, f.sixth
        before, after = k.after(5 * n), k.after(6 * n)
        with code.reordered():
            top, bottom = code.variable(0.0), code.variable(0.0)
            with code.each(n) as i:
                a = (after[i] - before[i]) * weight[i]
                b = (new[i] - sixth[i]) * weight[i]
                top.set(top.get() + a * a)
                bottom.set(bottom.get() + b * b)
        ratio = code.root(top.get() / bottom.get())
        return code.choose(bottom.get() > 0.0, ratio, 0.0)

    # ------------------------------------------------------------------ which method

    def _open_window(self, f: Frame) -> None:
        f.clock.window_start = f.clock.t
        f.clock.window_cost = 0.0

    def _watch(self, name: str) -> None:
        """While explicit: start a trial of the stiff method where stability holds the step down."""
        code, f, (_, rate) = self._framed(name, REAL)
        clock, count = f.clock, f.count
        with code.when(count.pause > 0):
            count.pause = count.pause - 1
            code.give(OK)
        with code.when(~(rate > STABILITY_SIGN)):
            count.calm = count.calm + 1
            with code.when(count.calm >= CALM_STEPS):
                count.limited = 0
            code.give(OK)
        with code.when(count.limited.equals(0)):
            self._open_window(f)
        count.limited = count.limited + 1
        count.calm = 0
        with code.when(count.limited > STIFF_STEPS):
            clock.explicit_speed = (clock.t - clock.window_start) / clock.window_cost
            clock.explicit_step = clock.h
            count.stiff = 1
            count.have_jacobian = 0
            count.trial = TRIAL_STEPS
        code.give(OK)

    def _leave_stiff(self, name: str) -> None:
        """Go back to the explicit method and leave it in peace for so many steps."""
        code, f, (_, pause) = self._framed(name, WHOLE)
        f.count.stiff = 0
        f.count.fresh = 1
        f.count.limited = 0
        f.count.calm = 0
        f.count.pause = pause
        code.give(OK)

    def _review(self, name: str) -> None:
        """While stiff: end a trial, or see whether the explicit method would now be the cheaper one."""
        code, f, (table,) = self._framed(name)
        clock, count = f.clock, f.count
        with code.either(count.trial > 0) as (on_trial, settled):
            with on_trial:
                count.trial = count.trial - 1
                with code.when(count.trial.equals(TRIAL_STEPS - TRIAL_WARM)):
                    self._open_window(f)
                with code.when(count.trial > 0):
                    code.give(OK)
                speed = (clock.t - clock.window_start) / clock.window_cost
                with code.when(speed <= clock.explicit_speed):
                    clock.h = code.smaller(clock.h, clock.explicit_step)
                    count.penalty = count.penalty * 2
                    self._run(code, "leave_stiff", table, count.penalty)
            with settled:
                count.review = count.review - 1
                with code.when(count.review > 0):
                    code.give(OK)
                speed = (clock.t - clock.window_start) / clock.window_cost
                self._run(code, "largest_rate", f.jacobian, f.stage, f.f, f.n_states)
                largest = f.f[0]
                stable = code.smaller(EASE * TSIT_STABILITY / largest, clock.h)
                possible = code.choose(largest > 0.0, stable, clock.h)
                with code.when(possible > speed * clock.cost_explicit):
                    clock.h = possible
                    self._run(code, "leave_stiff", table, 0)
        count.review = REVIEW_STEPS
        self._open_window(f)
        code.give(OK)

    # ------------------------------------------------------------------ the loop

    def _advance(self, name: str) -> None:
        """Try one step towards a stop."""
        code, f, (table, person, stop) = self._framed(name, WHOLE, REAL)
        clock, count = f.clock, f.count
        with code.when(count.fresh.differs(0)):
            self._pass_on(code, "refresh", table)
        clock.h = code.smaller(clock.h, clock.max_step)
        with code.when((f.n_switches > 0) & clock.left.equals(np.inf)):
            self._run(code, "look_ahead", table, stop)
        goal = code.smaller(clock.left, stop)
        left = goal - clock.t
        with code.when(left > 0.0):
            h = clock.h
            lands = h * 1.001 >= left
            step = code.choose(lands, left, code.choose(2.0 * h > left, 0.5 * left, h))
            t_new = code.choose(lands, goal, clock.t + step)
            self._run(code, "try_step", table, step, t_new)
            with code.when(clock.error_now > 1.0):
                code.give(self._run(code, "reject", table, step))
            self._pass_on(code, "accept", table, person, step, t_new)
        with code.when(clock.t >= clock.left):
            self._pass_on(code, "jump", table)
        code.give(OK)

    def _next_stop(self, code: Code, f: Frame, person: Value) -> Value:
        """Return the time of the next dose, border of inputs, or end."""
        stop = code.variable(f.clock.t_end)
        with code.when(f.count.dose < f.dose_offsets[person + 1]):
            stop.set(code.smaller(f.dose_times[f.count.dose], stop.get()))
        following = f.count.interval + 1
        with code.when(following < f.n_intervals):
            stop.set(code.smaller(f.input_starts[following], stop.get()))
        return stop.get()

    def _integrate(self, name: str) -> None:
        """Integrate the people from `first` up to `last`."""
        code, f, (table, first, last) = self._framed(name, WHOLE, WHOLE)
        clock, count, n = f.clock, f.count, f.n_states
        status = code.variable(OK, WHOLE)
        with code.each(last - first) as place:
            person = first + place
            status.set(self._run(code, "begin", table, person))
            with code.repeat() as stretch:
                stretch.leave_when(status.get().differs(OK) | ~(clock.t < clock.t_end))
                status.set(self._run(code, "take_due", table, person))
                stop = self._next_stop(code, f, person)
                with code.repeat() as steps:
                    steps.leave_when(status.get().differs(OK) | ~(clock.t < stop))
                    with code.either(f.cancel[0].differs(0)) as (cancelled, onward):
                        with cancelled:
                            status.set(CANCELLED)
                        with onward, code.either(count.steps + count.jumps >= f.max_steps) as (too_many, fine):
                            with too_many:
                                status.set(TOO_MANY_STEPS)
                            with fine:
                                status.set(self._run(code, "advance", table, person, stop))
            with code.when(status.get().equals(OK)):
                with code.repeat() as rest:  # the last time itself, where a jump led to it
                    rest.leave_when(count.done >= f.n_times)
                    self._run(code, "write_output", table, person, clock.t, f.y)
                self._copy(code, f.y, f.final.after(person * n), n)
            f.status[person] = status.get()
            f.status_time[person] = clock.t
            f.status_place[person] = count.place
            f.steps[person] = count.steps
            f.stiff_steps[person] = count.stiff_steps
        code.give(OK)


# ---------------------------------------------------------------------- running it

CALLABLE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)

_lock = threading.Lock()
_library: Library | None = None


def text() -> str:
    """Return the integrator as LLVM assembly."""
    return _Writer().module.text()


def _identity() -> str:
    """Return what the integrator's text follows from: the source of its writer (writing it takes longer)."""
    try:
        return inspect.getsource(sys.modules[__name__]) + inspect.getsource(assembly)
    except (OSError, TypeError):  # installed without sources
        return text()


def integrate(table: Table, first: int, last: int) -> None:
    """Integrate the people from `first` up to `last`; other threads run meanwhile."""
    global _library
    with _lock:
        if _library is None:
            _library = build(text, ["integrate"], _identity())
    CALLABLE(_library.addresses["integrate"])(table.entries.ctypes.data, first, last)
