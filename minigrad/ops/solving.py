"""Inverses, linear systems, determinants and the Cholesky factor, with their derivatives.

The formulas are those of Giles (2008), "Collected matrix derivative results for forward and reverse
mode algorithmic differentiation", and Murray (2016), "Differentiation of the Cholesky decomposition".
Matrices are the last two dimensions; those before are a batch. Factors lie in memory column by
column, as LAPACK leaves them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either, gpu
from .. import return_types as results
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import broadcast_error, check_tensors, not_a_tensor
from .choosing import where
from .indexing import index_rows
from .linalg_checks import (
    LinAlgError,
    bad_minor,
    check_square,
    each,
    raise_first,
    zero_pivot,
)

Array = Any
Tensor = Any

UNSOLVABLE = "The solver failed because the input matrix is singular."


def by_columns(matrices: Array) -> Array:
    """The same matrices, each stored column by column."""
    return either.contiguous(matrices.mT).mT


# --- inverse and systems -------------------------------------------------------------------------


def inverse_array(A: Array) -> Array:
    """The inverses; a singular matrix has one of infinities, or of nan."""
    try:
        return by_columns(np.linalg.inv(A))
    except np.linalg.LinAlgError:
        U, values, Vh = np.linalg.svd(A)
        zero = values <= values[..., :1] * np.finfo(A.dtype).eps
        values = np.where(zero, 0, values)
        return by_columns((Vh.mT / values[..., None, :]) @ U.mT)


@op("LinalgInvExBackward0", A=lambda grad, result: -(result.mT @ grad @ result.mT))
def inverse_matrix(A: Array) -> Array:
    """`inverse_array` as an op."""
    return inverse_array(A)


def linalg_inv(A: Tensor, *, out: Any = None) -> Tensor:
    """The inverse of square matrices; LinAlgError if one is singular."""
    if out is not None:
        return into(out, linalg_inv, A, exact=True)
    array = check_square("linalg.inv", A)
    raise_first("linalg.inv", _zero_pivots(array), SINGULAR)
    return inverse_matrix(A)


SINGULAR = (
    "The diagonal element {} is zero, the inversion could not be completed because the input matrix "
    "is singular."
)


def _zero_pivots(array: Array) -> Array:
    """Of each matrix, where elimination meets a zero pivot. Only if LAPACK met one is it looked for."""
    try:
        np.linalg.inv(array)
    except np.linalg.LinAlgError:
        return each(array, lambda m: 0 if _invertible(m) else zero_pivot(m) or len(m))
    return either.zeros(array.shape[:-2], array, np.int32)


def _invertible(matrix: Array) -> bool:
    try:
        np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def linalg_inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """(inverse, info): no error for a singular matrix, unless `check_errors`."""
    if out is not None:
        return into(out, linalg_inv_ex, A, check_errors=check_errors, exact=True)
    array = check_square("linalg.inv_ex", A)
    info = _zero_pivots(array)
    if check_errors:
        raise_first("linalg.inv_ex", info, SINGULAR)
    return results.linalg_inv_ex(inverse_matrix(A), wrap(info))


def _matrix_gradient(grad: Any, A: Any, result: Any, left: bool, vector: bool, xp: Any) -> Any:
    """With the gradient of B, W = A^-T grad, that of A is -W X^T."""
    of_b = xp.solve_system(A.mT, grad, left, vector)
    if vector:
        return -(xp.unsqueeze(of_b, -1) * xp.unsqueeze(result, -2))
    return -(of_b @ result.mT) if left else -(result.mT @ of_b)


@op(
    "LinalgSolveExBackward0",
    A=_matrix_gradient,
    B=lambda grad, A, left, vector, xp: xp.solve_system(A.mT, grad, left, vector),
)
def solve_system(A: Array, B: Array, left: bool, vector: bool) -> Array:
    """X with `A X = B`, or `X A = B` if not `left`; `vector`: B has one right side per matrix."""
    if vector:
        X = _solution(A, B[..., None])[..., 0]
        return by_columns(X) if X.ndim > 1 else X
    if not left:
        return either.contiguous(_solution(A.mT, B.mT).mT)
    return by_columns(_solution(A, B))


def _solution(A: Array, B: Array) -> Array:
    try:
        return np.linalg.solve(A, B)
    except np.linalg.LinAlgError:
        raise LinAlgError(UNSOLVABLE) from None


def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True, out: Any = None) -> Tensor:
    """X with `A X = B` (`X A = B` if not `left`); B holds vectors or matrices, and batches broadcast.

    LinAlgError if a matrix is singular."""
    if out is not None:
        return into(out, linalg_solve, A, B, left=left, exact=True)
    array = check_square("linalg.solve", A)
    if not isinstance(B, graph.Tensor):
        raise not_a_tensor("linalg_solve", "B", 2, B)
    b = B._array
    vector = b.ndim == 1 or (array.ndim - 1 == b.ndim and b.shape == array.shape[:-1])
    _check_system("linalg.solve", array, b, left, vector)
    pivots = _zero_pivots(array)
    raise_first("torch.linalg.solve", pivots, UNSOLVABLE)
    return solve_system(A, B, left, vector)


def linalg_solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None
) -> Any:
    """(result, info): `linalg.solve` without an error for a singular matrix, unless `check_errors`;
    the result is then made of infinities or nan."""
    if out is not None:
        return into(out, linalg_solve_ex, A, B, left=left, check_errors=check_errors, exact=True)
    array = check_square("linalg.solve_ex", A)
    check_tensors("linalg_solve_ex", A=A, B=B)
    b = B._array
    vector = b.ndim == 1 or (array.ndim - 1 == b.ndim and b.shape == array.shape[:-1])
    _check_system("linalg.solve_ex", array, b, left, vector)
    info = _zero_pivots(array)
    sentence = "The solver failed because the input matrix is singular."
    if check_errors:
        raise_first("torch.linalg.solve_ex", info, sentence)
    result = wrap(np.full_like(b, np.nan)) if info.any() else solve_system(A, B, left, vector)
    return results.linalg_solve_ex(result, wrap(info))


def _check_system(name: str, a: Array, b: Array, left: bool, vector: bool) -> None:
    if a.dtype is not b.dtype:
        kinds = f"A of type {scalar_name(a.dtype)} and B of type {scalar_name(b.dtype)} instead"
        raise RuntimeError(f"{name}: Expected A and B to have the same dtype, but found {kinds}")
    if b.ndim < 1:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    if vector and not left:
        raise RuntimeError(
            f"{name}: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    rows, columns = (b.shape[-1], 1) if vector else b.shape[-2:]
    if (rows if left else columns) != a.shape[-1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} "
            f"({a.shape[-2]}x{a.shape[-1]} and {rows}x{columns})"
        )
    batches = a.shape[:-2], b.shape[:-1] if vector else b.shape[:-2]
    try:
        np.broadcast_shapes(*batches)
    except ValueError:
        raise broadcast_error([np.empty(s) for s in batches]) from None


# --- determinants --------------------------------------------------------------------------------


def _nearly_singular(A: Array, det: Array) -> Any:
    return bool(np.any(~(np.abs(det) >= 100 * np.finfo(A.dtype).eps)))


def cofactors_array(A: Array) -> Array:
    """The matrices of cofactors: det(A) A^-T, by way of the singular values where A has no inverse.

    `A = U S Vh` has the cofactors det(U) det(Vh) U C Vh, where C holds for each singular value the
    product of the others."""
    det = np.linalg.det(A)
    if not _nearly_singular(A, det):
        return det[..., None, None] * np.linalg.inv(A).mT
    from .reduction import product_of_others_array

    U, S, Vh = np.linalg.svd(A)
    sign = np.linalg.det(U) * np.linalg.det(Vh)
    return (sign[..., None, None] * U * product_of_others_array(S)[..., None, :]) @ Vh


def cofactors(A: Tensor) -> Tensor:
    """`cofactors_array` made of ops; near a singular matrix, by its definition: signed determinants
    of the matrix without a row and a column, which have derivatives of every order."""
    array, n = A._array, A._array.shape[-1]
    if n == 1:
        return wrap(np.ones_like(array))
    if not _nearly_singular(array, np.linalg.det(array)):
        return determinant(A)[..., None, None] * inverse_matrix(A).mT
    others = np.array([[k for k in range(n) if k != i] for i in range(n)], int).reshape(n, n - 1)
    others = gpu.placed(others, gpu.index_of(array))
    batch = (slice(None),) * (array.ndim - 2)
    minors = index_rows(A, (*batch, others[:, None, :, None], others[None, :, None, :]))
    i, j = np.indices((n, n))
    signs = ((-1.0) ** (i + j)).astype(array.dtype)
    return determinant(minors) * wrap(np.asarray(signs, like=array))


@op(
    "LinalgDetBackward0",
    A=lambda grad, A, xp: xp.unsqueeze(xp.unsqueeze(grad, -1), -1) * xp.cofactors(A),
)
def determinant(A: Array) -> Array:
    """The determinants of square matrices."""
    return np.linalg.det(A).astype(A.dtype)


def linalg_det(A: Tensor, *, out: Any = None) -> Tensor:
    """The determinant of square matrices."""
    if out is not None:
        return into(out, linalg_det, A, exact=True)
    check_square("linalg.det", A)
    return determinant(A)


def _log_gradient(grads: Any, A: Any, xp: Any) -> Any:
    if grads[1] is None:
        return xp.zeros_like(A)
    return xp.unsqueeze(xp.unsqueeze(grads[1], -1), -1) * xp.inverse_matrix(A).mT


@op("LinalgSlogdetBackward0", A=_log_gradient)
def _slogdet(A: Array) -> tuple[Array, Array]:
    sign, value = np.linalg.slogdet(A)
    return either.as_array(sign).astype(A.dtype, copy=False), either.as_array(value).astype(
        A.dtype, copy=False
    )


def linalg_slogdet(A: Tensor, *, out: Any = None) -> Any:
    """(sign, logabsdet): the determinant is `sign * exp(logabsdet)`."""
    if out is not None:
        return into(out, linalg_slogdet, A, exact=True)
    check_square("linalg.slogdet", A)
    return results.linalg_slogdet(*_slogdet(A))


def slogdet(input: Tensor) -> Any:
    """`linalg.slogdet` under its older name."""
    return results.slogdet(*linalg_slogdet(input))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant: nan where that is negative, -inf where it is zero."""
    check_square("logdet", input)
    sign, value = _slogdet(input)
    return where(wrap(sign._array == -1.0), math.nan, value)


# --- Cholesky ------------------------------------------------------------------------------------


def _cholesky_gradient(grad: Any, result: Any, upper: bool, xp: Any) -> Any:
    """With P = tril(L^T G), its diagonal halved, it is L^-T P L^-1, made symmetric."""
    L, G = (result.mT, grad.mT) if upper else (result, grad)
    product = L.mT @ G
    P = (xp.tril(product, 0) + xp.tril(product, -1)) * 0.5
    half = xp.solve_system(L.mT, P, True, False)
    S = xp.solve_system(L, half, False, False)
    return (S + S.mT) * 0.5


def _factor(A: Array, upper: bool) -> Array:
    """The factors; a matrix that is not positive-definite has one of nan."""
    lower = A.mT if upper else A
    try:
        L = np.linalg.cholesky(lower)
    except np.linalg.LinAlgError:
        L = either.full(lower.shape, np.nan, A.dtype, A)
        for at in np.ndindex(*A.shape[:-2]):
            if not bad_minor(lower[at]):
                L[at] = np.linalg.cholesky(lower[at])
    return by_columns(L.mT if upper else L)


_cholesky_ex = op("LinalgCholeskyExBackward0", A=_cholesky_gradient)(_factor)
_cholesky = op("CholeskyBackward0", A=_cholesky_gradient)(_factor)
NOT_POSITIVE = (
    "The factorization could not be completed because the input is not positive-definite (the "
    "leading minor of order {} is not positive-definite)."
)


def linalg_cholesky(A: Tensor, *, upper: bool = False, out: Any = None) -> Tensor:
    """The lower triangular L with `A = L @ L.mT` (`upper`: U with `A = U.mT @ U`), of symmetric
    positive-definite matrices; LinAlgError if one is not. Half of A is read."""
    if out is not None:
        return into(out, linalg_cholesky, A, upper=upper, exact=True)
    _check_positive("linalg.cholesky", A, upper)
    return _cholesky_ex(A, upper)


def linalg_cholesky_ex(
    A: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None
) -> Any:
    """(L, info): no error for a matrix that is not positive-definite, unless `check_errors`."""
    if out is not None:
        return into(out, linalg_cholesky_ex, A, upper=upper, check_errors=check_errors, exact=True)
    array = check_square("linalg.cholesky_ex", A)
    info = each(array.mT if upper else array, bad_minor)
    if check_errors:
        raise_first("linalg.cholesky_ex", info, NOT_POSITIVE)
    return results.linalg_cholesky_ex(_cholesky_ex(A, upper), wrap(info))


def cholesky(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """`linalg.cholesky` under its older name."""
    if out is not None:
        return into(out, cholesky, input, upper)
    _check_positive("cholesky", input, upper)
    return _cholesky(input, upper)


def _check_positive(name: str, A: Any, upper: bool) -> None:
    array = check_square(name, A)
    lower = array.mT if upper else array
    try:
        np.linalg.cholesky(lower)
    except np.linalg.LinAlgError:
        raise_first(name, each(lower, bad_minor), NOT_POSITIVE)
