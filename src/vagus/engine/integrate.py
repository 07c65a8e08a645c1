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
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.engine.assembly import REAL, REALS, WHOLE, WHOLES, Array, Cells, Code, Module, Value
from vagus.engine.native import Library, build

OK, STEP_TOO_SMALL, NOT_FINITE, TOO_MANY_STEPS, CANCELLED, BAD_PARAMETER, BAD_INITIAL, EVENT_CHAIN, BAD_DOSE = range(9)
AUTOMATIC, EXPLICIT, STIFF = range(3)

# ---------------------------------------------------------------------- the two methods

# Tsitouras 5(4): nodes, weights of the stages (the last row is the solution), weights of the error
TSIT_C = (0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0)
TSIT_A = (
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
# interpolant: factor * theta^2 * (theta - r1) * (theta - r2) for the middle stages
TSIT_MIDDLE = (
    (2, 2.490627285651252793, -2.38535645472061657, 1.57803468208092486),
    (1, 0.1017, -2.1966568338249754, 1.2949852507374631),
)
TSIT_ROOTS = (
    (3, -16.54810288924490272, 1.21712927295533244, 0.61620406037800089),
    (4, 47.37952196281928122, 1.203071208372362603, 0.658047292653547382),
    (5, -34.87065786149660974, 1.2, 0.666666666666666667),
)
TSIT_STABILITY = 3.5  # about the length of the stability region on the negative axis

# RODAS: gamma, then a, c, alpha, gamma_i, interpolant; the sixth stage begins at the fifth's argument + its increment
GAMMA = 0.25
LAST_A = (0.1221224509226641e1, 0.6019134481288629e1, 0.1253708332932087e2, -0.6878860361058950)
ROS_A = (
    (),
    (0.1544e1,),
    (0.9466785280815826, 0.2557011698983284),
    (0.3314825187068521e1, 0.2896124015972201e1, 0.9986419139977817),
    LAST_A,
    (*LAST_A, 1.0),
)
ROS_C = (
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
TSIT_EXPONENT, TSIT_MEMORY = 0.7 / 5, 0.4 / 5
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
    *("t_start", "t_end", "rtol", "max_step", "cost_explicit", "cost_stiff"),
)
COUNT = (
    *("steps", "stiff_steps", "done", "dose", "interval", "fresh", "stiff", "have_jacobian"),
    *("limited", "calm", "trial", "pause", "penalty", "review", "rejected", "place"),
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


# ---------------------------------------------------------------------- writing it


class _Writer:
    """Writes all functions of the integrator into one module."""

    def __init__(self) -> None:
        self.module = Module("vagus-integrator")
        self.functions: dict[str, Code] = {}
        for name in (
            *("tsit_step", "factor", "solve", "rosenbrock_step", "interpolate", "norm_size", "stiffness"),
            *("set_weights", "first_bad", "any_differ", "any_rise", "largest_rate", "first_step"),
            *("fire", "write_output", "take_inputs", "prepare_person", "begin", "take_due", "refresh", "look_ahead"),
            *("jump", "try_step", "reject", "next_size", "locate", "watch", "leave_stiff", "review", "accept"),
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
        """Compute one explicit step; the first part of k holds the rates at y."""
        pointers = [REALS] * 7
        code, (rhs, n, t, h, y, p, k, stage, sixth, new, error) = self._begin_function(
            name, WHOLE, WHOLE, REAL, REAL, *pointers, apart=True
        )
        rows = [k.after(n * s) for s in range(7)]
        for s in range(1, 7):
            target = (stage, stage, stage, stage, sixth, new)[s - 1]
            with code.each(n) as i:
                total = rows[0][i] * TSIT_A[s][0]
                for m in range(1, s):
                    total = total + TSIT_A[s][m] * rows[m][i]
                target[i] = y[i] + h * total
            code.call_at(rhs, t + TSIT_C[s] * h, target, p, rows[s])
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
        """Compute one stiff step; gives 0 where the matrix is singular.

        `rates` holds the rates at y, `jacobian` the matrix there and, behind it, the rates' slopes in time.
        """
        pointers = [REALS] * 7
        code, (rhs, n, t, h, y, p, rates, jacobian, k, matrix, new, pivots, frame) = self._begin_function(
            name, WHOLE, WHOLE, REAL, REAL, *pointers, WHOLES, WHOLES
        )
        f = Frame.__new__(Frame)
        f.__init__(_At(code, frame))  # type: ignore[misc,arg-type]
        stage, value, error = f.stage, f.f, f.error
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
                code.call_at(rhs, t + ROS_ALPHA[s] * h, stage, p, value)
            with code.each(n) as i:
                total = value[i] + (ROS_G[s] * h) * slopes[i]
                for m in range(s):
                    total = total + (ROS_C[s][m] / h) * rows[m][i]
                value[i] = total
            self._run(code, "solve", matrix, pivots, value, n)
            with code.each(n) as i:
                rows[s][i] = value[i]
        with code.each(n) as i:
            error[i] = rows[5][i]
            new[i] = stage[i] + rows[5][i]
        code.give(1)
