"""How to call each op: a line of source per op, with what its arguments may be.

    "torch.sum(x, {dims}, keepdim={True|False})"

`x y z w` are float tensors that require a gradient, `c d` constants; what stands in braces is
drawn:

    {1|2|0.5}           one of these texts
    {dim} {dims} {pair} a dimension of `x`; a tuple of some; two different ones
    {shape} {index}     the shape of `x`; what may stand between brackets after `x`
    {n}                 the size of that name

Behind the line, the shape of each tensor: names of sizes and numbers (`x="n m 3"`), `*` for any
shape (all of them broadcast), `=` for the shape of `x`; after a colon what the values are:

    :positive :unit :above :small      floats in (0, 6), (0, 1), (3, 9), (-1, 1)
    :away                              in (-2.5, -1) and (1, 2.5)
    :bool  :<n  :<n distinct           masks; indices below a size (no index twice)

Without a shape a tensor is `*`. Rows of the table that are public functions of one or two tensors
need no line: see `default_calls`. The lines are in `op_lines.py`. A new op with a gradient that no line reaches fails
`test_every_row_is_called`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from strategies import (
    Program,
    Shape,
    arrays,
    broadcastable,
    dims,
    generic,
    indices,
    integers_below,
    several_dims,
    tensors,
)  # fmt: skip

import minigrad
from minigrad.autograd.row import Row

NAMES = "xyzwcd"


@dataclass(frozen=True)
class Call:
    """A template, the specifications of its tensors, and what may be asked of it."""

    template: str
    specs: dict[str, str] = field(default_factory=dict)
    derivatives: int = 2  # how many times the result can be differentiated
    edges: bool = True  # whether infinities, nan and the largest numbers are meaningful
    nan: bool = True  # whether nan is: its slope may depend on where in a vector an element is
    ties: bool = True  # whether equal elements are
    slopes: bool = True  # whether its gradient is meant to be the derivative
    graph: bool = True  # whether its nodes are PyTorch's
    floats: bool = False  # whether it is for floating-point tensors only
    plain: bool = False  # whether it asks for tensors that lie whole in memory
    ulps: int = 4  # how far values may be from PyTorch's, in units of the largest
    unit: float = 0.0  # of at least this number: the size of terms that cancel at edge values

    def __str__(self) -> str:
        return self.template

    @property
    def names(self) -> list[str]:
        text = re.sub(r"\{[^}]*\}|'[^']*'|\w+=", "", self.template)
        return [n for n in NAMES if re.search(rf"(?<![\w.]){n}\b", text)]

    @property
    def any_shape(self) -> bool:
        """Whether all its tensors may have any shape, as elementwise functions' and sums'."""
        return all(self.specs.get(n, "*").partition(":")[0] in "*=" for n in self.names)


def call(template: str, **options: Any) -> Call:
    specs = {n: options.pop(n) for n in NAMES if n in options}
    return Call(template, specs, **options)


# --- drawing -------------------------------------------------------------------------------------


@dataclass
class Drawn:
    """A program whose last line is the call; the rest makes its tensors."""

    program: Program
    leaves: list[str]
    arrays: dict[str, np.ndarray]

    @property
    def is_plain(self) -> bool:
        """Whether all tensors lie whole and in order in memory."""
        return all(re.search(r"\)[.\[]", line) is None for line in self.program.lines[:-1])


@st.composite
def calls(draw: st.DrawFn, call: Call, kind: str = "generic", dtype: str = "float64") -> Drawn:
    """A call with valid arguments. kind: "generic" (all numbers differ, no kinks nearby, plain
    layouts), "ties" (small whole numbers), or "edges"."""
    sizes: dict[str, int] = {}
    found = _draw_shapes(draw, call, sizes, empty=kind != "generic")
    values = _draw_values(draw, call, found, sizes, kind, dtype)
    lines, leaves = [], []
    for name, array in values.items():
        grad = array.dtype.kind == "f" and name not in "cd"
        overlapping = kind != "generic" and name not in "cd"
        text = draw(tensors(array, grad, overlapping, call.plain))
        lines.append(f"{name} = {text}")
        leaves += [name] if grad else []
    line = _fill(draw, call.template, found.get("x", ()), sizes)
    return Drawn(Program([*lines, f"r = {line}"]), leaves, values)


def _draw_shapes(
    draw: st.DrawFn, call: Call, sizes: dict[str, int], empty: bool
) -> dict[str, Shape]:
    free = [n for n in call.names if _shape_spec(call, n) == "*"]
    needs_dim = re.search(r"\{dims?2?\}", call.template) is not None
    found = dict(
        zip(free, draw(broadcastable(len(free), int(needs_dim), empty=empty)), strict=True)
        if free
        else []
    )
    for name in call.names:
        spec = _shape_spec(call, name)
        if spec == "=":
            found[name] = found["x"]
        elif spec != "*":
            found[name] = tuple(_size(draw, word, sizes) for word in spec.split())
    return {name: found[name] for name in call.names}


def _shape_spec(call: Call, name: str) -> str:
    return call.specs.get(name, "*").partition(":")[0].strip()


def _size(draw: st.DrawFn, word: str, sizes: dict[str, int]) -> int:
    if word.isdigit():
        return int(word)
    if word not in sizes:
        sizes[word] = draw(st.integers(1, 4))
    return sizes[word]


def _draw_values(
    draw: st.DrawFn, call: Call, found: dict[str, Shape], sizes: dict[str, int], kind: str,
    dtype: str,
) -> dict[str, np.ndarray]:  # fmt: skip
    spread = dict(zip(found, draw(generic(*found.values())), strict=True))
    values = {}
    for name, shape in found.items():
        domain = call.specs.get(name, "").partition(":")[2].strip()
        if domain == "bool":
            values[name] = draw(arrays(shape, "bool"))
        elif domain.startswith("<"):
            limit, *distinct = domain[1:].split()
            bound = int(limit) if limit.isdigit() else sizes[limit]
            values[name] = draw(integers_below(shape, bound, bool(distinct)))
        elif kind == "generic":
            values[name] = _moved(spread[name], domain).astype(dtype)
        elif kind == "ties":
            whole = np.round(spread[name]) if dtype != "uint8" else np.abs(np.round(spread[name]))
            values[name] = (np.abs(whole) + 1 if domain else whole).astype(dtype)
        else:
            values[name] = draw(arrays(shape, dtype, call.nan))
    return values


def _moved(array: np.ndarray, domain: str) -> np.ndarray:
    """Numbers from (-3, 3) moved to where a function is smooth."""
    maps = {
        "": lambda a: a,
        "positive": lambda a: a + 3,
        "unit": lambda a: a / 8 + 0.5,
        "above": lambda a: a + 6,
        "small": lambda a: a / 4,
        "away": lambda a: a / 2 + np.sign(a),
    }
    return np.asarray(maps[domain](array))


def fill(
    draw: st.DrawFn, call: Call, shape: Shape, sizes: dict[str, int], renamed: dict[str, str]
) -> str:
    """The line of a call, with what its braces stand for, on tensors with other names."""
    line = _fill(draw, call.template, shape, sizes)
    for name in call.names:
        line = re.sub(rf"(?<![\w.']){name}\b(?!\w*=)", f"<{renamed[name]}>", line)
    return line.replace("<", "").replace(">", "")


def _fill(draw: st.DrawFn, template: str, shape: Shape, sizes: dict[str, int]) -> str:
    def chosen(match: re.Match[str]) -> str:
        word = match[1]
        if word in ("dim", "dim2"):
            return str(draw(dims(len(shape))))
        if word == "pair":
            return ", ".join(map(str, draw(st.permutations(range(len(shape))))[:2]))
        if word == "dims":
            return str(draw(several_dims(len(shape))))
        if word == "index":
            return draw(indices(shape, advanced=True))
        if word == "shape":
            return str(shape)
        if word in sizes:
            return str(sizes[word])
        return draw(st.sampled_from(word.split("|")))

    return re.sub(r"\{([^{}]*)\}", chosen, template)


# --- the table -----------------------------------------------------------------------------------


def rows() -> dict[str, Any]:
    """All ops of the table, by module and name."""
    package = importlib.import_module("minigrad.ops")
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"minigrad.ops.{info.name}")
        for name, value in vars(module).items():
            row = getattr(value, "row", None)
            if isinstance(row, Row) and id(row) not in seen:
                seen.add(id(row))
                found[f"{info.name}.{name}"] = value
    return found


def default_calls(special: list[Call]) -> list[Call]:
    """Public ops of the table whose arguments are one or two tensors: nothing else to know."""
    found = []
    written = " ".join(c.template for c in special)
    for path, op in rows().items():
        name = path.partition(".")[2]
        parameters = list(op.row.parameters)
        where = _public_place(name, op)
        if where and parameters in (["input"], ["input", "other"], ["input", "end"]):
            if not re.search(rf"torch\.(\w+\.)?{name}\(", written):
                arguments = ", ".join("xy"[: len(parameters)])
                order = 2 if op.row.formulas and "NotImplemented" not in op.row.name else 0
                found.append(Call(f"{where}.{name}({arguments})", derivatives=order))
    return found


def _public_place(name: str, op: Any) -> str:
    """Where both libraries have the op: "torch" or "torch.special"."""
    if getattr(minigrad, name, None) is op and hasattr(torch, name):
        return "torch"
    special = getattr(minigrad.special, name, None) is op and hasattr(torch.special, name)
    return "torch.special" if special else ""
