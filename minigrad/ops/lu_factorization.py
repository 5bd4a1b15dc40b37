"""The LU factorization with exchanges of rows, and systems solved with it.

NumPy does not hand it out; here it is elimination, a column of a whole batch at a time. Matrices are
the last two dimensions; those before are a batch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either
from .. import return_types as results
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..promotion import check_tensors
from .linalg_checks import check_matrices, raise_first
from .recorded import on
from .solving import by_columns
from .triangular import check_system, solve_triangular

Array = Any
Tensor = Any

# --- the LU factorization ------------------------------------------------------------------------


def lu_array(A: Array) -> tuple[Array, Array]:
    """(LU, pivots): L below the diagonal (its own is ones), U above; row i was exchanged with row
    pivots[i] (counted from 1, as LAPACK does)."""
    LU, (m, n) = A.copy(), A.shape[-2:]
    flat = LU.reshape(math.prod(A.shape[:-2]), m, n)
    batch = np.arange(len(flat), like=A)
    pivots = either.empty((len(flat), min(m, n)), A, np.int32)
    with np.errstate(all="ignore"):
        for k in range(min(m, n)):
            best = k + np.abs(flat[:, k:, k]).argmax(1)
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
    rows = np.tile(np.arange(m, like=pivots), (len(flat), 1))
    each = np.arange(len(flat), like=pivots)
    for i in range(k):
        top, other = rows[:, i].copy(), flat[:, i]
        rows[:, i] = rows[each, other]
        rows[each, other] = top
    return either.eye(m, m, dtype, pivots)[rows].mT.reshape(*batch, m, m)


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
    triangle = on(solve_triangular, xp)
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


def _factor_gradient(grads: Any, A: Any, result: Any, result1: Any, xp: Any) -> Any:
    grad, (m, n) = grads[0], A.shape[-2:]
    P = permutation(getattr(result1, "_array", result1), m, np.dtype(str(A.dtype).split(".")[-1]))
    L, U = _unpacked(result, xp)
    k = min(m, n)
    P = wrap(P) if isinstance(A, graph.Tensor) else P
    return _lu_gradient(xp.tril(grad[..., :k], -1), xp.triu(grad[..., :k, :], 0), P, L, U, xp)


@op("LinalgLuFactorExBackward0", A=_factor_gradient)
def _lu_factor(A: Array) -> tuple[Array, Array]:
    return lu_array(A)


def _check_pivot(pivot: bool) -> None:
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


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
    _check_pivot(pivot)
    LU, pivots = _lu_factor(A)
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
        xp.zeros_like(result) if grads[0] is None else grads[0],
        xp.zeros_like(result1) if grads[1] is None else grads[1],
        result2, result, result1, xp,
    ),
)  # fmt: skip
def _lu(A: Array) -> tuple[Array, Array, Array]:
    LU, pivots = lu_array(A)
    from . import arrays

    L, U = _unpacked(LU, arrays)
    return L, U, either.contiguous(permutation(pivots, A.shape[-2], A.dtype))


def linalg_lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """(P, L, U) with `A = P @ L @ U`: a permutation, L with ones on its diagonal, and U."""
    if out is not None:
        return into(out, linalg_lu, A, pivot=pivot, exact=True)
    check_matrices("linalg.lu", A)
    _check_pivot(pivot)
    L, U, P = _lu(A)  # PyTorch numbers the outputs that have a gradient
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
    triangle = on(solve_triangular, xp)
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
    check_system("linalg.lu_solve", LU, B, left)
    P = wrap(permutation(pivots._array, LU._array.shape[-1], LU._array.dtype))
    return _lu_solve(LU, P, B, left, adjoint)


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """`linalg.lu_solve` under its older name, with the right side first."""
    if out is not None:
        return into(out, lu_solve, b, LU_data, LU_pivots, exact=True)
    return linalg_lu_solve(LU_data, LU_pivots, b)
