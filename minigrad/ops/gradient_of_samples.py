"""`gradient`: derivatives of a function that is known at sample points, by central differences.

Inside, the parabola through three neighbours is differentiated; at the ends a line through two
points (`edge_order` 1) or the parabola through three (2), as in NumPy's function of this name.
"""

from __future__ import annotations

from typing import Any

from ..autograd import node as graph
from ..promotion import NUMBERS, check_tensors
from .dims import wrap_dim
from .indexing import narrow
from .pieces import cat
from .shape import reshape

Tensor = Any


def gradient(
    input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """One Tensor for each dimension (of `dim`): the derivative along it, in the shape of `input`.

    spacing: the distance of the samples, or one for each dimension; or Tensors of coordinates.
    Raises RuntimeError if there are not more than `edge_order` samples."""
    check_tensors("gradient", input=input)
    dims = _dims(input, dim)
    spacings = _spacings(1 if spacing is None else spacing, len(dims))
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for at, step in zip(dims, spacings, strict=True):
        size = input._array.shape[at]
        if size < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least "
                               "edge_order+1")  # fmt: skip
        if isinstance(step, graph.Tensor) and step._array.shape != (size,):
            raise RuntimeError(
                f"torch.gradient expected each element of spacing to have as many elements as the "
                f"dimension it is for, {size}, but got {list(step._array.shape)}"
            )
    return tuple(_along(input, at, s, edge_order) for at, s in zip(dims, spacings, strict=True))


def _dims(input: Tensor, dim: Any) -> list[int]:
    ndim = input._array.ndim
    given = list(range(ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    dims = [wrap_dim(d, ndim) for d in given]
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"dim {dims[0]} appears multiple times in the list of dims")
    return dims


def _spacings(spacing: Any, count: int) -> list[Any]:
    if isinstance(spacing, NUMBERS):
        return [spacing] * count
    given = list(spacing)
    if len(given) != count:
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"{count}, but got a list of length {len(given)}"
        )
    return given


def _along(input: Tensor, dim: int, spacing: Any, edge_order: int) -> Tensor:
    count = input._array.shape[dim]

    def part(start: int, length: int) -> Tensor:
        return narrow(input, dim, start, length)

    if isinstance(spacing, graph.Tensor):
        steps = narrow(spacing, 0, 1, count - 1) - narrow(spacing, 0, 0, count - 1)
        first, last = (narrow(steps, 0, i, 1) for i in (0, count - 2))
    else:
        steps, first, last = None, spacing, spacing
    begin = (part(1, 1) - part(0, 1)) / first
    end = (part(count - 1, 1) - part(count - 2, 1)) / last
    if edge_order == 2:
        steps_of = [spacing] * 4 if steps is None else [
            narrow(steps, 0, i, 1) for i in (0, 1, count - 3, count - 2)
        ]  # fmt: skip
        begin = _parabola(*(part(i, 1) for i in (0, 1, 2)), *steps_of[:2])
        end = -_parabola(*(part(count - 1 - i, 1) for i in (0, 1, 2)), *steps_of[:1:-1])
    if count == 2:
        return cat([begin, end], dim)
    return cat([begin, _inside(part, count, steps, spacing, input._array.ndim - dim - 1), end], dim)


def _inside(part: Any, count: int, steps: Any, spacing: Any, behind: int) -> Tensor:
    """The derivatives at all points but the ends; `behind`: how many dimensions follow."""
    before, after = part(0, count - 2), part(2, count - 2)
    if steps is None:
        return (after - before) / (spacing * 2)
    shape = (count - 2, *(1,) * behind)
    left, right = (reshape(narrow(steps, 0, i, count - 2), shape) for i in (0, 1))
    both = left + right
    middle = part(1, count - 2) * ((right - left) / (left * right))
    return before * (-right / (left * both)) + middle + after * (left / (right * both))


def _parabola(y0: Tensor, y1: Tensor, y2: Tensor, h1: Any, h2: Any) -> Tensor:
    """The slope at the first of three points h1 and h2 apart."""
    both = h1 + h2
    return y0 * (-(h1 + both) / (h1 * both)) + y1 * (both / (h1 * h2)) + y2 * (-h1 / (h2 * both))
