"""Hypothesis strategies for tensors, for your own tests as well as for minigrad's.

    from hypothesis import given
    from strategies import arrays, shapes

    @given(arrays(shapes(max_dims=2), "float32"))
    def test_exp(array): ...

What there is:

    sizes, shapes       small numbers of elements; tuples of them, also () and empty ones
    broadcastable(n)    n shapes that broadcast with each other
    arrays              NumPy arrays of a dtype with edge values: 0, -0.0, the smallest and the
                        largest number, infinities, nan, numbers that are equal to each other
    generic             arrays in general position: no two elements are equal, none lies on an
                        integer or a half, so that derivatives exist there
    layouts             how a tensor of a shape lies in memory: whole, transposed, every second
                        row of a larger one, beside a first row, expanded
    dims, several_dims  valid dimensions, counted from either end
    indices             the text of an index expression that is valid for a shape
    tensors             a line of source that makes a tensor: `torch.tensor([[0.5]]).T`
    Program             lines of source that run on both libraries

In `op_calls.py` beside this file:

    calls               a Program that calls an op with valid arguments, by one of the lines of
                        `op_lines.CALLS`, of which there is one for each row of the table
    rows                the table itself: all ops by name, with forward and gradient formulas

Tensors are drawn as source text, since it is the text that a failing test prints: some lines that
can be pasted into a file, run with either library, or with both by `python -m parity run FILE`.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

Shape = tuple[int, ...]
FLOATS = ("float64", "float32", "float16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
DTYPES = (*FLOATS, *INTEGERS, "bool")

# --- shapes --------------------------------------------------------------------------------------


def sizes(min_size: int = 1, max_size: int = 4) -> st.SearchStrategy[int]:
    return st.integers(min_size, max_size)


def shapes(
    min_dims: int = 0, max_dims: int = 3, max_size: int = 4, empty: bool = True
) -> st.SearchStrategy[Shape]:
    """Shapes; about one in twenty has no elements, if `empty`."""
    full = st.lists(sizes(1, max_size), min_size=min_dims, max_size=max_dims).map(tuple)
    if not empty or max_dims == 0:
        return full
    return st.tuples(full, st.integers(0, 19)).map(lambda t: _emptied(*t))


def _emptied(shape: Shape, chance: int) -> Shape:
    if chance != 19 or not shape:
        return shape
    return (*shape[:-1], 0)


@st.composite
def broadcastable(
    draw: st.DrawFn, count: int, min_dims: int = 0, max_dims: int = 3, empty: bool = True
) -> list[Shape]:
    """`count` shapes that broadcast with each other; the first has at least `min_dims`."""
    result = draw(shapes(min_dims, max_dims, empty=empty))
    found = []
    for number in range(count):
        least = min_dims if number == 0 else 0
        skipped = draw(st.integers(0, len(result) - least))
        ones = draw(st.lists(st.booleans(), min_size=len(result), max_size=len(result)))
        found.append(
            tuple(1 if one else n for n, one in zip(result, ones, strict=True))[skipped:]
            if draw(st.booleans())
            else result
        )
    return found


# --- values --------------------------------------------------------------------------------------


def edges(dtype: str, nan: bool = True, infinite: bool = True) -> list[Any]:
    """The numbers of a dtype at which functions change their minds."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return [False, True]
    if kind in "iu":
        limits = np.iinfo(dtype)
        return sorted({0, 1, 2, 3, limits.max, limits.min, *([] if kind == "u" else [-1, -2])})
    limits = np.finfo(dtype)
    small, large = float(limits.smallest_subnormal), float(limits.max)
    plain = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, -2.0, 2.5, 3.0, 10.0, -20.0]
    tiny = [small, -small, float(limits.tiny), float(limits.eps)]
    return [
        *plain,
        *tiny,
        *([large, -large, math.inf, -math.inf] if infinite else []),
        *([math.nan] if nan else []),
    ]


def elements(dtype: str, nan: bool = True, infinite: bool = True) -> st.SearchStrategy[Any]:
    """Edge values half of the time, else small numbers that a dtype holds exactly."""
    if dtype == "bool":
        return st.booleans()
    low = 0 if dtype == "uint8" else -40
    small = st.integers(low, 40)
    if dtype in FLOATS:
        small = small.map(lambda n: n / 8)
    return st.one_of(st.sampled_from(edges(dtype, nan, infinite)), small)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Any,
    dtype: str = "float64",
    nan: bool = True,
    infinite: bool = True,
) -> np.ndarray:
    """An array of a shape (or of a shape that a strategy draws) with edge values."""
    if isinstance(shape, st.SearchStrategy):
        shape = draw(shape)
    return draw(hnp.arrays(dtype, shape, elements=elements(dtype, nan, infinite)))


POOL = np.arange(-767, 768, 2) / 256  # odd multiples of 1/256: no integers, no halves, no zero


@st.composite
def generic(draw: st.DrawFn, *wanted: Shape) -> list[np.ndarray]:
    """One float64 array per shape, in (-3, 3), all of whose elements differ from each other."""
    total = sum(math.prod(s) for s in wanted)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    numbers = rng.choice(POOL, total, replace=total > len(POOL))
    parts = np.split(numbers, np.cumsum([math.prod(s) for s in wanted])[:-1])
    return [part.reshape(s) for part, s in zip(parts, wanted, strict=True)]


def integers_below(shape: Shape, limit: int, distinct: bool = False) -> st.SearchStrategy[Any]:
    """int64 arrays of valid indices; `distinct`: no index twice along the last dimension."""
    if distinct and shape:
        row = st.permutations(range(limit)).map(lambda p: p[: shape[-1]])
        count = math.prod(shape[:-1])
        rows = st.lists(row, min_size=count, max_size=count)
        return rows.map(lambda r: np.array(r, np.int64).reshape(shape))
    return hnp.arrays(np.int64, shape, elements=st.integers(0, max(limit - 1, 0)))


# --- layout in memory ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """A tensor of a wanted shape as a view of a contiguous one of shape `base`."""

    base: Shape
    text: str = ""  # what to write behind the base


@st.composite
def layouts(draw: st.DrawFn, shape: Shape, overlapping: bool = True) -> Layout:
    """How a tensor of `shape` may lie in memory. `overlapping`: also expanded ones."""
    options = [Layout(shape)]
    if len(shape) > 1:
        i, j = draw(st.permutations(range(len(shape))))[:2]
        swapped = list(shape)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        options.append(Layout(tuple(swapped), f".transpose({i}, {j})"))
    if shape and shape[0]:
        options.append(Layout((2 * shape[0], *shape[1:]), "[::2]"))
        options.append(Layout((shape[0] + 1, *shape[1:]), "[1:]"))
        if overlapping:
            options.append(Layout((1, *shape[1:]), f".expand({shape})"))
    return draw(st.sampled_from(options))


# --- arguments -----------------------------------------------------------------------------------


def dims(ndim: int) -> st.SearchStrategy[int]:
    """A dimension, counted from the front or from the back; 0 and -1 exist for 0-d tensors."""
    return st.integers(-max(ndim, 1), max(ndim, 1) - 1)


@st.composite
def several_dims(draw: st.DrawFn, ndim: int, min_size: int = 1) -> tuple[int, ...]:
    """Some dimensions, each once, in any order; none of a 0-d tensor."""
    if not ndim:
        return ()
    chosen = draw(st.lists(st.integers(0, ndim - 1), min_size=min_size, unique=True))
    return tuple(d - ndim if draw(st.booleans()) else d for d in chosen)


@st.composite
def indices(draw: st.DrawFn, shape: Shape, advanced: bool = True) -> str:
    """What may stand between the brackets of `x[...]`, for a tensor of `shape`.

    `advanced`: also lists of numbers and masks, whose results are copies."""
    left, items = list(shape), []
    if draw(st.integers(0, 4)) == 0:
        items.append("None")
    count = draw(st.integers(0, len(left)))
    gathers = ("list", "mask") if advanced else ()
    for size in left[:count]:
        items.append(draw(_index_item(size, gathers)))
        if items[-1][0] in "[t":  # what a mask selects need not broadcast with another list
            gathers = ("list",) if items[-1][0] == "[" else ()
    if not items or (count < len(left) and draw(st.booleans())):
        items.append("...")
    return ", ".join(items)


@st.composite
def _index_item(draw: st.DrawFn, size: int, gathers: Sequence[str]) -> str:
    kinds = ["slice", "slice", "all", *(["number", *gathers] if size else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "all":
        return ":"
    if kind == "number":
        return str(draw(st.integers(-size, size - 1)))
    if kind == "list":
        chosen = draw(st.lists(st.integers(-size, size - 1), min_size=2, max_size=2))
        return str(chosen)
    if kind == "mask":
        return f"torch.tensor({draw(st.lists(st.booleans(), min_size=size, max_size=size))})"
    start = draw(st.none() | st.integers(-size, size))
    stop = draw(st.none() | st.integers(-size, size))
    step = draw(st.sampled_from([None, 1, 2, 3]))
    text = f"{'' if start is None else start}:{'' if stop is None else stop}"
    return text if step is None else f"{text}:{step}"


# --- source text ---------------------------------------------------------------------------------


def literal(array: np.ndarray, library: str = "torch") -> str:
    """Source that makes a tensor of an array's values."""
    dtype = f"dtype={library}.{array.dtype}"
    if not array.size:
        return f"{library}.zeros({array.shape}, {dtype})"
    return f"{library}.tensor({array.tolist()}, {dtype})"


@st.composite
def tensors(
    draw: st.DrawFn,
    array: Any,
    requires_grad: bool = True,
    overlapping: bool = True,
    plain: bool = False,
) -> str:
    """Source that makes a tensor with the values of `array` (or of one that a strategy draws), in
    some layout (unless `plain`); a leaf that requires a gradient if it can. An expanded tensor
    repeats the first row."""
    if isinstance(array, st.SearchStrategy):
        array = draw(array)
    grad = requires_grad and array.dtype.kind == "f"
    layout = Layout(array.shape) if plain else draw(layouts(array.shape, overlapping))
    if not layout.text:
        return literal(array)[:-1] + (", requires_grad=True)" if grad else ")")
    text = literal(_base(array, layout)) + layout.text
    return text + (".detach().requires_grad_()" if grad else "")


def _base(array: np.ndarray, layout: Layout) -> np.ndarray:
    """The contiguous array of which `array` is a view."""
    if layout.text.startswith(".transpose"):
        return array.swapaxes(*map(int, layout.text[11:-1].split(", ")))
    base = np.zeros(layout.base, array.dtype)
    if layout.text == "[::2]":
        base[::2] = array
    elif layout.text == "[1:]":
        base[1:] = array
    else:
        base[:] = array[:1]
    return base


HEADER = """\
import torch
import torch.nn.functional as F
from math import inf, nan
"""


@dataclass
class Program:
    """Lines of source that see `torch`, `F`, `inf` and `nan`.

    `str(program)` is a script for `python -m parity run`."""

    lines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "# python -m parity run FILE\n" + HEADER + "\n".join(self.lines) + "\n"

    def run(self, library: Any, lines: Sequence[str] | None = None, **names: Any) -> dict[str, Any]:
        """The names that the program has set, run with `library` as its `torch`."""
        scope = {"torch": library, "F": library.nn.functional, "inf": math.inf, "nan": math.nan}
        scope |= copy.copy(names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec("\n".join(self.lines if lines is None else lines), scope)
        return scope
