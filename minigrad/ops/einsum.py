"""`einsum`: sums of products, written with a letter for each dimension.

    "ij,jk->ik"   the product of two matrices
    "bij->bji"    a batch of matrices transposed
    "ii"          the trace; "...ii->...i" the diagonals of a batch

Every operand gets all dimensions of the result, then those that are summed over, with a size of 1
where it lacks one; after that the operands are multiplied from left to right. Each product that
sums is one batched matrix product. All steps are other ops, so gradients follow by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import promotion
from ..autograd import node as graph
from .arithmetic import mul
from .diagonals import diagonal
from .linalg import bmm
from .reduction import sum as sum_
from .shape import permute, reshape, unsqueeze, view

Tensor = Any
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ELLIPSIS = "..."
Labels = list[str]  # of one operand: letters, and at most one ELLIPSIS


def einsum(*args: Any) -> Tensor:
    """`einsum(equation, *operands)`, or `einsum(op1, sublist1, op2, sublist2, ..., [sublist_out])`
    with lists of whole numbers (and Ellipsis) for letters.

    Without "->" the result has the dimensions of the ellipsis, then the letters that occur once, in
    alphabetical order (capitals first)."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    equation, operands = _from_sublists(args) if _is_tensor(args[0]) else (args[0], args[1:])
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    promotion.check_tensors("einsum", **{f"operands[{i}]": o for i, o in enumerate(operands)})
    if not isinstance(equation, str):
        kind = type(equation).__name__
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {kind}")
    inputs, output = _parsed(equation, list(operands))
    return _evaluated(list(operands), inputs, output)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, graph.Tensor)


def _from_sublists(args: Sequence[Any]) -> tuple[str, list[Tensor]]:
    pairs, rest = args[: len(args) // 2 * 2], args[len(args) // 2 * 2 :]
    equation = ",".join(_letters(labels) for labels in pairs[1::2])
    return equation + "".join("->" + _letters(labels) for labels in rest), list(pairs[::2])


def _letters(labels: Sequence[Any]) -> str:
    found = []
    for label in labels:
        if label is not Ellipsis and not 0 <= label < len(LETTERS):
            raise ValueError(
                "einsum(): subscript in subscript list is not within the valid range [0, 52)"
            )
        found.append(ELLIPSIS if label is Ellipsis else LETTERS[label])
    return "".join(found)


# --- reading the equation ------------------------------------------------------------------------


def _parsed(equation: str, operands: list[Tensor]) -> tuple[list[Labels], Labels]:
    left, arrow, right = equation.partition("->")
    inputs = [_labels(part, f"operand {i}", left) for i, part in enumerate(left.split(","))]
    if len(inputs) != len(operands):
        fewer = "fewer" if len(operands) < len(inputs) else "more"
        raise RuntimeError(
            f"einsum(): {fewer} operands were provided than specified in the equation"
        )
    for i, (labels, operand) in enumerate(zip(inputs, operands, strict=True)):
        _check_count(i, labels, operand._array.ndim)
    if arrow:
        return inputs, _checked_output(_labels(right, "the output", equation), inputs)
    flat = [label for labels in inputs for label in labels]
    once = sorted(x for x in set(flat) if flat.count(x) == 1 and x != ELLIPSIS)
    return inputs, ([ELLIPSIS] if ELLIPSIS in flat else []) + once


def _labels(text: str, owner: str, whole: str) -> Labels:
    labels: Labels = []
    rest = text.replace(" ", "")
    while rest:
        if rest.startswith("."):
            if ELLIPSIS in labels:
                raise RuntimeError(
                    f"einsum(): found '.' for {owner} for which an ellipsis was already found"
                )
            if not rest.startswith(ELLIPSIS):
                raise RuntimeError(
                    f"einsum(): found '.' for {owner} that is not part of any ellipsis"
                )
        elif rest[0] not in LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {whole.index(rest[0])} in the "
                "equation string, subscripts must be in [a-zA-Z]"
            )
        label = ELLIPSIS if rest.startswith(".") else rest[0]
        labels.append(label)
        rest = rest[len(label) :]
    return labels


def _check_count(i: int, labels: Labels, ndim: int) -> None:
    if ELLIPSIS in labels:
        if len(labels) - 1 > ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(labels) - 1}) is more "
                f"than the number of dimensions ({ndim}) for operand {i}"
            )
    elif len(labels) != ndim:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(labels)}) does not match "
            f"the number of dimensions ({ndim}) for operand {i} and no ellipsis was given"
        )


def _checked_output(output: Labels, inputs: list[Labels]) -> Labels:
    known = {label for labels in inputs for label in labels}
    for label in output:
        if label != ELLIPSIS and output.count(label) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {label} appears more than once in the output"
            )
        if label != ELLIPSIS and label not in known:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any "
                "input operand"
            )
    return output


# --- computing -----------------------------------------------------------------------------------


def _evaluated(operands: list[Tensor], inputs: list[Labels], output: Labels) -> Tensor:
    pairs = list(zip(inputs, operands, strict=True))
    covered = max([o._array.ndim - len(x) + 1 for x, o in pairs if ELLIPSIS in x], default=0)
    shown = [x for label in output for x in _dims_of(label, covered)]
    ellipsis = [] if ELLIPSIS in output else _dims_of(ELLIPSIS, covered)
    used = {label for labels in inputs for label in labels} - {ELLIPSIS}
    order = [*shown, *ellipsis, *sorted(used - set(output))]
    aligned = [_aligned(i, o, x, order, covered) for i, (x, o) in enumerate(pairs)]
    counts = _check_sizes(aligned, order)
    out = _product(aligned, len(shown), counts)
    if len(order) == len(shown):
        return out
    if len(operands) > 1:  # what was to be summed has size 1 by now
        return view(out, out._array.shape[: len(shown)])
    return sum_(out, list(range(len(shown), len(order))))


def _dims_of(label: str, covered: int) -> list[str]:
    """The ellipsis stands for several dimensions."""
    return [f"...{i}" for i in range(covered)] if label == ELLIPSIS else [label]


def _aligned(i: int, operand: Tensor, labels: Labels, order: list[str], covered: int) -> Tensor:
    """`operand` with its dimensions in the common order, sizes of 1 where it has no such label, and
    the diagonal where a letter is repeated."""
    place: dict[str, int] = {}  # of each label, its dimension in `operand`
    missing = covered - (operand._array.ndim - len(labels) + 1)
    j = 0
    for label in labels:
        if label == ELLIPSIS:
            for _ in range(missing):
                operand = unsqueeze(operand, j)
            for name in _dims_of(label, covered):
                place[name], j = j, j + 1
        elif label in place:
            operand = _diagonal_of(i, operand, label, place[label], j)
        else:
            place[label], j = j, j + 1
    for label in order:
        if label not in place:
            operand = unsqueeze(operand, -1)
            place[label], j = j, j + 1
    return permute(operand, [place[label] for label in order])


def _diagonal_of(i: int, operand: Tensor, label: str, dim: int, j: int) -> Tensor:
    sizes = operand._array.shape
    if sizes[dim] != sizes[j]:
        raise RuntimeError(
            f"einsum(): subscript {label} is repeated for operand {i} but the sizes don't match, "
            f"{sizes[j]} != {sizes[dim]}"
        )
    operand = diagonal(operand, 0, dim, j)
    dims = list(range(len(sizes) - 1))
    dims.insert(dim, dims.pop())
    return permute(operand, dims)


def _check_sizes(operands: list[Tensor], order: list[str]) -> list[int]:
    """For each dimension, in how many operands its size is not 1; all those must agree."""
    counts = [0] * len(order)
    seen = [1] * len(order)
    for i, operand in enumerate(operands):
        for d, size in enumerate(operand._array.shape):
            if size == 1:
                continue
            counts[d] += 1
            if seen[d] not in (1, size):
                raise _no_broadcast(i, order[d], size, seen[d])
            seen[d] = size
    return counts


def _no_broadcast(i: int, label: str, size: int, seen: int) -> RuntimeError:
    if label.startswith(ELLIPSIS):
        return RuntimeError(
            f"einsum(): dimension {label[3:]} covered by ellipsis in operand {i}has size {size} "
            f"which does not broadcast with previously seen ellipsis with size {seen} for the "
            "respective dimension"
        )
    return RuntimeError(
        f"einsum(): subscript {label} has size {size} for operand {i} which does not broadcast "
        f"with previously seen size {seen}"
    )


def _product(operands: list[Tensor], shown: int, counts: list[int]) -> Tensor:
    """The operands multiplied from left to right; a dimension is summed over as soon as no other
    operand has it."""
    out = operands[0]
    for other in operands[1:]:
        alone: tuple[list[int], list[int]] = ([], [])
        both = []
        for d in range(shown, len(counts)):
            in_left, in_right = out._array.shape[d] != 1, other._array.shape[d] != 1
            if in_left and in_right:
                counts[d] -= 1
                if counts[d] == 1:
                    both.append(d)
                    counts[d] = 0
            elif counts[d] == 1 and (in_left or in_right):
                alone[0 if in_left else 1].append(d)
                counts[d] = 0
        out = sum_(out, alone[0], True) if alone[0] else out
        other = sum_(other, alone[1], True) if alone[1] else other
        out = _summed_product(out, other, both)
    return out


def _summed_product(left: Tensor, right: Tensor, dims: list[int]) -> Tensor:
    """`(left * right).sum(dims, keepdim=True)` as one batched matrix product."""
    a, b = left._array, right._array
    if not dims:
        return mul(left, right)
    if not a.size or not b.size:
        return sum_(mul(left, right), dims, True)
    rest = [d for d in range(a.ndim) if d not in dims]
    batch = [d for d in rest if a.shape[d] > 1 and b.shape[d] > 1]
    rows = [d for d in rest if a.shape[d] > 1 and b.shape[d] == 1]
    columns = [d for d in rest if a.shape[d] == 1]
    if rows and columns and columns[-1] < rows[0]:  # so that the product's rows come first
        return _summed_product(right, left, dims)
    count, n, m, p = (
        math.prod(s[d] for d in group)
        for s, group in ((a.shape, batch), (a.shape, rows), (a.shape, dims), (b.shape, columns))
    )
    left = reshape(permute(left, [*batch, *rows, *dims, *columns]), (count, n, m))
    right = reshape(permute(right, [*batch, *dims, *columns, *rows]), (count, m, p))
    made = [*batch, *rows, *dims, *columns]
    sizes = [1 if d in dims else (b if d in columns else a).shape[d] for d in made]
    return permute(view(bmm(left, right), sizes), [made.index(d) for d in range(a.ndim)])
