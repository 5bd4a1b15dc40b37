"""Triangular systems, and what is done with a Cholesky factor once one has it.

NumPy has no triangular solver; here it is a loop over the rows of a whole batch. The
formulas are those of Giles (2008), "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation". Matrices are the last two dimensions; those before are a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either
from .. import return_types as results
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import broadcast_error, check_tensors
from .linalg_checks import check_matrices, check_square
from .recorded import on
from .solving import by_columns

Array = Any
Tensor = Any


# --- triangular systems --------------------------------------------------------------------------


def substitute(A: Array, B: Array, upper: bool, unit: bool) -> Array:
    """X with `A X = B`, of which only the triangle of A is read (a diagonal of ones if `unit`)."""
    n = A.shape[-1]
    batch = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    X = np.broadcast_to(B, (*batch, *B.shape[-2:])).copy()
    with np.errstate(all="ignore"):
        for i in reversed(range(n)) if upper else range(n):
            known = slice(i + 1, n) if upper else slice(0, i)
            row = X[..., i, :] - (A[..., i, None, known] @ X[..., known, :])[..., 0, :]
            X[..., i, :] = row if unit else row / A[..., i, i, None]
    return X


def _gradient_of_a(
    grad: Any, A: Any, result: Any, upper: bool, left: bool, unit: bool, xp: Any
) -> Any:
    of_b = on(solve_triangular, xp)(A.mT, grad, not upper, left, unit)
    product = of_b @ result.mT if left else result.mT @ of_b
    return -xp.triu(product, int(unit)) if upper else -xp.tril(product, -int(unit))


def _gradient_of_b(grad: Any, A: Any, upper: bool, left: bool, unit: bool, xp: Any) -> Any:
    return on(solve_triangular, xp)(A.mT, grad, not upper, left, unit)


@op(
    "LinalgSolveTriangularBackward0",
    A=_gradient_of_a,
    B=_gradient_of_b,
)
def solve_triangular(A: Array, B: Array, upper: bool, left: bool, unit: bool) -> Array:
    """X with `A X = B` or `X A = B`, as an op."""
    return by_columns(
        substitute(A, B, upper, unit) if left else substitute(A.mT, B.mT, not upper, unit).mT
    )


def linalg_solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """X with `A X = B` (`X A = B` if not `left`); only the upper or lower triangle of A is read."""
    if out is not None:
        return into(
            out, linalg_solve_triangular, A, B, upper=upper, left=left,
            unitriangular=unitriangular, exact=True,
        )  # fmt: skip
    check_system("linalg.solve_triangular", A, B, left)
    return solve_triangular(A, B, upper, left, unitriangular)


def check_system(name: str, A: Any, B: Any, left: bool = True) -> None:
    """Square A, matrices B of as many rows (columns if not `left`), batches that broadcast."""
    check_tensors(name.replace(".", "_"), A=A, B=B)
    a, b = A._array, B._array
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type "
            f"{scalar_name(a.dtype)} and B of type {scalar_name(b.dtype)} instead"
        )
    check_matrices(name, B, "B")
    check_square(name, A)
    rows, columns = b.shape[-2:]
    if (rows if left else columns) != a.shape[-1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} "
            f"({a.shape[-2]}x{a.shape[-1]} and {rows}x{columns})"
        )
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise broadcast_error([np.empty(s.shape[:-2]) for s in (a, b)]) from None


def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False,
    unitriangular: bool = False, *, out: Any = None,
) -> Any:  # fmt: skip
    """(solution, a copy of A): the older form of `linalg.solve_triangular`."""
    if out is not None:
        return into(out, triangular_solve, input, A, upper, transpose, unitriangular, exact=True)
    check_tensors("triangular_solve", input=input, A=A)
    if input._array.ndim < 2 or A._array.ndim < 2:
        which, bad = ("b", input) if input._array.ndim < 2 else ("A", A)
        raise RuntimeError(
            f"torch.triangular_solve: Expected {which} to have at least 2 dimensions, but it has "
            f"{bad._array.ndim} dimensions instead"
        )
    check_system("triangular_solve", A, input)
    matrix = A.mT if transpose else A
    solution = solve_triangular(matrix, input, upper != transpose, True, unitriangular)
    batch = solution._array.shape[:-2]
    return results.triangular_solve(solution, A.expand(*batch, *A._array.shape[-2:]).clone())


# --- with a Cholesky factor ----------------------------------------------------------------------


def _of_factor(common: Any, L: Any, upper: bool) -> Any:
    common = common + common.mT
    return -(L @ common) if upper else -(common @ L)


def _cholesky_of_b(grad: Any, L: Any, upper: bool, xp: Any) -> Any:
    return on(_cholesky_solve, xp)(grad, L, upper)


def _cholesky_of_l(grad: Any, L: Any, result: Any, upper: bool, xp: Any) -> Any:
    return _of_factor(on(_cholesky_solve, xp)(grad, L, upper) @ result.mT, L, upper)


@op("CholeskySolveBackward0", input=_cholesky_of_b, L=_cholesky_of_l)
def _cholesky_solve(input: Array, L: Array, upper: bool) -> Array:
    lower = L.mT if upper else L
    return by_columns(substitute(lower.mT, substitute(lower, input, False, False), True, False))


def cholesky_solve(input: Tensor, L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """X with `A X = input`, where `A = L L^T` (`upper`: `L^T L`)."""
    if out is not None:
        return into(out, cholesky_solve, input, L, upper)
    check_tensors("cholesky_solve", input=input, L=L)
    for name, tensor in (("b", input), ("u", L)):
        if tensor._array.ndim < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {tensor._array.ndim} "
                "dimensions instead"
            )
    check_system("cholesky_solve", L, input)
    return _cholesky_solve(input, L, upper)


@op(
    "CholeskyInverseBackward0",
    L=lambda grad, L, result, upper: _of_factor(result @ grad @ result, L, upper),
)
def _cholesky_inverse(L: Array, upper: bool) -> Array:
    return _cholesky_solve.forward(either.eye(L.shape[-1], L.shape[-1], L.dtype, L), L, upper)


def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The inverse of `A = L L^T` (`upper`: `L^T L`)."""
    if out is not None:
        return into(out, cholesky_inverse, L, upper)
    check_square("cholesky_inverse", L)
    return _cholesky_inverse(L, upper)
