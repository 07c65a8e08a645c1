"""From LLVM's text to machine code in memory, with a cache of machine code on disk."""

from __future__ import annotations

import ctypes
import inspect
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from types import ModuleType
from typing import Any

import llvmlite
from llvmlite import binding

from vagus import store

FORMAT = "1"
# what compiled code calls from the C library
MATHEMATICS = (
    *("exp", "log", "log10", "pow", "sqrt", "fabs", "floor", "ceil", "tgamma"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
)

_lock = threading.RLock()
_started = False


@dataclass(frozen=True)
class Library:
    """Machine code in memory; it lives as long as this object does.

    Attributes
    ----------
    addresses : dict of str to int
        Address of each function.
    from_cache : bool
        Whether the machine code was found on disk.
    """

    addresses: dict[str, int]
    from_cache: bool
    engine: Any


def build(text: Callable[[], str], names: Iterable[str], identity: str) -> Library:
    """Compile a module's text, or take its machine code from the cache.

    Parameters
    ----------
    text : callable
        Gives LLVM assembly.
    names : iterable of str
        Functions whose addresses are wanted.
    identity : str
        What the text follows from, or the text itself: the same identity must always mean the same text.
    """
    with _lock:
        _start()
        machine, host = _machine()
        version = ".".join(map(str, binding.llvm_version_info))
        key = sha256("\n".join((FORMAT, llvmlite.__version__, version, host, identity)).encode()).hexdigest()
        code = store.read_entry("kernels", key)
        from_cache = code is not None
        if code is None:
            code = _translate(text(), machine)
            store.write_entry("kernels", key, code)
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return Library({name: engine.get_function_address(name) for name in names}, from_cache, engine)


def sources(*modules: ModuleType) -> str | None:
    """Return the source of modules, as part of an identity; None where they are installed without."""
    try:
        return "\n".join(inspect.getsource(module) for module in modules)
    except (OSError, TypeError):
        return None


def _translate(text: str, machine: Any) -> bytes:
    module = binding.parse_assembly(text)
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.slp_vectorization = True
    options.loop_vectorization = True
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


def _machine() -> tuple[Any, str]:
    """Return LLVM's description of this processor, and its name for the cache."""
    try:
        features = binding.get_host_cpu_features().flatten()
    except RuntimeError:  # not known for this kind of processor
        features = ""
    cpu = binding.get_host_cpu_name()
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(cpu=cpu, features=features, opt=2, jit=True)
    return machine, f"{target.triple}|{cpu}|{features}"


def _start() -> None:
    global _started
    if not _started:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        for name in MATHEMATICS:
            _provide(name)
        _started = True


def _provide(name: str) -> None:
    """Make a function of the C library known where the process does not show it by itself."""
    if binding.address_of_symbol(name) is not None:
        return
    for library in (None, "ucrtbase", "libm.so.6", "libm.dylib"):
        try:
            function = getattr(ctypes.CDLL(library), name)
        except (OSError, AttributeError, TypeError):
            continue
        binding.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
        return
