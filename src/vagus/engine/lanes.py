"""The integrator for lanes: many people at once through a compiled kernel, each with an own time and an own step.

The stiff method is that of `vagus.engine.integrate`, the explicit one that of `vagus.engine.pair`; choice of method,
exact stops and location of events are as in the former. One vector instruction serves a whole group of lanes; what a
lane decides rests on its own numbers alone, so a person's bits depend neither on the neighbours nor on threads. A lane
that is done takes the next person of the queue, which all threads share. Time is a whole day and the time since then
(see `vagus.engine.lanemodel`).

All lanes of a group use one method. A person who shall change it leaves the group: everything that belongs to this
person is written into a record, and a lane of the other group reads it and goes on. Whoever runs the groups (see
`vagus.engine.lanesolver`) decides which one runs, and `integrate` returns when it is time to ask.

A person whose step vanishes is handed over, and the scalar integrator finds out why.

Masks are held as numbers, 1 and 0, one row of lanes each. The rows' names:

========== ===============================================================================================
day, off   time
h          size of the next step; before: error of the step before
left,      the last moment before the next jump of time alone and the first one after it, both counted from day
right
next       time of the next output, counted from day; stop: of the next dose, border of inputs, or end
live       holds a person; fresh: has just begun; stale: its rates must be computed anew
step, end  the step at hand and where it leads; good: it holds; open: events in it are still looked for
share      of the step, at which an event is; lower: up to which events were looked for
found      has an event here; cut: the step ends at an event
whole      the step is as long as it should be; past: the last good one if that was, else 0
rate       of the fastest change, by the Jacobian
limited,   looks so far at which stability held the step down, and at which it did not
calm
covered,   time and operations since a choice of method began; speed: what the explicit method covers by an operation,
spent      short: its step
trial,     stiff steps until a trial ends and until the explicit method is thought of again; pause: number of the step
review     before which no trial starts, penalty: steps that a trial which does not pay adds; moves: changes the method
========== ===============================================================================================
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vagus.engine import assembly, integrate, lanestiff, pair, vectormath
from vagus.engine.assembly import REAL, WHOLE, WHOLES, Array, Cells, Code, Module, Value, Variable
from vagus.engine.integrate import (
    CALM_STEPS,
    EASE,
    FIRST_PENALTY,
    GAMMA,
    HOPELESS,
    LEAST_ERROR,
    LEAST_SHARE,
    LONGEST_CHAIN,
    MOST_GROWTH,
    MOST_SHRINK,
    REVIEW_STEPS,
    ROS_A,
    ROS_ALPHA,
    ROS_C,
    ROS_D2,
    ROS_D3,
    ROS_G,
    SAFETY,
    STIFF_STEPS,
    TRIAL_STEPS,
    TRIAL_WARM,
)
from vagus.engine.lanekernel import FUNCTIONS as KERNEL_FUNCTIONS
from vagus.engine.lanekernel import Shape
from vagus.engine.native import Library, build, sources

DONE, HANDED_OVER, WAITING = 0, -1, -2
LOOKS = {True: 96, False: 208}  # four for each bit of a share
BEYOND = 1.0 / 64.0  # of the way to a border's estimate that the next look goes beyond it
KINDS = 5  # numbers that describe an event
POWER_ROUNDS = 8  # of the power method
LEAST_TREND = 1e-2  # a smaller error of the last step says little about the trend
LOOK_STEPS = 32  # so many steps from one look at the stability of a step to the next; a power of two
LIMITED = 0.6  # from this share of the stability region on, it holds the step down: what is seen is a mean of rates

ROWS = (
    # of the kernel: time, states, then `p`: states that do not move, parameters, prepared values
    *("time", "y", "p", "out"),
    *(
        "new",
        "stage",
        "late",
        "k",
        "slopes",
        "factors",
        "scale",
        "at",
        "lost",
        "rest",
        "g",
        "before",
        "low",
        "fired",
        "event_out",
        "s_now",
        "s_then",
    ),
    "cells",
)
REALS = (
    *("parameters", "initial", "output_times", "dose_times", "dose_amounts", "input_starts", "input_values"),
    *("values", "final", "final_day", "stop_time", "floor"),
    # records of people who wait for this group and for the other one
    *("here", "there"),
)
LANE_WHOLES = ("person", "done", "dose", "interval")
WHOLES_ = (
    *("queue", "next_in_queue", "finished", "cancel", "dose_offsets", "dose_states", "input_places", "watched"),
    *("marks", "kinds", "targets", "events", "status", "steps", "rejected", "refreshed", "stiff_steps"),
    *("waiting_here", "waiting_there"),
    *LANE_WHOLES,
    "count",
)
SIZES = (
    *("n_queue", "n_moving", "n_still", "n_own", "n_outputs", "n_events", "n_switches", "n_times", "n_intervals"),
    *("n_inputs", "n_watched"),
    # whether this group is the stiff one, a person's method may change, and new people come here
    *("stiff", "automatic", "takes"),
    *("n_record", "n_factors"),
)
NUMBERS = (
    *("t_start", "t_end", "rtol", "share_of_scale", "max_step", "max_steps"),
    # of the group's method: exponents of the step control, and the cost of a step
    *("growth", "memory", "shrink", "cost", "cost_explicit"),
)
OWN_FUNCTIONS = tuple(f"stiff_{name}" for name in lanestiff.FUNCTIONS)
TABLE = (*ROWS, *REALS, *WHOLES_, "numbers", *KERNEL_FUNCTIONS, *OWN_FUNCTIONS, *SIZES)
CELLS = (
    *("day", "off", "h", "before", "left", "right", "next_day", "next_part", "stop_day", "stop_part", "last"),
    *("live", "fresh", "stale", "shrunk", "n_steps", "n_rejected", "n_refreshed", "n_stiff", "failed"),
    *("limited", "calm", "covered", "spent", "speed", "short", "trial", "review", "pause", "penalty", "moves"),
    *(
        "step",
        "end",
        "error",
        "good",
        "open",
        "share",
        "lower",
        "upper",
        "found",
        "cut",
        "due",
        "level_low",
        "level_high",
        "side",
        "past",
        "whole",
        "rate",
    ),
)
COUNTED = {"steps": "n_steps", "rejected": "n_rejected", "refreshed": "n_refreshed", "stiff_steps": "n_stiff"}
# a call ends after so many `rounds_left`, and when so many people as `wanted` wait for the other group
COUNT = ("evaluations", "probes", "rounds", "prepare", "rounds_left", "wanted")
INFINITY = np.inf
FAR = 1e30  # later than any output


class Frame:
    """The table as a function sees it that is being written."""

    def __init__(self, code: Code, shape: Shape) -> None:
        self._code = code
        self._shape = shape
        self._table = Cells(code.arguments[0], TABLE)
        self.cells: Any = Cells(self._array("cells"), CELLS)
        self.count: Any = Cells(self._array("count"), COUNT)
        self.numbers: Any = Cells(self._array("numbers"), NUMBERS)

    def _array(self, name: str) -> Array:
        kind = self._shape.vector if name in ROWS else WHOLE if name in WHOLES_ else REAL
        return self._code.array_at(getattr(self._table, name), kind)

    def __getattr__(self, name: str) -> Any:
        if name in ROWS or name in REALS or name in WHOLES_:
            return self._array(name)
        return getattr(self._table, name)

    def number(self, name: str) -> Value:
        """Return a number that holds for all lanes, in every lane."""
        code = self._code
        return code.spread(code.as_real(getattr(self.numbers, name), self._shape.number), self._shape.width)

    def truth(self, name: str) -> Value:
        """Return a row of masks as truths."""
        return self.row(name).differs(0.0)

    def cells_array(self, name: str) -> Array:
        """Return a row as an array."""
        return self._array("cells").after(CELLS.index(name))

    def row(self, name: str) -> Value:
        """Return a row."""
        value: Value = getattr(self.cells, name)
        return value

    def mark(self, name: str, truths: Value) -> None:
        """Set a row of masks."""
        one = Value(self._code, self._code.constant(1.0, self._shape.vector))
        setattr(self.cells, name, self._code.choose(truths, one, 0.0))

    def set_where(self, truths: Value, **rows: Any) -> None:
        """Set rows in some lanes."""
        for name, value in rows.items():
            setattr(self.cells, name, self._code.choose(truths, value, self.row(name)))

    def lane(self, name: str, index: Any, lane: Value) -> tuple[Array, Any]:
        """Return where one lane's number of a row stands."""
        if name in CELLS:
            name, index = "cells", CELLS.index(name)
        width = self._shape.width
        return self._array(name).seen_as(self._shape.number), index * width + lane

    def get(self, name: str, lane: Value, index: Any = 0) -> Value:
        """Return one lane's number."""
        array, place = self.lane(name, index, lane)
        return self._code.as_real(array[place])

    def set(self, name: str, lane: Value, value: Any, index: Any = 0) -> None:
        """Set one lane's number."""
        array, place = self.lane(name, index, lane)
        array[place] = self._code.as_real(value, self._shape.number) if isinstance(value, Value) else value

    def call(self, function: str, y: Array, out: Array) -> None:
        """Call a function of the model's kernel at `time`."""
        self._code.call_lanes(getattr(self._table, function), self._array("time"), y, self._array("p"), out)


def _total(first: Value, shares: Sequence[Any], rows: Sequence[Array], i: Value) -> Value:
    """Return a number and shares of the numbers that stand at one place of several rows."""
    total = first
    for share, row in zip(shares, rows, strict=False):
        total = total + share * row[i]
    return total


class _Writer:
    """Writes all functions of the integrator into one module."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.module = Module("vagus-lane-integrator")
        self.functions: dict[str, Code] = {}
        for name in (
            *("interpolate", "probe", "rise", "fire", "write_outputs"),
            *("take_inputs", "next_stop", "take_record", "take_person", "start", "first_step", "refresh", "look_ahead"),
            *("explicit_step", "stiff_step", "try_step", "next_size", "search", "locate", "go_through", "keep"),
            *("watch", "largest_rate", "review", "jump", "turn_day", "take_due", "give_up", "move", "integrate"),
        ):
            getattr(self, f"_{name}")(name)

    def _framed(self, name: str, *arguments: Any) -> tuple[Code, Frame, list[Any]]:
        code = self.module.function(name, [WHOLES, *arguments], private=name != "integrate")
        code.align_stack()
        self.functions[name] = code
        return code, Frame(code, self.shape), code.arguments

    def _run(self, code: Code, name: str, *arguments: Any) -> Value:
        return code.call(self.functions[name], *arguments)

    def _variable(self, code: Code, first: Any) -> Variable:
        return code.variable(first, self.shape.vector)

    def _row(self, code: Code, value: float) -> Value:
        return Value(code, code.constant(value, self.shape.vector))

    @staticmethod
    def _offset(f: Frame, name: str) -> Value:
        """Return a time that is held as day and part, counted from the lane's day."""
        return (f.row(f"{name}_day") - f.row("day")) + f.row(f"{name}_part")

    def _set_time(self, f: Frame, off: Value) -> None:
        f.time[0] = f.row("day")
        f.time[1] = off

    # ------------------------------------------------------------------ within a step

    def _interpolate(self, name: str) -> None:
        """Compute the states at `share` of the step."""
        code, f, _ = self._framed(name)
        at = f.at
        for state in self._state_at(code, f):
            with code.each(f.n_moving) as i:
                at[i] = state(i)
        code.give(0)

    def _probe(self, name: str) -> None:
        """Compute, at `share` of the step, the states that triggers depend on, and the triggers."""
        code, f, _ = self._framed(name)
        at, watched = f.at, f.watched
        for state in self._state_at(code, f):
            with code.each(f.n_watched) as j:
                i = watched[j]
                at[i] = state(i)
        self._set_time(f, self._time_at_share(code, f))
        f.call("triggers", f.at, f.g)
        f.count.probes = f.count.probes + 1
        code.give(0)

    @staticmethod
    def _state_at(code: Code, f: Frame) -> Iterator[Callable[[Value], Value]]:
        """Give, for each method, what computes a state at `share`; what is the same for all states stands before."""
        share, step, n = f.row("share"), f.row("step"), f.n_moving
        whole = share >= 1.0
        y, new = f.y, f.new
        k = [f.k.after(n * m) for m in range(pair.STAGES + 1)]

        def explicit(i: Value) -> Value:
            return code.choose(whole, new[i], _total(y[i], weights, k, i))

        def stiff(i: Value) -> Value:
            c2 = _total(k[0][i] * ROS_D2[0], ROS_D2[1:], k[1:], i)
            c3 = _total(k[0][i] * ROS_D3[0], ROS_D3[1:], k[1:], i)
            return code.choose(whole, new[i], y[i] * rest + share * (new[i] + rest * (c2 + share * c3)))

        with code.either(f.stiff.differs(0)) as (is_stiff, is_explicit):
            with is_stiff:
                rest = 1.0 - share
                yield stiff
            with is_explicit:
                weights = [step * weight for weight in pair.weights(share)]
                yield explicit

    @staticmethod
    def _time_at_share(code: Code, f: Frame) -> Value:
        share = f.row("share")
        return code.choose(share >= 1.0, f.row("end"), f.row("off") + share * f.row("step"))

    def _rise(self, name: str) -> None:
        """Mark in `due` the lanes in which any condition was false and is true."""
        code, f, _ = self._framed(name)
        some = self._variable(code, 0.0)
        with code.each(f.n_events) as e:
            now = f.before[e].equals(0.0) & f.g[e].differs(0.0)
            some.set(code.choose(now, self._row(code, 1.0), some.get()))
        f.cells.due = some.get()
        code.give(0)

    # ------------------------------------------------------------------ events and outputs

    def _fire(self, name: str) -> None:
        """Execute, in lanes that are `found`, all events whose condition has become true, and those they cause.

        `state` holds the states that move, at `time`; `before` leaves as the conditions after all events.
        """
        code, f, (_, state) = self._framed(name, self.shape.vector.as_pointer())
        rounds = code.variable(0, WHOLE)
        some = code.variable(0, WHOLE)
        with code.repeat():
            f.call("triggers", state, f.g)
            some.set(0)
            with code.each(f.n_events) as e:
                now = f.truth("found") & f.before[e].equals(0.0) & f.g[e].differs(0.0)
                f.fired[e] = code.choose(now, self._row(code, 1.0), 0.0)
                f.before[e] = code.choose(f.truth("found"), f.g[e], f.before[e])
                some.set(some.get() | code.bits(now))
            with code.when(some.get().equals(0)):
                self._note_levels(code, f, f.truth("found"))
                code.give(0)
            rounds.set(rounds.get() + 1)
            with code.when(rounds.get() > LONGEST_CHAIN):
                with code.each(f.n_events) as e:
                    f.set_where(f.fired[e].differs(0.0), failed=1.0)
                code.give(0)
            for at_trigger in (True, False):
                with code.each(f.n_events) as e, code.when(code.some(f.fired[e].differs(0.0))):
                    if not at_trigger:
                        self._fire_one(code, f, e, state)
                        continue
                    with code.when(f.kinds[e * KINDS + 2].differs(0)):
                        values = f.event_out.after(e * (f.n_moving + f.n_still))
                        code.call_lanes(f.events[e], f.time, state, f.p, values)

    def _note_levels(self, code: Code, f: Frame, lanes: Value) -> None:
        """Keep the levels of the conditions where some lanes stand."""
        levels, low = f.g.after(f.n_events), f.low
        with code.each(f.n_events) as e:
            low[e] = code.choose(lanes, levels[e], low[e])

    def _fire_one(self, code: Code, f: Frame, e: Value, state: Array) -> None:
        """Make an event's values hold; compute them first where they are not those at the trigger."""
        values = f.event_out.after(e * (f.n_moving + f.n_still))
        fired = self._variable(code, f.fired[e])
        with code.when(f.kinds[e * KINDS + 1].equals(0)):  # not persistent: another one may have made it false
            f.call("triggers", state, f.g)
            gone = fired.get().differs(0.0) & f.g[e].equals(0.0)
            f.before[e] = code.choose(gone, 0.0, f.before[e])
            fired.set(code.choose(gone, 0.0, fired.get()))
        with code.when(f.kinds[e * KINDS + 2].equals(0)):
            code.call_lanes(f.events[e], f.time, state, f.p, values)
        lanes = fired.get().differs(0.0)
        with code.when(f.kinds[e * KINDS + 3].equals(0)):
            f.set_where(lanes, cut=1.0)
        targets = f.targets.after(e * (f.n_moving + f.n_still))
        with code.each(f.n_moving) as i, code.when(targets[i].differs(0)):
            state[i] = code.choose(fired.get().differs(0.0), values[i], state[i])
        with code.each(f.n_still) as i, code.when(targets[f.n_moving + i].differs(0)):
            f.p[i] = code.choose(fired.get().differs(0.0), values[f.n_moving + i], f.p[i])

    def _write_outputs(self, name: str) -> None:
        """Write the outputs of `open` lanes up to `upper`; at once where `here` is not 0, else in the step."""
        code, f, (table, here) = self._framed(name, WHOLE)
        with code.repeat() as loop:
            t_out = self._offset(f, "next")
            due = f.truth("open") & (t_out <= f.row("upper"))
            loop.leave_when(~code.some(due))
            with code.either(here.differs(0)) as (at_once, within):
                with at_once:
                    self._set_time(f, t_out)
                    f.call("outputs", f.y, f.out)
                with within:
                    share = (t_out - f.row("off")) / f.row("step")
                    share = code.choose(share > 0.0, share, 0.0)
                    f.cells.share = code.choose(share < 1.0, share, 1.0)
                    self._run(code, "interpolate", table)
                    self._set_time(f, t_out)
                    f.call("outputs", f.at, f.out)
            with code.each_bit(code.bits(due)) as lane:
                done = f.done[lane]
                row = f.values.after((f.person[lane] * f.n_times + done) * f.n_outputs)
                with code.each(f.n_outputs) as j:
                    row[j] = f.get("out", lane, j)
                f.done[lane] = done + 1
                self._set_next(code, f, lane)
        code.give(0)

    def _set_next(self, code: Code, f: Frame, lane: Value) -> None:
        f.set("next_day", lane, INFINITY)
        f.set("next_part", lane, 0.0)
        with code.when(f.done[lane] < f.n_times):
            self._set_parts(code, f, "next", lane, f.output_times[f.done[lane]])

    @staticmethod
    def _set_parts(code: Code, f: Frame, name: str, lane: Value, time: Value) -> None:
        day = code.floor(time)
        f.set(f"{name}_day", lane, day)
        f.set(f"{name}_part", lane, time - day)

    # ------------------------------------------------------------------ people

    def _take_inputs(self, name: str) -> None:
        """Set the parameters of the interval that holds at `now`; gives 1 where it is a new one."""
        code, f, (_, lane, now) = self._framed(name, WHOLE, REAL)
        before = f.interval[lane]
        with code.repeat() as loop:
            following = f.interval[lane] + 1
            loop.leave_when(following >= f.n_intervals)
            loop.leave_when(f.input_starts[following] > now)
            f.interval[lane] = following
        interval = f.interval[lane]
        with code.when(interval.equals(before)):
            code.give(0)
        row = f.input_values.after((f.person[lane] * f.n_intervals + interval) * f.n_inputs)
        with code.each(f.n_inputs) as j:
            f.set("p", lane, row[j], f.n_still + f.input_places[j])
        f.count.prepare = 1
        code.give(1)

    def _next_stop(self, name: str) -> None:
        """Set the time of the lane's next dose, border of inputs, or end."""
        code, f, (_, lane) = self._framed(name, WHOLE)
        stop = code.variable(f.numbers.t_end)
        with code.when(f.dose[lane] < f.dose_offsets[f.person[lane] + 1]):
            stop.set(code.smaller(f.dose_times[f.dose[lane]], stop.get()))
        following = f.interval[lane] + 1
        with code.when(following < f.n_intervals):
            stop.set(code.smaller(f.input_starts[following], stop.get()))
        f.stop_time[lane] = stop.get()
        self._set_parts(code, f, "stop", lane, stop.get())
        f.set("last", lane, code.choose(stop.get() >= f.numbers.t_end, code.real(1.0), 0.0))
        code.give(0)

    def _record(self, code: Code, f: Frame, lane: Value, record: Array) -> Iterator[tuple[Array, Value, Array, Value]]:
        """Give all numbers that belong to the person of a lane: array and place, and the same in the person's record.

        Those of the rows are within loops.
        """
        rows = dict.fromkeys(("y", "scale", "lost"), f.n_moving)
        rows |= dict.fromkeys(("before", "low"), f.n_events)
        rows |= {"cells": code.whole(len(CELLS)), "p": f.n_still + f.n_own, "s_now": f.n_switches}
        for name, count in rows.items():
            array = getattr(f, name) if name != "cells" else f.cells_array("day")
            with code.each(count) as i:
                yield array.seen_as(self.shape.number), i * self.shape.width + lane, record, i
            record = record.after(count)
        for place, name in enumerate((*LANE_WHOLES, "stop_time")):
            yield getattr(f, name), lane, record, code.whole(place)

    def _take_record(self, name: str) -> None:
        """Take into a lane somebody who waits for this group; gives 0 where nobody does."""
        code, f, (_, lane) = self._framed(name, WHOLE)
        with code.when(f.waiting_here[0].equals(0)):
            code.give(0)
        place = f.waiting_here[0] - 1
        f.waiting_here[0] = place
        for array, i, record, k in self._record(code, f, lane, f.here.after(place * f.n_record)):
            kind = array.pointer.type.pointee
            array[i] = code.as_whole(record[k]) if kind == WHOLE else code.as_real(record[k], kind)
        f.set("moves", lane, 0.0)
        f.count.prepare = 1
        code.give(1)

    def _move(self, name: str) -> None:
        """Write the person of a lane into a record for the other group, and take the next."""
        code, f, (table, lane) = self._framed(name, WHOLE)
        place = f.waiting_there[0]
        f.waiting_there[0] = place + 1
        for array, i, record, k in self._record(code, f, lane, f.there.after(place * f.n_record)):
            record[k] = code.as_real(array[i])
        code.give(self._run(code, "take_person", table, lane))

    def _take_person(self, name: str) -> None:
        """Take the next person into a lane, of those who wait for this group or of the queue; else the lane rests."""
        code, f, (table, lane) = self._framed(name, WHOLE)
        with code.when(self._run(code, "take_record", table, lane).equals(1)):
            code.give(1)
        for cell in CELLS:
            f.set(cell, lane, {"left": INFINITY, "right": INFINITY, "next_day": INFINITY}.get(cell, 0.0))
        with code.when(f.takes.equals(0)):
            code.give(0)
        place = code.next_of(f.next_in_queue)
        with code.when(place >= f.n_queue):
            code.give(0)
        person = f.queue[place]
        f.person[lane] = person
        f.done[lane] = 0
        f.dose[lane] = f.dose_offsets[person]
        f.interval[lane] = -1
        start = f.numbers.t_start
        day = code.floor(start)
        f.set("day", lane, day)
        f.set("off", lane, start - day)
        f.set("before", lane, LEAST_ERROR)
        f.set("penalty", lane, float(FIRST_PENALTY))
        for cell in ("live", "fresh", "stale"):
            f.set(cell, lane, 1.0)
        own, n = f.parameters.after(person * f.n_own), f.n_moving
        with code.each(f.n_own) as j:
            f.set("p", lane, own[j], f.n_still + j)
        states = f.initial.after(person * (n + f.n_still))
        with code.each(n) as i:
            f.set("y", lane, states[i], i)
            f.set("scale", lane, code.size(states[i]), i)
            f.set("lost", lane, 0.0, i)
        with code.each(f.n_still) as i:
            f.set("p", lane, states[n + i], i)
        self._run(code, "take_inputs", table, lane, start)
        self._run(code, "next_stop", table, lane)
        self._set_next(code, f, lane)
        f.count.prepare = 1
        code.give(1)

    def _start(self, name: str) -> None:
        """Bring lanes with new people or new inputs in order: prepared values, switches, events, first outputs."""
        code, f, (table,) = self._framed(name)
        self._prepare(code, f)
        f.count.prepare = 0
        self._set_time(f, f.row("off"))
        new = f.truth("fresh")
        self._note_switches(code, f, new)
        with code.when(f.n_events > 0):
            f.call("triggers", f.y, f.g)
            with code.each(f.n_events) as e:
                held = code.choose(f.kinds[e * KINDS].differs(0), 1.0, 0.0)
                held = code.spread(code.as_real(held, self.shape.number), self.shape.width)
                f.before[e] = code.choose(new, f.g[e] * held, f.before[e])
            f.mark("found", new)
            self._run(code, "fire", table, f.y)
        f.mark("open", new)
        f.cells.upper = f.row("off")
        self._run(code, "write_outputs", table, 1)
        f.cells.fresh = self._row(code, 0.0)
        code.give(0)

    @staticmethod
    def _prepare(code: Code, f: Frame) -> None:
        f.call("prepare", f.y, f.p)
        with code.when(f.stiff.differs(0)):
            f.call("stiff_prepare", f.y, f.p)

    def _note_switches(self, code: Code, f: Frame, lanes: Value) -> None:
        """Compute the switches of some lanes here; where the next jump is must be found anew."""
        chosen = self._variable(code, code.choose(lanes, self._row(code, 1.0), 0.0))
        with code.when(f.n_switches > 0):
            f.call("switches", f.y, f.s_then)
            with code.each(f.n_switches) as s:
                f.s_now[s] = code.choose(chosen.get().differs(0.0), f.s_then[s], f.s_now[s])
        f.set_where(chosen.get().differs(0.0), left=INFINITY, right=INFINITY)

    # ------------------------------------------------------------------ one step

    def _refresh(self, name: str) -> None:
        """Compute the rates of stale lanes; of those at their very start also the first step size."""
        code, f, (table,) = self._framed(name)
        self._set_time(f, f.row("off"))
        f.call("rhs", f.y, f.stage)
        f.count.evaluations = f.count.evaluations + 1
        k, stage, stale = f.k, f.stage, f.truth("stale")
        with code.each(f.n_moving) as i:
            k[i] = code.choose(stale, stage[i], k[i])
        f.cells.n_refreshed = f.row("n_refreshed") + f.row("stale")
        f.cells.stale = self._row(code, 0.0)
        with code.when(code.some(f.truth("live") & f.row("h").equals(0.0))):
            self._run(code, "first_step", table)
        code.give(0)

    def _tolerated(self, code: Code, f: Frame) -> Callable[[Value, Value], Value]:
        """Return what computes the tolerated error of a state from its place and its size."""
        rtol, share, scale, floor = f.number("rtol"), f.number("share_of_scale"), f.scale, f.floor
        number, width = self.shape.number, self.shape.width

        def tolerated(i: Value, size: Value) -> Value:
            least = code.spread(code.as_real(floor[i], number), width)
            return rtol * size + code.larger(share * code.larger(scale[i], size), least)

        return tolerated

    def _norm(self, code: Code, f: Frame, value: Callable[[Value], Value]) -> Value:
        """Return the root mean square over all states (the rates of those that do not move are zero)."""
        total, y, tolerated = self._variable(code, 0.0), f.y, self._tolerated(code, f)
        with code.each(f.n_moving) as i:
            scaled = value(i) / tolerated(i, code.size(y[i]))
            total.set(total.get() + scaled * scaled)
        return code.root(total.get() / self._states(code, f))

    def _states(self, code: Code, f: Frame) -> Value:
        count = code.larger(code.as_real(f.n_moving + f.n_still), 1.0)
        return code.spread(code.as_real(count, self.shape.number), self.shape.width)

    def _first_step(self, name: str) -> None:
        """Set the step size to start with (Hairer, Norsett & Wanner, Solving ODEs I, section II.4)."""
        code, f, _ = self._framed(name)
        span = f.number("t_end") - f.number("t_start")
        y, k, stage, at = f.y, f.k, f.stage, f.at
        d0 = self._norm(code, f, lambda i: y[i])
        d1 = self._norm(code, f, lambda i: k[i])
        h = code.choose((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1)
        h = code.smaller(h, span)
        with code.each(f.n_moving) as i:
            stage[i] = y[i] + h * k[i]
        self._set_time(f, f.row("off") + h)
        f.call("rhs", stage, at)
        d2 = self._norm(code, f, lambda i: at[i] - k[i]) / h
        largest = code.larger(d1, d2)
        grown = vectormath.exp(0.2 * vectormath.log(0.01 / largest))
        h1 = code.choose(largest <= 1e-15, code.larger(h * 1e-3, 1e-6), grown)
        first = code.smaller(code.smaller(h1, 100.0 * h), span)
        first = code.choose(code.finite(d2), first, h * 1e-3)
        f.set_where(f.truth("live") & f.row("h").equals(0.0), h=first)
        code.give(0)

    def _look_ahead(self, name: str) -> None:
        """Find the first jump of time alone within the next step: the last moment before it, the first after it."""
        code, f, _ = self._framed(name)
        off = f.row("off")
        ahead = code.smaller(off + f.row("h"), self._offset(f, "stop"))
        f.mark("open", f.truth("live") & f.row("left").equals(INFINITY))
        f.cells.found = self._row(code, 0.0)
        lower, upper = self._variable(code, off), self._variable(code, ahead)
        for quarter in (0.25, 0.5, 0.75, 1.0):
            probe = ahead if quarter == 1.0 else off + quarter * (ahead - off)
            differ = self._switches_differ(code, f, probe)
            found = f.truth("found")
            searching = f.truth("open") & ~found
            upper.set(code.choose(searching & differ, probe, upper.get()))
            lower.set(code.choose(searching & ~differ, probe, lower.get()))
            f.mark("found", found | (searching & differ))
        with code.when(~code.some(f.truth("found"))):
            code.give(0)
        with code.repeat() as loop:
            middle = 0.5 * (lower.get() + upper.get())
            between = f.truth("found") & (middle > lower.get()) & (middle < upper.get())
            loop.leave_when(~code.some(between))
            differ = self._switches_differ(code, f, middle)
            upper.set(code.choose(between & differ, middle, upper.get()))
            lower.set(code.choose(between & ~differ, middle, lower.get()))
        f.set_where(f.truth("found"), left=lower.get(), right=upper.get())
        code.give(0)

    def _switches_differ(self, code: Code, f: Frame, off: Value) -> Value:
        self._set_time(f, off)
        f.call("switches", f.y, f.s_then)
        some = self._variable(code, 0.0)
        with code.each(f.n_switches) as s:
            some.set(code.choose(f.s_now[s].differs(f.s_then[s]), self._row(code, 1.0), some.get()))
        return some.get().differs(0.0)

    def _try_step(self, name: str) -> None:
        """Compute one step of every lane, and its scaled error; a lane that rests or waits takes an empty one."""
        code, f, (table,) = self._framed(name)
        off = f.row("off")
        f.cells.h = code.smaller(f.row("h"), f.number("max_step"))
        h = f.row("h")
        goal = code.smaller(f.row("left"), self._offset(f, "stop"))
        room = goal - off
        lands, halves = h * 1.001 >= room, 2.0 * h > room
        end = code.choose(lands, goal, off + code.choose(halves, 0.5 * room, h))
        active = f.truth("live") & (room > 0.0)
        end = code.choose(active, end, off)
        f.mark("whole", ~code.choose(lands, h > room, halves))
        f.set_where(active & ~(end > off), failed=1.0)
        f.cells.step, f.cells.end = end - off, end  # what the clock will show
        f.time[0] = f.row("day")
        with code.either(f.stiff.differs(0)) as (is_stiff, is_explicit):
            with is_stiff:
                self._run(code, "stiff_step", table)
            with is_explicit:
                self._run(code, "explicit_step", table)
        active, error = f.row("step") > 0.0, f.row("error")
        error = code.choose(error < HOPELESS, error, HOPELESS)
        f.cells.error = error
        good = active & (error <= 1.0)
        f.mark("good", good)
        one = self._row(code, 1.0)
        tried = code.choose(active, one, 0.0)
        f.cells.n_steps = f.row("n_steps") + tried
        f.cells.n_rejected = f.row("n_rejected") + code.choose(active & ~good, one, 0.0)
        f.cells.spent = f.row("spent") + tried * f.number("cost")
        f.cells.covered = f.row("covered") + code.choose(good, f.row("step"), 0.0)
        code.give(0)

    def _explicit_step(self, name: str) -> None:
        """Compute one explicit step and its error."""
        code, f, _ = self._framed(name)
        off, n, y, stage, late, new = f.row("off"), f.n_moving, f.y, f.stage, f.late, f.new
        step, end = f.row("step"), f.row("end")
        k = [f.k.after(n * s) for s in range(pair.STAGES + 1)]
        for s in range(1, pair.STAGES):
            shares = [step * pair.A[s][m] for m in range(s)]
            target = late if s == pair.STAGES - 1 else stage
            with code.each(n) as i:
                target[i] = _total(y[i], shares, k, i)
            f.time[1] = end if pair.C[s] == 1.0 else off + pair.C[s] * step
            f.call("rhs", target, k[s])
        shares = [step * weight for weight in pair.A[-1]]
        lost, advance = f.lost, self._advance(f)
        with code.each(n) as i:
            # in single precision, what a sum loses is added in the next step
            gain = (
                _total(lost[i], shares, k, i)
                if self.shape.single
                else _total(shares[0] * k[0][i], shares[1:], k[1:], i)
            )
            error = _total(k[0][i] * pair.E[0], pair.E[1:-1], k[1:], i)  # before the stores: one load serves both
            advance(i, gain)
            stage[i] = error
        f.call("rhs", new, k[-1])
        f.count.evaluations = f.count.evaluations + pair.STAGES
        squares, tolerated = self._variable(code, 0.0), self._tolerated(code, f)
        with code.each(n) as i:
            total = stage[i] + pair.E[-1] * k[-1][i]
            scaled = step * total / tolerated(i, code.larger(code.size(y[i]), code.size(new[i])))
            squares.set(squares.get() + scaled * scaled)
        f.cells.error = code.root(squares.get() / self._states(code, f))
        code.give(0)

    def _advance(self, f: Frame) -> Callable[[Value, Value], None]:
        """Return what sets a state's new value from its gain; in single precision, it keeps what the sum loses."""
        y, new, rest = f.y, f.new, f.rest

        def advance(i: Value, gain: Value) -> None:
            before = y[i]
            after = before + gain
            new[i] = after
            if self.shape.single:
                rest[i] = gain - (after - before)

        return advance

    def _stiff_step(self, name: str) -> None:
        """Compute one stiff step and its error; a lane whose matrix is not sound has none."""
        code, f, _ = self._framed(name)
        off, n, y, stage, new = f.row("off"), f.n_moving, f.y, f.stage, f.new
        step, end = f.row("step"), f.row("end")
        k = [f.k.after(n * s) for s in range(7)]
        rates, slopes, jacobian = f.slopes, f.slopes.after(n), f.slopes.after(n * 2)
        f.time[1] = off
        f.call("stiff_slopes", y, f.slopes)
        inverse = code.choose(step > 0.0, 1.0 / step, 1.0)
        f.cells.share = inverse * (1.0 / GAMMA)
        code.call_lanes(f.stiff_factor, jacobian, f.cells_array("share"), f.factors)
        for s in range(6):
            if s:
                with code.each(n) as i:
                    # the sixth stage begins where the fifth did, with its increment added
                    stage[i] = stage[i] + k[4][i] if s == 5 else _total(y[i], ROS_A[s], k, i)
                f.time[1] = end if ROS_ALPHA[s] == 1.0 else off + ROS_ALPHA[s] * step
                f.call("rhs", stage, k[6])
            value, slope = k[6] if s else rates, ROS_G[s] * step
            shares = [ROS_C[s][m] * inverse for m in range(s)]
            with code.each(n) as i:
                first = value[i] + slope * slopes[i] if ROS_G[s] else value[i]
                k[s][i] = _total(first, shares, k, i)
            code.call_lanes(f.stiff_solve, f.factors, k[s])
        f.count.evaluations = f.count.evaluations + 6
        squares, tolerated = self._variable(code, 0.0), self._tolerated(code, f)
        lost, advance = f.lost, self._advance(f)
        with code.each(n) as i:
            if self.shape.single:
                advance(i, _total(lost[i], (*ROS_A[5], 1.0), k, i))
            else:
                new[i] = stage[i] + k[5][i]
            scaled = k[5][i] / tolerated(i, code.larger(code.size(y[i]), code.size(new[i])))
            squares.set(squares.get() + scaled * scaled)
        error = code.root(squares.get() / self._states(code, f))
        f.cells.error = code.choose(f.factors[f.n_factors - 1].differs(0.0), error, HOPELESS)
        f.cells.n_stiff = f.row("n_stiff") + code.choose(step > 0.0, self._row(code, 1.0), 0.0)
        code.give(0)

    def _next_size(self, name: str) -> None:
        """Set the size of the next step, after a good one and after a bad one."""
        code, f, _ = self._framed(name)
        step, h, good = f.row("step"), f.row("h"), f.truth("good")
        active = step > 0.0
        error = code.larger(f.row("error"), 1e-10)
        logarithm = vectormath.log_of_size(error)
        memory = f.number("memory") * vectormath.log_of_size(f.row("before"))
        exponent = code.choose(good, memory - f.number("growth") * logarithm, -f.number("shrink") * logarithm)
        chosen = self._variable(code, exponent)
        with code.when(f.stiff.differs(0)):
            # what follows from the last two steps (Gustafsson), where it is less
            past = f.row("past")
            ratio = vectormath.log_of_size(code.larger(f.row("before"), LEAST_TREND)) - 2.0 * logarithm
            trend = vectormath.log_of_size(step / past) + f.number("growth") * ratio
            chosen.set(code.choose(good & (past > 0.0) & (trend < exponent), trend, exponent))
        growth = SAFETY * vectormath.exp(chosen.get())
        most = code.choose(f.truth("shrunk"), self._row(code, 1.0), MOST_GROWTH)
        growth = code.smaller(growth, code.choose(good, most, 0.9))
        growth = code.larger(growth, MOST_SHRINK)
        grown = step * growth
        shortened = good & ~f.truth("whole")  # to land on a stop: says little about the next one
        size = code.choose(shortened & (growth >= 1.0), code.larger(grown, h), grown)
        f.set_where(good & ~shortened, before=code.larger(error, LEAST_ERROR))
        f.set_where(good, past=code.choose(shortened, 0.0, step))
        bad = active & ~good
        f.set_where(active, h=size, shrunk=code.choose(bad, self._row(code, 1.0), 0.0))
        # look again: an earlier jump may have been stepped over
        f.set_where(bad, left=INFINITY, right=INFINITY)
        vanished = bad & (f.row("off") + size <= f.row("off"))
        too_many = f.truth("live") & (f.row("n_steps") >= f.number("max_steps"))
        f.set_where(vanished | too_many, failed=1.0)
        code.give(0)

    # ------------------------------------------------------------------ events in a step

    def _search(self, name: str) -> None:
        """Mark the `open` lanes in which a condition becomes true between `lower` and the end of the step.

        Conditions that hold are looked at twice a step: between they may fall and rise again. `lower` and `upper`
        leave as shares between which the first event is.
        """
        code, f, (table,) = self._framed(name)
        holds = self._variable(code, 0.0)
        with code.each(f.n_events) as e, code.when(f.kinds[e * KINDS + 4].equals(0)):
            holds.set(code.choose(f.before[e].differs(0.0), self._row(code, 1.0), holds.get()))
        f.cells.found = self._row(code, 0.0)
        f.cells.upper = self._row(code, 1.0)
        for quarter in (0.5, 1.0):
            looks = f.truth("open") & (holds.get().differs(0.0) if quarter < 1.0 else f.truth("open"))
            with code.when(code.some(looks)):
                f.cells.share = code.larger(f.row("lower"), quarter)
                self._run(code, "probe", table)
                self._run(code, "rise", table)
                looking = f.truth("open") & ~f.truth("found")
                looking = looking & holds.get().differs(0.0) if quarter < 1.0 else looking
                rises = looking & f.truth("due")
                passes = looking & ~f.truth("due")
                f.set_where(rises, found=1.0, upper=f.row("share"))
                f.set_where(passes, lower=f.row("share"))
                before, g, fired = f.before, f.g, f.fired
                with code.each(f.n_events) as e:
                    risen = rises & before[e].equals(0.0) & g[e].differs(0.0)
                    fired[e] = code.choose(rises, code.choose(risen, self._row(code, 1.0), 0.0), fired[e])
                    before[e] = code.choose(passes, g[e], before[e])
                f.set_where(rises, level_high=self._highest(code, f, f.g.after(f.n_events)))
                self._note_levels(code, f, passes)
        code.give(0)

    def _highest(self, code: Code, f: Frame, levels: Array) -> Value:
        """Return the highest level among the conditions that are looked for."""
        fired, highest = f.fired, self._variable(code, -FAR)
        with code.each(f.n_events) as e:
            highest.set(code.choose(fired[e].differs(0.0) & (levels[e] > highest.get()), levels[e], highest.get()))
        return highest.get()

    def _locate(self, name: str) -> None:
        """Find where in the step the first condition becomes true, in `found` lanes, as fine as the clock is.

        A look at where a straight line through the levels says moves one end to the border; the next one aims a little
        beyond it, to move the other end as well. Each fourth look halves what is left: a level that is no help costs
        at most four times as many.
        """
        code, f, (table,) = self._framed(name)
        off, step, found = f.row("off"), f.row("step"), f.truth("found")
        f.cells.level_low = self._highest(code, f, f.low)
        f.cells.side = self._row(code, 0.0)
        tick = 2.0 ** (-24 if self.shape.single else -53) / step
        look = code.variable(0, WHOLE)
        with code.repeat() as loop:
            lower, upper, side = f.row("lower"), f.row("upper"), f.row("side")
            part = f.row("level_low") / (f.row("level_low") - f.row("level_high"))
            line = lower + (upper - lower) * part
            beyond = code.size(line - code.choose(side > 0.0, lower, upper)) * BEYOND + tick
            line = line + side * beyond
            turn = code.spread(code.as_real(look.get() & code.whole(3), self.shape.number), self.shape.width)
            middle = code.choose((turn < 3.0) & (line > lower) & (line < upper), line, 0.5 * (lower + upper))
            first, last, now = off + lower * step, off + upper * step, off + middle * step
            # a look at an end itself says nothing new
            middle = code.choose((now > first) & (now < last), middle, 0.5 * (lower + upper))
            now = off + middle * step
            between = found & (now > first) & (now < last)
            loop.leave_when(~code.some(between) | (look.get() >= LOOKS[self.shape.single]))
            look.set(look.get() + 1)
            f.cells.share = middle
            self._run(code, "probe", table)
            self._run(code, "rise", table)
            level = self._highest(code, f, f.g.after(f.n_events))
            rises, passes = between & f.truth("due"), between & ~f.truth("due")
            f.set_where(rises, upper=middle, level_high=level, side=-1.0)
            f.set_where(passes, lower=middle, level_low=level, side=1.0)
        code.give(0)

    def _go_through(self, name: str) -> None:
        """Go through a good step: events and outputs in the order of time. An event that rates see ends the step."""
        code, f, (table,) = self._framed(name)
        f.cells.open = f.row("good")
        f.cells.lower = self._row(code, 0.0)
        f.cells.cut = self._row(code, 0.0)
        rounds = code.variable(0, WHOLE)
        with code.repeat() as loop:
            f.cells.found = self._row(code, 0.0)
            with code.when(f.n_events > 0):
                self._run(code, "search", table)
                with code.when(code.some(f.truth("found"))):
                    self._run(code, "locate", table)
            place = self._variable(code, code.choose(f.truth("found"), f.row("upper"), 1.0))
            f.cells.share = place.get()
            moment = self._time_at_share(code, f)
            f.cells.upper = moment
            self._run(code, "write_outputs", table, 0)
            loop.leave_when(~code.some(f.truth("found")))
            f.cells.share = place.get()
            self._run(code, "interpolate", table)
            self._set_time(f, moment)
            self._run(code, "fire", table, f.at)
            ends = f.truth("found") & f.truth("cut")
            chosen = self._variable(code, code.choose(ends, self._row(code, 1.0), 0.0))
            new, at, where = f.new, f.at, chosen.get().differs(0.0)
            with code.each(f.n_moving) as i:
                new[i] = code.choose(where, at[i], new[i])
            # what was learnt about the step size belongs to the time before the event
            least = f.row("step") * code.larger(place.get(), LEAST_SHARE)
            f.set_where(ends, end=moment, h=code.smaller(least, f.row("h")))
            f.cells.lower = place.get()
            f.mark("open", f.truth("found") & ~f.truth("cut") & (place.get() < 1.0))
            rounds.set(rounds.get() + 1)
            with code.when(rounds.get() > LONGEST_CHAIN):
                f.set_where(f.truth("open"), failed=1.0)
                code.give(0)
        code.give(0)

    def _keep(self, name: str) -> None:
        """Take the good steps."""
        code, f, _ = self._framed(name)
        y, new, k, scale, last = f.y, f.new, f.k, f.scale, f.k.after(f.n_moving * pair.STAGES)
        lost, rest = f.lost, f.rest
        good = f.truth("good")
        # the last stage of an explicit step is the next step's first
        known = good & ~f.truth("cut")
        with code.each(f.n_moving) as i:
            value = code.choose(good, new[i], y[i])
            y[i] = value
            k[i] = code.choose(known, last[i], k[i])
            scale[i] = code.larger(code.size(value), scale[i])
            if self.shape.single:
                lost[i] = code.choose(known, rest[i], code.choose(good, 0.0, lost[i]))
        f.set_where(good, off=f.row("end"))
        f.set_where(good & ~known, stale=1.0)
        code.give(0)

    # ------------------------------------------------------------------ which method

    def _watch(self, name: str) -> None:
        """While explicit: let a lane try the stiff method where stability holds its step down.

        A lane looks at some steps only, but at all as long as it is held: a look costs a twentieth of a step.
        """
        code, f, _ = self._framed(name)
        steps, limited = f.row("n_steps"), f.row("limited")
        turn = code.floor(steps * (1.0 / LOOK_STEPS)).equals(steps * (1.0 / LOOK_STEPS))
        looks = f.truth("good") & (steps >= f.row("pause")) & (turn | (limited > 0.0))
        with code.when(~code.some(looks)):
            code.give(0)
        rate = code.choose(f.truth("cut"), 0.0, f.row("step") * self._fastest(code, f))
        held = looks & (rate > LIMITED * pair.STABILITY)
        free = looks & ~held
        self._open_window(f, held & limited.equals(0.0))
        calm = f.row("calm") + 1.0
        f.set_where(free, calm=calm, limited=code.choose(calm >= CALM_STEPS, 0.0, limited))
        f.set_where(held, calm=0.0, limited=limited + 1.0)
        moves = held & (f.row("limited") > STIFF_STEPS)
        speed = f.row("covered") / f.row("spent")
        f.set_where(moves, speed=speed, short=f.row("h"), trial=float(TRIAL_STEPS), past=0.0, moves=1.0)
        code.give(0)

    def _fastest(self, code: Code, f: Frame) -> Value:
        """Return how fast the fastest change is, as the rates at one time and two places show it."""
        n, new, late = f.n_moving, f.new, f.late
        first, last = (f.k.after(n * s) for s in (pair.STAGES - 1, pair.STAGES))
        top, bottom, tolerated = self._variable(code, 0.0), self._variable(code, 0.0), self._tolerated(code, f)
        with code.each(n) as i:
            size = tolerated(i, code.size(new[i]))
            a, b = (last[i] - first[i]) / size, (new[i] - late[i]) / size
            top.set(top.get() + a * a)
            bottom.set(bottom.get() + b * b)
        return code.choose(bottom.get() > 0.0, code.root(top.get() / bottom.get()), 0.0)

    @staticmethod
    def _open_window(f: Frame, lanes: Value) -> None:
        f.set_where(lanes, covered=0.0, spent=0.0)

    def _review(self, name: str) -> None:
        """While stiff: end a trial, or see whether the explicit method would now be the cheaper one."""
        code, f, (table,) = self._framed(name)
        good, trial = f.truth("good"), f.row("trial")
        on_trial = good & (trial > 0.0)
        ended = on_trial & trial.equals(1.0)
        f.set_where(on_trial, trial=trial - 1.0)
        f.set_where(good & ~on_trial, review=f.row("review") - 1.0)
        due = good & ~on_trial & (f.row("review") <= 0.0)
        speed = f.row("covered") / f.row("spent")
        unpaid = ended & (speed <= f.row("speed"))
        doubled = f.row("penalty") * 2.0
        less = code.smaller(f.row("h"), f.row("short"))
        f.set_where(unpaid, h=less, penalty=doubled, pause=f.row("n_steps") + doubled, moves=1.0)
        f.mark("due", due)
        with code.when(code.some(due)):
            self._run(code, "largest_rate", table)
            largest, h = f.row("rate"), f.row("h")
            possible = code.choose(largest > 0.0, code.smaller(EASE * pair.STABILITY / largest, h), h)
            eased = f.truth("due") & (possible > f.row("covered") / f.row("spent") * f.number("cost_explicit"))
            f.set_where(eased, h=possible, pause=0.0, moves=1.0)
        opened = on_trial & trial.equals(float(TRIAL_STEPS - TRIAL_WARM + 1))
        f.set_where(ended | f.truth("due"), review=float(REVIEW_STEPS))
        self._open_window(f, opened | ended | f.truth("due"))
        f.set_where(f.truth("moves"), limited=0.0, calm=0.0, stale=1.0)
        code.give(0)

    def _largest_rate(self, name: str) -> None:
        """Estimate in `rate` the Jacobian's largest eigenvalue by a few rounds of the power method."""
        code, f, _ = self._framed(name)
        n, vector, work, jacobian = f.n_moving, f.at, f.stage, f.slopes.after(f.n_moving * 2)
        with code.each(n) as i:
            start = 1.0 + 0.01 * code.as_real(i, self.shape.number)
            vector[i] = code.spread(start, self.shape.width)
        size = self._variable(code, 0.0)
        with code.each(POWER_ROUNDS):
            code.call_lanes(f.stiff_product, jacobian, vector, work)
            size.set(self._row(code, 0.0))
            with code.each(n) as i:
                size.set(code.larger(code.size(work[i]), size.get()))
            scale = code.choose(size.get() > 0.0, 1.0 / size.get(), 0.0)
            with code.each(n) as i:
                vector[i] = work[i] * scale
        f.cells.rate = size.get()
        code.give(0)

    # ------------------------------------------------------------------ between steps

    def _jump(self, name: str) -> None:
        """Go over jumps of time alone."""
        code, f, (table,) = self._framed(name)
        jumps = f.truth("live") & (f.row("off") >= f.row("left"))
        f.mark("found", jumps)
        f.set_where(jumps, off=f.row("right"), stale=1.0)
        self._set_time(f, f.row("off"))
        self._note_switches(code, f, f.truth("found"))
        with code.when(f.n_events > 0):
            self._run(code, "fire", table, f.y)
        code.give(0)

    def _turn_day(self, name: str) -> None:
        """Count the time from the day that it has reached."""
        code, f, _ = self._framed(name)
        shift = code.choose(f.truth("live"), self._floor(code, f.row("off")), 0.0)
        f.cells.share = shift
        f.cells.day = f.row("day") + shift
        for cell in ("off", "left", "right"):
            setattr(f.cells, cell, f.row(cell) - shift)
        with code.each(f.n_still) as i, code.when(f.marks[i].differs(0)):
            f.p[i] = f.p[i] - f.row("share")
        code.give(0)

    @staticmethod
    def _floor(code: Code, a: Value) -> Value:
        return code.floor(a)

    def _take_due(self, name: str) -> None:
        """Give the doses and set the inputs of a lane's stop; at the end, keep the final state and take the next."""
        code, f, (table, lane) = self._framed(name, WHOLE)
        now, n, person = f.stop_time[lane], f.n_moving, f.person[lane]
        with code.when(now >= f.numbers.t_end):
            final = f.final.after(person * (n + f.n_still))
            with code.each(n) as i:
                final[i] = f.get("y", lane, i)
            with code.each(f.n_still) as i:
                final[n + i] = f.get("p", lane, i)
            f.final_day[person] = f.get("day", lane)
            f.status[person] = DONE
            self._close(code, f, lane)
            code.give(self._run(code, "take_person", table, lane))
        with code.repeat() as loop:
            dose = f.dose[lane]
            loop.leave_when(dose >= f.dose_offsets[person + 1])
            loop.leave_when(f.dose_times[dose] > now)
            place = f.dose_states[dose]
            with code.either(place < n) as (moves, rests):
                with moves:
                    amount = f.get("y", lane, place) + f.dose_amounts[dose]
                    f.set("y", lane, amount, place)
                    f.set("scale", lane, code.larger(code.size(amount), f.get("scale", lane, place)), place)
                with rests:
                    f.set("p", lane, f.get("p", lane, place - n) + f.dose_amounts[dose], place - n)
            f.dose[lane] = dose + 1
        self._run(code, "take_inputs", table, lane, now)
        f.set("stale", lane, 1.0)
        self._run(code, "next_stop", table, lane)
        code.give(0)

    def _close(self, code: Code, f: Frame, lane: Value) -> None:
        person = f.person[lane]
        for array in COUNTED:
            getattr(f, array)[person] = code.as_whole(f.get(COUNTED[array], lane))
        code.next_of(f.finished)

    def _give_up(self, name: str) -> None:
        """Hand the person of a lane over."""
        code, f, (table, lane) = self._framed(name, WHOLE)
        f.status[f.person[lane]] = HANDED_OVER
        self._close(code, f, lane)
        code.give(self._run(code, "take_person", table, lane))

    # ------------------------------------------------------------------ the loop

    def _integrate(self, name: str) -> None:
        """Integrate people until none is left, or until it is time for the other group."""
        code, f, (table,) = self._framed(name)
        with code.each_bit(code.bits(~f.truth("live"))) as lane:
            self._run(code, "take_person", table, lane)
        with code.repeat() as loop:
            loop.leave_when((f.count.rounds_left <= 0) | (f.waiting_there[0] >= f.count.wanted))
            with code.when(f.count.prepare.differs(0)):
                self._run(code, "start", table)
            loop.leave_when(~code.some(f.truth("live")) | f.cancel[0].differs(0))
            f.count.rounds = f.count.rounds + 1
            f.count.rounds_left = f.count.rounds_left - 1
            # a stiff step computes the rates itself, but not the very first step's size
            explicit = code.spread(f.stiff.equals(0), self.shape.width)
            stale = f.truth("stale") & (f.row("h").equals(0.0) | explicit)
            with code.when(code.some(stale)):
                self._run(code, "refresh", table)
            with code.when(f.n_switches > 0):
                self._run(code, "look_ahead", table)
            self._run(code, "try_step", table)
            self._run(code, "next_size", table)
            self._run(code, "go_through", table)
            self._run(code, "keep", table)
            with code.when(f.automatic.differs(0)), code.either(f.stiff.differs(0)) as (is_stiff, is_explicit):
                with is_stiff:
                    self._run(code, "review", table)
                with is_explicit:
                    self._run(code, "watch", table)
            with code.when(code.some(f.truth("live") & (f.row("off") >= f.row("left")))):
                self._run(code, "jump", table)
            with code.when(code.some(f.truth("live") & (f.row("off") >= 1.0))):
                self._run(code, "turn_day", table)
            arrived = f.truth("live") & (f.row("off") >= self._offset(f, "stop")) & ~f.truth("failed")
            with code.when(code.some(arrived)):
                self._arrive(code, f, table, arrived)
            with code.when(code.some(f.truth("failed"))), code.each_bit(code.bits(f.truth("failed"))) as lane:
                self._run(code, "give_up", table, lane)
            with code.when(code.some(f.truth("moves"))), code.each_bit(code.bits(f.truth("moves"))) as lane:
                self._run(code, "move", table, lane)
        code.give(0)

    def _arrive(self, code: Code, f: Frame, table: Value, arrived: Value) -> None:
        """Do what is due at stops, one lane after the other, and the events that it causes."""
        f.mark("open", arrived & f.truth("last"))
        f.cells.upper = self._row(code, FAR)
        self._run(code, "write_outputs", table, 1)  # the last time itself, where a jump led to it
        f.mark("due", arrived)
        with code.each_bit(code.bits(arrived)) as lane, code.when(self._run(code, "take_due", table, lane).equals(1)):
            f.set("due", lane, 0.0)
        f.mark("found", f.truth("due") & f.truth("live"))
        with code.when(f.count.prepare.differs(0)):
            self._prepare(code, f)
        self._set_time(f, f.row("off"))
        self._note_switches(code, f, f.truth("found"))
        with code.when(f.n_events > 0):
            self._run(code, "fire", table, f.y)


# ---------------------------------------------------------------------- running it

CALLABLE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)

_lock = threading.Lock()
_libraries: dict[Shape, Library] = {}


def text(shape: Shape) -> str:
    """Return the integrator as LLVM assembly."""
    return _Writer(shape).module.text()


def _identity(shape: Shape) -> str:
    written = sources(sys.modules[__name__], assembly, integrate, lanestiff, pair, vectormath)
    return text(shape) if written is None else f"{shape!r}\n{written}"


def run(shape: Shape, table: NDArray[np.int64]) -> None:
    """Integrate people of the queue until it is empty; other threads run meanwhile."""
    with _lock:
        if shape not in _libraries:
            _libraries[shape] = build(lambda: text(shape), ["integrate"], _identity(shape))
    CALLABLE(_libraries[shape].addresses["integrate"])(table.ctypes.data)
