"""What a node keeps, and what it computes: worked out once for each row and each combination of
inputs that need a gradient.

`x * W` with a constant `x` needs one of the two formulas of `mul`, and that one names `input`: so
`x` is saved, and `W` is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .node import Node, Saved, save

if TYPE_CHECKING:
    from .row import Row

Picker = Callable[[list[Any]], Any]
LISTS = ("indices", "tensors")  # arguments that are lists of Tensors, and None between them
CONTEXT = ["xp", "grads", "needs"]  # what a formula may name beside `grad` and values of the call


class Plan:
    """What a row keeps and computes when just these of its inputs need a gradient."""

    __slots__ = ("formulas", "needs", "saved_names", "saves", "uses_context", "variadic")

    def __init__(self, row: Row, bits: int, count: int) -> None:
        self.variadic = row.variadic
        self.needs = needs = tuple(bool(bits >> i & 1) for i in range(count))
        active = [(i, *row.formulas[i]) for i in row.order if row.variadic or needs[i]]
        named = list(dict.fromkeys(n for _, _, names in active for n in names))
        kept = [n for n in named if n not in ("grad", *CONTEXT)]
        kept.sort(key=LISTS.__contains__)  # a list of Tensors, which are saved one by one: the last
        slots = [*kept, "grad", *CONTEXT]
        self.saved_names = tuple(kept)
        self.saves = tuple(_source(row.parameters, n) for n in kept)
        self.uses_context = any(n in CONTEXT for n in named)
        self.formulas = tuple(
            (i, formula, None if names == ("grad",) else _picker([slots.index(n) for n in names]))
            for i, formula, names in active
        )

    def save(self, args: Sequence[Any], results: Sequence[Any]) -> list[Saved]:
        """The values of one call that the formulas will need."""
        saved: list[Saved] = []
        for kind, i in self.saves:
            if kind == "value":
                saved.append(save(args[i]))
            elif kind == "shape":
                saved.append((args[i]._array.shape, None))
            elif kind == "result":
                saved.append(save(results[i]._as_saved_output(i)))
            elif kind == "list":
                saved += map(save, args[i])
            elif kind == "shapes":
                saved.append(([t._array.shape for t in args[i]], None))
            else:
                saved.append((_is_column_major(args[i]._array), None))
        return saved


def _source(parameters: Sequence[str], name: str) -> tuple[str, int]:
    """Where the value comes from that a formula calls `name`: how, and from which argument."""
    if name.startswith("result"):
        return "result", int(name.removeprefix("result") or 0)
    for kind in ("shape", "column_major"):
        if name.endswith("_" + kind):
            of = name.removesuffix("_" + kind)
            return "shapes" if of in LISTS else kind, parameters.index(of)
    return "list" if name in LISTS else "value", parameters.index(name)


def _picker(positions: list[int]) -> Picker:
    """From the list of all values, the arguments of one formula."""
    if len(positions) == 1:
        return itemgetter(slice(positions[0], positions[0] + 1))
    return itemgetter(*positions)


def _is_column_major(matrix: Any) -> bool:
    """Whether the columns of a matrix are what lies in one piece in memory."""
    rows, columns = matrix.strides
    return rows == matrix.itemsize and columns == rows * matrix.shape[0]  # type: ignore[no-any-return]


class ListNode(Node):
    """A node whose last saved value may be a list of Tensors, which are saved one by one."""

    __slots__ = ()

    def unpack(self, as_tensors: bool) -> list[Any]:
        values = super().unpack(as_tensors)
        names = self.plan.saved_names
        start = len(names) - 1
        return [*values[:start], values[start:]] if names and names[-1] in LISTS else values
