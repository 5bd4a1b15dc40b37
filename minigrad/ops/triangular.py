"""Triangular systems, and what is done with LU and Cholesky factors once one has them.

NumPy has neither triangular solvers nor LU; both are a loop over the rows of a whole batch. The
formulas are those of Giles (2008), "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation". Matrices are the last two dimensions; those before are a batch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import broadcast_error, check_tensors
from . import linalg_results as results
from .linalg_results import check_matrices, check_square, raise_first
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
            row = X[..., i, :] - (A[..., i : i + 1, known] @ X[..., known, :])[..., 0, :]
            X[..., i, :] = row if unit else row / A[..., i, i, None]
    return X


def _gradient_of_a(
    grad: Any, A: Any, result: Any, upper: bool, left: bool, unit: bool, xp: Any
) -> Any:
    of_b = on(_solve_triangular, xp)(A.mT, grad, not upper, left, unit)
    product = of_b @ result.mT if left else result.mT @ of_b
    return -xp.triu(product, int(unit)) if upper else -xp.tril(product, -int(unit))


@op(
    "LinalgSolveTriangularBackward0",
    A=_gradient_of_a,
    B=lambda grad, A, upper, left, unit, xp: on(_solve_triangular, xp)(
        A.mT, grad, not upper, left, unit
    ),
)
def _solve_triangular(A: Array, B: Array, upper: bool, left: bool, unit: bool) -> Array:
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
    _check("linalg.solve_triangular", A, B, left)
    return _solve_triangular(A, B, upper, left, unitriangular)


def _check(name: str, A: Any, B: Any, left: bool = True) -> None:
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
    _check("triangular_solve", A, input)
    matrix = A.mT if transpose else A
    solution = _solve_triangular(matrix, input, upper != transpose, True, unitriangular)
    batch = solution._array.shape[:-2]
    return results.triangular_solve(solution, A.expand(*batch, *A._array.shape[-2:]).clone())


# --- with a Cholesky factor ----------------------------------------------------------------------


def _of_factor(common: Any, L: Any, upper: bool) -> Any:
    common = common + common.mT
    return -(L @ common) if upper else -(common @ L)


@op(
    "CholeskySolveBackward0",
    input=lambda grad, L, upper, xp: on(_cholesky_solve, xp)(grad, L, upper),
    L=lambda grad, L, result, upper, xp: _of_factor(
        on(_cholesky_solve, xp)(grad, L, upper) @ result.mT, L, upper
    ),
)
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
    _check("cholesky_solve", L, input)
    return _cholesky_solve(input, L, upper)


@op(
    "CholeskyInverseBackward0",
    L=lambda grad, L, result, upper: _of_factor(result @ grad @ result, L, upper),
)
def _cholesky_inverse(L: Array, upper: bool) -> Array:
    return _cholesky_solve.forward(np.eye(L.shape[-1], dtype=L.dtype), L, upper)


def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The inverse of `A = L L^T` (`upper`: `L^T L`)."""
    if out is not None:
        return into(out, cholesky_inverse, L, upper)
    check_square("cholesky_inverse", L)
    return _cholesky_inverse(L, upper)


# --- the LU factorization ------------------------------------------------------------------------


def lu_array(A: Array, pivot: bool = True) -> tuple[Array, Array]:
    """(LU, pivots): L below the diagonal (its own is ones), U above; row i was exchanged with row
    pivots[i] (counted from 1, as LAPACK does)."""
    LU, (m, n) = A.copy(), A.shape[-2:]
    flat = LU.reshape(math.prod(A.shape[:-2]), m, n)
    batch = np.arange(len(flat))
    pivots = np.empty((len(flat), min(m, n)), np.int32)
    with np.errstate(all="ignore"):
        for k in range(min(m, n)):
            best = k + np.abs(flat[:, k:, k]).argmax(1) if pivot else np.full(len(flat), k)
            pivots[:, k] = best + 1
            top = flat[:, k].copy()
            flat[:, k] = flat[batch, best]
            flat[batch, best] = top
            divisor = flat[:, k, k, None]
            flat[:, k + 1 :, k] /= np.where(divisor == 0, 1, divisor)
            flat[:, k + 1 :, k + 1 :] -= flat[:, k + 1 :, k, None] * flat[:, k, None, k + 1 :]
    return by_columns(flat.reshape(A.shape)), pivots.reshape(*A.shape[:-2], min(m, n))


def permutation(pivots: Array, m: int, dtype: Any) -> Array:
    """The matrices P with `A = P L U`."""
    batch, k = pivots.shape[:-1], pivots.shape[-1]
    flat = pivots.reshape(math.prod(batch), k) - 1
    rows, each = np.tile(np.arange(m), (len(flat), 1)), np.arange(len(flat))
    for i in range(k):
        top, other = rows[:, i].copy(), flat[:, i]
        rows[:, i] = rows[each, other]
        rows[each, other] = top
    return np.eye(m, dtype=dtype)[rows].mT.reshape(*batch, m, m)


def _unpacked(LU: Any, xp: Any) -> tuple[Any, Any]:
    """L (m, k) with ones on its diagonal, and U (k, n); k = min(m, n)."""
    m, n = LU.shape[-2:]
    k = min(m, n)
    diagonal = xp.diagonal(LU[..., :k, :k], 0, -2, -1)
    ones = xp.diag_embed(xp.zeros_like(diagonal) + 1, 0, -2, -1)
    if m > k:
        ones = xp.cat([ones, xp.zeros_like(LU[..., k:, :k])], -2)
    return xp.tril(LU[..., :k], -1) + ones, xp.triu(LU[..., :k, :], 0)


def _lu_gradient(gL: Any, gU: Any, P: Any, L: Any, U: Any, xp: Any) -> Any:
    """P L^-T (tril(L^T gL, -1) + triu(gU U^T)) U^-T for square matrices. What lies beyond the
    square is solved for first, and passes its gradient on to the square's factors."""
    triangle = on(_solve_triangular, xp)
    m, n, k = L.shape[-2], U.shape[-1], L.shape[-1]
    L1, U1, gL1, gU1, beyond = L[..., :k, :], U[..., :k], gL[..., :k, :], gU[..., :k], None
    if n > k:
        beyond = triangle(L1.mT, gU[..., k:], True, True, True)
        gL1 = gL1 - beyond @ U[..., k:].mT
    if m > k:
        beyond = triangle(U1.mT, gL[..., k:, :], False, False, False)
        gU1 = gU1 - L[..., k:, :].mT @ beyond
    inner = xp.tril(L1.mT @ gL1, -1) + xp.triu(gU1 @ U1.mT, 0)
    square = triangle(U1.mT, triangle(L1.mT, inner, True, True, True), False, False, False)
    whole = square if beyond is None else xp.cat([square, beyond], -1 if n > k else -2)
    return P @ whole


def _factor_gradient(grads: Any, A: Any, result: Any, result1: Any, pivot: bool, xp: Any) -> Any:
    grad, (m, n) = grads[0], A.shape[-2:]
    if not pivot:
        raise RuntimeError("linalg.lu_factor without pivoting has no derivative here")
    P = permutation(getattr(result1, "_array", result1), m, np.dtype(str(A.dtype).split(".")[-1]))
    L, U = _unpacked(result, xp)
    k = min(m, n)
    P = wrap(P) if isinstance(A, graph.Tensor) else P
    return _lu_gradient(xp.tril(grad[..., :k], -1), xp.triu(grad[..., :k, :], 0), P, L, U, xp)


@op("LinalgLuFactorExBackward0", A=_factor_gradient)
def _lu_factor(A: Array, pivot: bool) -> tuple[Array, Array]:
    return lu_array(A, pivot)


def _zero_pivots(LU: Array) -> Array:
    """The first zero on U's diagonal (from 1), or 0."""
    zero = np.diagonal(LU, axis1=-2, axis2=-1) == 0
    return np.where(zero.any(-1), zero.argmax(-1) + 1 if zero.shape[-1] else 0, 0).astype(np.int32)


def linalg_lu_factor_ex(
    A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None
) -> Any:
    """(LU, pivots, info): `lu_factor` without an error for singular matrices."""
    if out is not None:
        return into(out, linalg_lu_factor_ex, A, pivot=pivot, check_errors=check_errors, exact=True)
    check_matrices("torch.lu_factor", A)
    LU, pivots = _lu_factor(A, pivot)
    info = _zero_pivots(LU._array)
    if check_errors:
        raise_first("torch.linalg.lu_factor_ex", info, ZERO_PIVOT)
    return results.linalg_lu_factor_ex(LU, pivots, wrap(info))


def linalg_lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """(LU, pivots): both factors in one matrix, and the exchanges of rows (from 1)."""
    if out is not None:
        return into(out, linalg_lu_factor, A, pivot=pivot, exact=True)
    LU, pivots, info = linalg_lu_factor_ex(A, pivot=pivot)
    raise_first("torch.linalg.lu_factor", info._array, ZERO_PIVOT)
    return results.linalg_lu_factor(LU, pivots)


ZERO_PIVOT = (
    "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero. If you still want "
    "to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
)


@op(
    "LinalgLuBackward0",
    A=lambda grads, result, result1, result2, xp: _lu_gradient(
        xp.zeros_like(result1) if grads[1] is None else grads[1],
        xp.zeros_like(result2) if grads[2] is None else grads[2],
        result, result1, result2, xp,
    ),
)  # fmt: skip
def _lu(A: Array) -> tuple[Array, Array, Array]:
    LU, pivots = lu_array(A)
    from . import arrays

    L, U = _unpacked(LU, arrays)
    return permutation(pivots, A.shape[-2], A.dtype), L, U


def linalg_lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """(P, L, U) with `A = P @ L @ U`: a permutation, L with ones on its diagonal, and U."""
    if out is not None:
        return into(out, linalg_lu, A, pivot=pivot, exact=True)
    check_matrices("linalg.lu", A)
    if not pivot:
        raise NotImplementedError(
            "linalg.lu(pivot=False) is for GPUs; on the CPU rows are exchanged"
        )
    P, L, U = _lu(A)
    return results.linalg_lu(P.detach(), L, U)


def lu(input: Tensor, pivot: bool = True, get_infos: bool = False, *, out: Any = None) -> Any:
    """(LU, pivots), with `get_infos` also info: the older form of `linalg.lu_factor`."""
    if out is not None:
        return tuple(into(out, lu, input, pivot, get_infos, exact=True))
    found = linalg_lu_factor_ex(input, pivot=pivot)
    return found if get_infos else (found.LU, found.pivots)


def lu_method(input: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """`lu` as a method: a plain tuple."""
    return tuple(lu(input, pivot, get_infos))


# --- with an LU factorization --------------------------------------------------------------------


def _solved(LU: Any, P: Any, B: Any, left: bool, adjoint: bool, xp: Any) -> Any:
    if not left:
        return _solved(LU, P, B.mT, True, not adjoint, xp).mT
    triangle = on(_solve_triangular, xp)
    if adjoint:
        return P @ triangle(LU.mT, triangle(LU.mT, B, False, True, False), True, True, True)
    return triangle(LU, triangle(LU, P.mT @ B, False, True, True), True, True, False)


def _lu_solve_gradient(
    grad: Any, LU: Any, P: Any, result: Any, left: bool, adjoint: bool, xp: Any
) -> Any:
    """With gA, the gradient of A = P L U: that of L is P^T gA U^T, that of U is L^T P^T gA."""
    of_b = _solved(LU, P, grad, left, not adjoint, xp)
    if left:
        gA = -(result @ of_b.mT) if adjoint else -(of_b @ result.mT)
    else:
        gA = -(of_b.mT @ result) if adjoint else -(result.mT @ of_b)
    L, U = _unpacked(LU, xp)
    inner = P.mT @ gA
    return xp.tril(inner @ U.mT, -1) + xp.triu(L.mT @ inner, 0)


@op(
    "LinalgLuSolveBackward0",
    LU=_lu_solve_gradient,
    B=lambda grad, LU, P, left, adjoint, xp: _solved(LU, P, grad, left, not adjoint, xp),
)
def _lu_solve(LU: Array, P: Array, B: Array, left: bool, adjoint: bool) -> Array:
    from . import arrays

    return by_columns(_solved(LU, P, B, left, adjoint, arrays))


def linalg_lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False,
    out: Any = None,
) -> Tensor:  # fmt: skip
    """X with `A X = B` (`X A = B` if not `left`; `adjoint`: with A transposed), of what `lu_factor`
    made of A."""
    if out is not None:
        return into(out, linalg_lu_solve, LU, pivots, B, left=left, adjoint=adjoint, exact=True)
    check_tensors("linalg_lu_solve", LU=LU, pivots=pivots, B=B)
    if pivots._array.dtype != np.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    _check("linalg.lu_solve", LU, B, left)
    P = wrap(permutation(pivots._array, LU._array.shape[-1], LU._array.dtype))
    return _lu_solve(LU, P, B, left, adjoint)


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """`linalg.lu_solve` under its older name, with the right side first."""
    if out is not None:
        return into(out, lu_solve, b, LU_data, LU_pivots, exact=True)
    return linalg_lu_solve(LU_data, LU_pivots, b)
