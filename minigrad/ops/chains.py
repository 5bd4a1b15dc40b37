"""Chains of matrix products, in the order that costs least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.out import into
from .linalg import CPP_NAMES, mm
from .shape import clone, unsqueeze, view

Array = Any
Tensor = Any


def linalg_multi_dot(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """The product of a chain of matrices in the order that costs least; the first and the last may
    be vectors. Dynamic programming: Cormen et al., Introduction to Algorithms, chapter 15.2."""
    if out is not None:
        return into(out, linalg_multi_dot, tensors, exact=True)
    shapes = _check_chain(list(tensors))
    out_shape = tuple(shapes[0][:-1]) + tuple(shapes[-1][1:])
    chain = list(tensors)
    chain[0] = unsqueeze(chain[0], 0) if len(shapes[0]) == 1 else chain[0]
    chain[-1] = unsqueeze(chain[-1], 1) if len(shapes[-1]) == 1 else chain[-1]
    _check_fit(chain, shapes)
    if len(chain) == 2:
        return view(mm(*chain), out_shape)
    sizes = [t._array.shape[0] for t in chain] + [chain[-1]._array.shape[1]]
    return view(_multiplied(chain, _cuts(sizes)), out_shape)


def _check_chain(tensors: list[Any]) -> list[tuple[int, ...]]:
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    shapes = [t._array.shape for t in tensors]
    for name, shape in (("first", shapes[0]), ("last", shapes[-1])):
        if len(shape) not in (1, 2):
            raise RuntimeError(
                f"multi_dot(): the {name} tensor must be 1D or 2D but got {len(shape)}D"
            )
    for i, shape in enumerate(shapes[1:-1], 1):
        if len(shape) != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {len(shape)}D")
    kinds = [CPP_NAMES[t._array.dtype.name] for t in tensors]
    for i, kind in enumerate(kinds):
        if kind != kinds[0]:
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{kinds[0]} and tensor {i} {kind}"
            )
    return shapes


def _check_fit(chain: list[Tensor], shapes: list[tuple[int, ...]]) -> None:
    for i in range(len(chain) - 1):
        if chain[i]._array.shape[-1] != chain[i + 1]._array.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(shapes[i])} and "
                f"{list(shapes[i + 1])} cannot be multiplied"
            )


def _cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """For each part of a chain, after which of its matrices it is best cut in two."""
    n = len(sizes) - 1
    costs = {(i, i): 0 for i in range(n)}
    cuts = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = {
                k: costs[i, k] + costs[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            order = reversed(options) if n == 3 else options  # which of two equals PyTorch takes
            cuts[i, j] = min(order, key=options.__getitem__)
            costs[i, j] = options[cuts[i, j]]
    return cuts


def _multiplied(chain: list[Tensor], cuts: dict[tuple[int, int], int]) -> Tensor:
    """The parts of the chain multiplied, each after its own two parts."""
    products = {(i, i): matrix for i, matrix in enumerate(chain)}
    todo = [(0, len(chain) - 1)]
    while todo:
        i, j = todo[-1]
        parts = [(i, cuts[i, j]), (cuts[i, j] + 1, j)]
        missing = [p for p in reversed(parts) if p not in products]
        if missing:
            todo += missing
        else:
            products[todo.pop()] = mm(products[parts[0]], products[parts[1]])
    return products[0, len(chain) - 1]


def chain_matmul(*matrices: Any) -> Tensor:
    """The product of matrices, in the order that costs least."""
    chain = (
        list(matrices[0])
        if len(matrices) == 1 and isinstance(matrices[0], (list, tuple))
        else list(matrices)
    )
    for matrix in chain:
        if matrix._array.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {matrix._array.ndim}, expected 2 instead.")
    return clone(chain[0]) if len(chain) == 1 else linalg_multi_dot(chain)
