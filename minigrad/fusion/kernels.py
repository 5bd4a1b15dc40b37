"""Who uses chains: the updates of optimizers, and the rows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .. import gpu
from ..autograd.row import fused_ops
from ..tensor import Tensor
from .chain import Chain, filled
from .element import Element
from .lines import C_NAMES

Array = Any
KEPT = 256  # lists of steps of one function, for as many shapes
UNKNOWN: Any = object()
ALONE = (np.ndarray, Element, Tensor)  # the host's; parts of a chain already; those with a graph
enabled = True  # False: every operation by itself, to compare


# -- an update in place ---------------------------------------------------------------------------


def in_one_kernel(arrays: Sequence[Array]) -> Iterator[Sequence[Any]]:
    """For the loop `for p, g in in_one_kernel([p, g])`, whose body runs once, on Elements of the
    arrays. What has become of them is written when it ends."""
    if not enabled:
        yield [a if a.ndim else a.reshape(1) for a in arrays]
        return
    chain = Chain(arrays, literal=False)
    elements = chain.elements()
    yield elements
    done = len(chain.steps)
    chain.write_back(elements)
    for step in chain.steps[done:]:
        step(chain.arrays)


# -- a function -----------------------------------------------------------------------------------


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, in as few kernels as possible where its arrays are on a GPU."""
    kept: dict[Any, Callable[..., Any] | None] = {}
    is_single = False  # one operation, whatever the arguments: nothing is to be gained

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        nonlocal is_single
        if is_single or not enabled:
            return function(*args)
        arrays: list[Array] = []
        key = tuple([_told_apart(a, arrays) for a in args])
        if not arrays or any([isinstance(a, ALONE) for a in arrays]):
            return function(*args)
        key = (gpu.index_of(arrays[0]), *key)
        again = kept.get(key, UNKNOWN)
        if again is UNKNOWN:
            again, is_single = _traced(function, args, arrays)
            if len(kept) >= KEPT:
                kept.clear()
            kept[key] = again
        return function(*args) if again is None else again(arrays)

    return call


def _told_apart(value: Any, arrays: list[Array]) -> Any:
    """An argument in the key, whose arrays are collected, Tensors too (of a formula under
    `create_graph`); 0.0 and -0.0, 1 and 1.0 are not equal."""
    if isinstance(value, gpu.arrays):
        arrays.append(value)
        return value.dtype.char, value.shape, value.strides
    if type(value) in (list, tuple):
        return type(value), *[_told_apart(v, arrays) for v in value]
    if isinstance(value, Tensor):  # whose text the host would have to wait for
        arrays.append(value)
        return None
    return repr(value)


def _with_elements(value: Any, elements: Iterator[Element]) -> Any:
    """An argument with Elements for its arrays."""
    if isinstance(value, gpu.arrays):
        return next(elements)
    if type(value) in (list, tuple):
        return type(value)([_with_elements(v, elements) for v in value])
    return value


def _traced(
    function: Callable[..., Any], args: Sequence[Any], arrays: Sequence[Array]
) -> tuple[Callable[..., Any] | None, bool]:
    """What does to arrays like these what the function does, or None if it has to be the function
    itself; and whether that is so for all arguments, as there is one operation."""
    chain = Chain(arrays, literal=True)
    elements = chain.elements()
    given = iter(elements)
    found: list[str] = []
    try:
        template = chain.named(function(*[_with_elements(a, given) for a in args]), found)
        chain.write_back(elements)
    except Exception:  # also a mistake of the user's: `function` says so when it gets the arrays
        return None, False
    if chain.operations <= len(chain.steps) or not found:
        return None, all(map(_is_usual, args))
    steps, constants = chain.steps, chain.constants
    inputs = [f"a{i}" for i in range(len(arrays))]

    def again(arrays: Sequence[Array]) -> Any:
        memory = {**constants, **dict(zip(inputs, arrays, strict=True))}
        for step in steps:
            step(memory)
        return filled(template, memory)

    return again, False


def _is_usual(value: Any) -> bool:
    """An array of floats, or `xp`: with any other value a function may do something else."""
    if isinstance(value, gpu.arrays):
        return value.dtype.char in C_NAMES
    return isinstance(value, ModuleType)


# -- the rows -------------------------------------------------------------------------------------


def fuse_rows() -> None:
    """From now on rows run in as few kernels as possible: what CuPy's import calls."""
    for op in fused_ops:
        fuse(op)


def unfuse_rows() -> None:
    """The rows as they were."""
    for op in fused_ops:
        _rewrite(op, lambda function: getattr(function, "__wrapped__", function))


def fuse(op: Any) -> None:
    """From now on the row of an op runs in as few kernels as possible."""
    _rewrite(op, fused)


def _rewrite(op: Any, change: Callable[..., Any]) -> None:
    row = op.row
    row.forward = change(row.forward)
    called = op.__closure__[op.__code__.co_freevars.index("forward")]  # op's variable `forward`,
    called.cell_contents = row.forward  # which is quicker for it than `row.forward`
    row.formulas = [(change(formula), names) for formula, names in row.formulas]
    row.plans.clear()
