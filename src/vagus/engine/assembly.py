"""Write LLVM functions as if they were Python: numbers with operators, arrays, loops and conditions.

Python runs while the function is *written*; the machine runs what was written. ``a + b`` writes an addition,
``with code.each(n) as i`` writes a loop, ``array[i] = value`` writes a store.

>>> module = Module("example")
>>> code = module.function("scale", [REAL, REALS, WHOLE])
>>> factor, array, count = code.arguments
>>> with code.each(count) as i:
...     array[i] = factor * array[i]
>>> code.give(0)
>>> "fmul" in module.text()
True
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

REAL = ir.DoubleType()
SINGLE = ir.FloatType()
WHOLE = ir.IntType(64)
TRUTH = ir.IntType(1)
REALS = REAL.as_pointer()
WHOLES = WHOLE.as_pointer()

CONTRACT = ("contract",)
REORDER = ("contract", "reassoc", "nsz")  # sums may be added up in any order: the same on every run of one machine


def element_of(kind: Any) -> Any:
    """Return the kind of one number: of a vector its lanes', of a number its own."""
    return kind.element if isinstance(kind, ir.VectorType) else kind


def like(kind: Any, element: Any) -> Any:
    """Return the kind that holds `element` where `kind` holds a number: a vector of as many lanes, or one number."""
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def suffix(kind: Any) -> str:
    """Return how LLVM names its own functions of such numbers."""
    name = {REAL: "f64", SINGLE: "f32"}[element_of(kind)]
    return f"v{kind.count}{name}" if isinstance(kind, ir.VectorType) else name


class Module:
    """A collection of functions."""

    def __init__(self, name: str) -> None:
        self.ir = ir.Module(name=name)

    def function(self, name: str, arguments: Sequence[Any], private: bool = False, apart: bool = False) -> Code:
        """Begin a function that returns a whole number.

        Parameters
        ----------
        name : str
        arguments : sequence of LLVM types
        private : bool
            Only called from this module.
        apart : bool
            Arrays among the arguments do not overlap.
        """
        function = ir.Function(self.ir, ir.FunctionType(WHOLE, list(arguments)), name)
        if private:
            function.linkage = "internal"
        for argument in function.args:
            if apart and argument.type.is_pointer:
                argument.add_attribute("noalias")
        return Code(self, function)

    def external(self, name: str, count: int, kind: Any = REAL) -> Any:
        """Return a function of real numbers that is defined elsewhere."""
        known = self.ir.globals.get(name)
        return known or ir.Function(self.ir, ir.FunctionType(kind, [kind] * count), name)

    def count_zeros(self) -> Any:
        """Return the function that counts the zeros below the lowest bit."""
        known = self.ir.globals.get("llvm.cttz.i64")
        return known or ir.Function(self.ir, ir.FunctionType(WHOLE, [WHOLE, TRUTH]), "llvm.cttz.i64")

    def text(self) -> str:
        """Return the module as LLVM assembly."""
        return str(self.ir)


class Value:
    """A number, a truth, or a vector of them, that the written code will have."""

    def __init__(self, code: Code, value: Any) -> None:
        self.code = code
        self.value = value

    @property
    def is_real(self) -> bool:
        """Whether it is a real number (else a whole number or a truth)."""
        return element_of(self.value.type) in (REAL, SINGLE)

    def _other(self, other: Any) -> Any:
        return self.code.constant(other, self.value.type)

    def _arithmetic(self, name: str, other: Any, swapped: bool = False) -> Value:
        a, b = self.value, self._other(other)
        if swapped:
            a, b = b, a
        builder = self.code.builder
        if self.is_real:
            return Value(self.code, getattr(builder, f"f{name}")(a, b, flags=self.code.flags))
        return Value(self.code, getattr(builder, "sdiv" if name == "div" else name)(a, b))

    def __add__(self, other: Any) -> Value:
        return self._arithmetic("add", other)

    def __radd__(self, other: Any) -> Value:
        return self._arithmetic("add", other)

    def __sub__(self, other: Any) -> Value:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: Any) -> Value:
        return self._arithmetic("sub", other, swapped=True)

    def __mul__(self, other: Any) -> Value:
        return self._arithmetic("mul", other)

    def __rmul__(self, other: Any) -> Value:
        return self._arithmetic("mul", other)

    def __truediv__(self, other: Any) -> Value:
        return self._arithmetic("div", other)

    def __rtruediv__(self, other: Any) -> Value:
        return self._arithmetic("div", other, swapped=True)

    def __neg__(self) -> Value:
        return Value(self.code, self.code.builder.fneg(self.value))

    def _compare(self, sign: str, other: Any) -> Value:
        builder = self.code.builder
        compare = builder.fcmp_ordered if self.is_real else builder.icmp_signed
        return Value(self.code, compare(sign, self.value, self._other(other)))

    def __lt__(self, other: Any) -> Value:
        return self._compare("<", other)

    def __le__(self, other: Any) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> Value:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> Value:
        return self._compare(">=", other)

    def equals(self, other: Any) -> Value:
        """Return whether both are equal; false with NaN."""
        return self._compare("==", other)

    def differs(self, other: Any) -> Value:
        """Return whether they are not equal; true with NaN."""
        if self.is_real:
            return Value(self.code, self.code.builder.fcmp_unordered("!=", self.value, self._other(other)))
        return self._compare("!=", other)

    def __and__(self, other: Value) -> Value:
        return Value(self.code, self.code.builder.and_(self.value, other.value))

    def __or__(self, other: Value) -> Value:
        return Value(self.code, self.code.builder.or_(self.value, other.value))

    def __invert__(self) -> Value:
        return Value(self.code, self.code.builder.not_(self.value))

    def whole(self) -> Value:
        """Return a truth as 1 or 0."""
        return Value(self.code, self.code.builder.zext(self.value, WHOLE))


class Array:
    """Numbers one after the other in memory."""

    def __init__(self, code: Code, pointer: Any) -> None:
        self.code = code
        self.pointer = pointer

    def _place(self, index: Any) -> Any:
        return self.code.builder.gep(self.pointer, [self.code.constant(index, WHOLE)], inbounds=True)

    def __getitem__(self, index: Any) -> Value:
        return Value(self.code, self.code.builder.load(self._place(index)))

    def __setitem__(self, index: Any, value: Any) -> None:
        place = self._place(index)
        kind = self.pointer.type.pointee
        self.code.builder.store(self.code.fenced(self.code.constant(value, kind)), place)

    def after(self, count: Any) -> Array:
        """Return the array that begins so many places later."""
        return Array(self.code, self._place(count))

    def seen_as(self, kind: Any) -> Array:
        """Return the same memory as numbers of another kind."""
        return Array(self.code, self.code.builder.bitcast(self.pointer, kind.as_pointer()))


class Cells:
    """Named single numbers in one piece of memory; reading and setting them are loads and stores."""

    def __init__(self, array: Array, names: Sequence[str]) -> None:
        self.__dict__["_array"] = array
        self.__dict__["_places"] = {name: place for place, name in enumerate(names)}

    def __getattr__(self, name: str) -> Value:
        value: Value = self.__dict__["_array"][self.__dict__["_places"][name]]
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["_array"][self.__dict__["_places"][name]] = value


class Variable:
    """A number that changes while a function runs."""

    def __init__(self, code: Code, first: Any, kind: Any) -> None:
        self.code = code
        with code.builder.goto_entry_block():
            self.place = code.builder.alloca(kind)
        self.set(first)

    def get(self) -> Value:
        """Return its value now."""
        return Value(self.code, self.code.builder.load(self.place))

    def set(self, value: Any) -> None:
        """Give it a new value."""
        self.code.builder.store(self.code.constant(value, self.place.type.pointee), self.place)


class Loop:
    """A loop that is being written."""

    def __init__(self, code: Code, begin: Any, end: Any) -> None:
        self.code, self.begin, self.end = code, begin, end
        self.ends = False

    def leave_when(self, condition: Value) -> None:
        """Go on behind the loop if the condition holds."""
        self.ends = True
        onward = self.code.builder.append_basic_block()
        self.code.builder.cbranch(condition.value, self.end, onward)
        self.code.builder.position_at_end(onward)


class Code:
    """One function that is being written."""

    def __init__(self, module: Module, function: Any) -> None:
        self.module = module
        self.function = function
        self.builder = ir.IRBuilder(function.append_basic_block())
        self.flags: tuple[str, ...] = CONTRACT

    @property
    def arguments(self) -> list[Any]:
        """The function's arguments, as values and arrays."""
        return [self._argument(argument) for argument in self.function.args]

    def _argument(self, argument: Any) -> Value | Array:
        return Array(self, argument) if argument.type.is_pointer else Value(self, argument)

    def constant(self, value: Any, kind: Any) -> Any:
        """Return LLVM's value of a `Value` or of a Python number; of a vector, with the number in every lane."""
        if isinstance(value, Value):
            return value.value
        number = float(value) if element_of(kind) in (REAL, SINGLE) else int(value)
        return ir.Constant(kind, [number] * kind.count if isinstance(kind, ir.VectorType) else number)

    def real(self, value: float) -> Value:
        """Return a real constant."""
        return Value(self, ir.Constant(REAL, float(value)))

    def whole(self, value: int) -> Value:
        """Return a whole constant."""
        return Value(self, ir.Constant(WHOLE, int(value)))

    def variable(self, first: Any, kind: Any = REAL) -> Variable:
        """Return a new variable."""
        return Variable(self, first, kind)

    def memory(self, count: int, kind: Any, alignment: int) -> Array:
        """Return room for some numbers while the function runs."""
        with self.builder.goto_entry_block():
            place = self.builder.alloca(kind, count)
        place.align = alignment
        return Array(self, place)

    def array_at(self, address: Value, kind: Any = REAL) -> Array:
        """Return the array at an address."""
        return Array(self, self.builder.inttoptr(address.value, kind.as_pointer()))

    # ------------------------------------------------------------------ the way through the code

    @contextmanager
    def each(self, count: Any) -> Iterator[Value]:
        """Write a loop over 0, 1, ... up to `count`."""
        index = self.variable(0, WHOLE)
        with self.repeat() as loop:
            now = index.get()
            loop.leave_when(now >= count)
            yield now
            if not self.builder.block.is_terminated:
                index.set(now + 1)

    @contextmanager
    def repeat(self) -> Iterator[Loop]:
        """Write a loop that only `Loop.leave_when` or `give` ends."""
        builder = self.builder
        begin, end = builder.append_basic_block(), builder.append_basic_block()
        builder.branch(begin)
        builder.position_at_end(begin)
        loop = Loop(self, begin, end)
        yield loop
        if not builder.block.is_terminated:
            builder.branch(begin)
        builder.position_at_end(end)
        if not loop.ends:
            builder.unreachable()

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """Write what is done only where the condition holds."""
        with self.builder.if_then(condition.value):
            yield

    @contextmanager
    def either(self, condition: Value) -> Iterator[tuple[Any, Any]]:
        """Write two ways: ``with code.either(c) as (yes, no)``, then ``with yes``, ``with no``."""
        with self.builder.if_else(condition.value) as ways:
            yield ways

    @contextmanager
    def reordered(self) -> Iterator[None]:
        """Let sums be added up in any order (so that the processor can add several at a time)."""
        self.flags = REORDER
        yield
        self.flags = CONTRACT

    def give(self, value: Any) -> None:
        """End the function with a whole number."""
        self.builder.ret(self.constant(value, WHOLE))

    # ------------------------------------------------------------------ functions

    def call(self, function: Code, *arguments: Any) -> Value:
        """Call a function of this module."""
        values = [
            argument.pointer if isinstance(argument, Array) else self.constant(argument, wanted.type)
            for argument, wanted in zip(arguments, function.function.args, strict=True)
        ]
        return Value(self, self.builder.call(function.function, values))

    def call_at(self, address: Value, t: Value, y: Array, p: Array, out: Array) -> None:
        """Call a kernel function, ``void f(double t, double* y, double* p, double* out)``."""
        kind = ir.FunctionType(ir.VoidType(), [REAL, REALS, REALS, REALS])
        function = self.builder.inttoptr(address.value, kind.as_pointer())
        self.builder.call(function, [t.value, y.pointer, p.pointer, out.pointer])

    def call_lanes(self, address: Value, *arrays: Array) -> None:
        """Call a function of arrays alone that stands at an address."""
        pointers = [array.pointer for array in arrays]
        kind = ir.FunctionType(WHOLE, [pointer.type for pointer in pointers])
        self.builder.call(self.builder.inttoptr(address.value, kind.as_pointer()), pointers)

    def choose(self, condition: Value, a: Any, b: Any) -> Value:
        """Return `a` where the condition holds, else `b` (both are computed)."""
        kind = next((item.value.type for item in (a, b) if isinstance(item, Value)), REAL)
        return Value(self, self.builder.select(condition.value, self.constant(a, kind), self.constant(b, kind)))

    def smaller(self, a: Value, b: Any) -> Value:
        """Return the smaller of two numbers."""
        return self.choose(a < b, a, b)

    def larger(self, a: Value, b: Any) -> Value:
        """Return the larger of two numbers."""
        return self.choose(a > b, a, b)

    def size(self, a: Value) -> Value:
        """Return the absolute value."""
        return self._mathematics("fabs", a)

    def root(self, a: Value) -> Value:
        """Return the square root."""
        return self._mathematics("sqrt", a)

    def round(self, a: Value) -> Value:
        """Return the nearest whole number, as a real one."""
        return self._mathematics("rint", a)

    def floor(self, a: Value) -> Value:
        """Return the largest whole number that is not larger, as a real one."""
        return self._mathematics("floor", a)

    def power(self, a: Value, exponent: Any) -> Value:
        """Return a power."""
        return self._mathematics("pow", a, exponent)

    def _mathematics(self, name: str, first: Value, *others: Any) -> Value:
        kind = first.value.type
        values = [self.constant(argument, kind) for argument in (first, *others)]
        function = self.module.external(f"llvm.{name}.{suffix(kind)}", len(values), kind)
        return Value(self, self.builder.call(function, values))

    def as_real(self, a: Value, kind: Any = REAL) -> Value:
        """Return a whole number, or a real one of another precision, as a real one."""
        if not a.is_real:
            return Value(self, self.builder.sitofp(a.value, kind))
        if a.value.type == kind:
            return a
        change = self.builder.fptrunc if element_of(kind) == SINGLE else self.builder.fpext
        return Value(self, change(a.value, kind))

    def as_whole(self, a: Value) -> Value:
        """Return a real number without its fraction."""
        return Value(self, self.builder.fptosi(a.value, WHOLE))

    def finite(self, a: Value) -> Value:
        """Return whether a number is neither infinite nor NaN."""
        return (a - a).equals(0.0)

    # ------------------------------------------------------------------ vectors

    def spread(self, a: Value, width: int) -> Value:
        """Return a vector with one number in every lane."""
        kind = ir.VectorType(a.value.type, width)
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), a.value, self.constant(0, WHOLE))
        order = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
        return Value(self, self.builder.shuffle_vector(first, first, order))

    def align_stack(self) -> None:
        """Keep vectors that do not fit into registers where they cross no cache lines: up to a quarter faster."""
        set.add(self.function.attributes, '"stackrealign"')  # a name that llvmlite does not know

    def fenced(self, value: Any) -> Any:
        """Return a vector as it is, behind a fence.

        LLVM turns "store the choice between a new value and the one that is there" into a masked store, which costs
        some processors (AMD's up to Zen 4) ten times a blend.
        """
        kind = value.type
        if not isinstance(kind, ir.VectorType) or isinstance(value, ir.Constant):
            return value
        return self.builder.call(self.module.external(f"llvm.arithmetic.fence.{suffix(kind)}", 1, kind), [value])

    def bits(self, truths: Value) -> Value:
        """Return truths of a vector as the bits of a whole number, lane 0 lowest."""
        packed = self.builder.bitcast(truths.value, ir.IntType(truths.value.type.count))
        return Value(self, self.builder.zext(packed, WHOLE))

    def some(self, truths: Value) -> Value:
        """Return whether any lane's truth holds."""
        return self.bits(truths).differs(0)

    @contextmanager
    def each_bit(self, bits: Value) -> Iterator[Value]:
        """Write a loop over the places of the bits that are set."""
        left = self.variable(bits, WHOLE)
        with self.repeat() as loop:
            now = left.get()
            loop.leave_when(now.equals(0))
            left.set(now & (now - 1))
            count = self.module.count_zeros()
            yield Value(self, self.builder.call(count, [now.value, ir.Constant(TRUTH, 1)]))

    def next_of(self, counter: Array) -> Value:
        """Add one to a number that several threads share and return what it was."""
        place = counter.pointer
        return Value(self, self.builder.atomic_rmw("add", place, self.constant(1, WHOLE), "monotonic"))
