"""Functions of whole matrices: the exponential, conditions, Vandermonde and covariance matrices,
tensors taken as matrices.

The exponential follows N. Higham, "The scaling and squaring method for the matrix exponential
revisited", SIAM Journal on Matrix Analysis 26 (2005); its derivative is the off-diagonal block of the
exponential of [[A^T, G], [0, A^T]] (Mathias, 1996).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either, ops
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import check_tensors
from ..warn import warn
from .arithmetic import div, mul
from .linalg_checks import LinAlgError, check_matrices, check_square
from .norms import linalg_norm
from .pieces import cat
from .recorded import on
from .shape import reshape, squeeze

Array = Any
Tensor = Any

# --- the exponential -----------------------------------------------------------------------------

# The numerator of the Pade approximant of degree 13, in rising powers; the denominator has the
# same coefficients with alternating signs. It is good for matrices of norm up to 5.37.
PADE = [math.factorial(26 - k) * math.comb(13, k) // math.factorial(13) for k in range(14)]
REACH = 5.371920351148152


def matrix_exp_array(A: Array) -> Array:
    """exp of square matrices: of A / 2**s by the approximant, then squared s times."""
    wide = A.astype(np.float64)
    norm = either.greatest(np.abs(wide).sum(-2), None, 0.0)
    s = max(0, math.ceil(math.log2(norm / REACH))) if 0 < norm < np.inf else 0
    X = wide / 2**s
    power: Array = np.broadcast_to(either.eye(A.shape[-1], A.shape[-1], np.float64, A), A.shape)
    even, odd = 0 * power, 0 * power
    for k in range(0, 14, 2):
        even, odd = even + PADE[k] * power, odd + PADE[k + 1] * power
        power = power @ X @ X
    odd = X @ odd
    E = np.linalg.solve(even - odd, even + odd) if np.isfinite(norm) else wide * np.nan
    for _ in range(s):
        E = E @ E
    return E.astype(A.dtype)


def _exp_gradient(grad: Any, A: Any, xp: Any) -> Any:
    n, T = A.shape[-1], A.mT
    block = xp.cat([xp.cat([T, grad], -1), xp.cat([xp.zeros_like(T), T], -1)], -2)
    return on(_matrix_exp, xp)(block)[..., :n, n:]


@op("LinalgMatrixExpBackward0", A=_exp_gradient)
def _matrix_exp(A: Array) -> Array:
    return matrix_exp_array(A)


def linalg_matrix_exp(A: Tensor) -> Tensor:
    """The exponential of square matrices, the sum of A**k / k!."""
    check_square("linalg.matrix_exp", A)
    return _matrix_exp(A)


# --- condition numbers, Vandermonde matrices, products of vectors --------------------------------


def linalg_cond(A: Tensor, p: Any = None, *, out: Any = None) -> Tensor:
    """The condition number: the largest singular value by the smallest (p None, 2; -2 the other way
    round), or `norm(A) * norm(inverse of A)` in another norm; infinite for singular matrices."""
    if out is not None:
        return into(out, linalg_cond, A, p)
    array = check_matrices("linalg.cond", A)
    if p in (None, 2, -2):
        values = ops.linalg_svdvals(A)
        largest, smallest = ops.narrow(values, -1, 0, 1), ops.narrow(values, -1, -1, 1)
        ratio = smallest / largest if p == -2 else largest / smallest
        return squeeze(ratio, -1)
    check_square("linalg.cond", A)
    if array.size == 0:
        return wrap(either.zeros(array.shape[:-2], array))
    norm = linalg_norm(A, p, (-2, -1))
    inverse = linalg_norm(ops.linalg_inv_ex(A).inverse, p, (-2, -1))
    return ops.nan_to_num(mul(norm, inverse), math.inf, math.inf)


def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0, 1, ... N - 1 of each element (..., n) -> (..., n, N); N is n by default."""
    array = x._array
    if not array.ndim:
        x, array = ops.unsqueeze(x, 0), array[None]
    count = array.shape[-1] if N is None else N
    if count < 2:
        raise RuntimeError("N must be greater than 1.")
    dtype = np.dtype(np.int64) if array.dtype.kind in "biu" else array.dtype
    ones = wrap(either.full((*array.shape, 1), 1, dtype, array))
    powers = ops.unsqueeze(x, -1).expand(*array.shape, count - 1)
    return cat([ones, ops.cumprod(powers, -1)], -1)


def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The inner products of vectors along `dim`; other dimensions broadcast."""
    if out is not None:
        return into(out, linalg_vecdot, x, y, dim=dim)
    check_tensors("linalg_vecdot", x=x, y=y)
    if x._array.dtype.kind != "f":
        kind = scalar_name(x._array.dtype)
        raise RuntimeError(
            "linalg.vecdot: Expected a floating point or complex tensor as input. Got " + kind
        )
    return ops.sum(mul(x, y), dim)


# --- tensors as matrices -------------------------------------------------------------------------


def linalg_tensorinv(A: Tensor, ind: int = 2, *, out: Any = None) -> Tensor:
    """The inverse of A taken as a matrix whose rows are its first `ind` dimensions."""
    if out is not None:
        return into(out, linalg_tensorinv, A, ind)
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = A._array.shape
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    inverse = ops.linalg_inv_ex(reshape(A, (rows, columns)))
    if inverse.info._array.any():
        raise LinAlgError(
            "Failed to invert the input tensor, because it is singular: the matrix "
            f"{rows} by {columns} that it makes has no inverse"
        )
    return reshape(inverse.inverse, (*shape[ind:], *shape[:ind]))


def linalg_tensorsolve(A: Tensor, B: Tensor, dims: Any = None, *, out: Any = None) -> Tensor:
    """X with `tensordot(A, X, X.ndim) = B`; `dims` of A are moved behind the others first."""
    if out is not None:
        return into(out, linalg_tensorsolve, A, B, dims)
    if dims is not None:
        A = ops.movedim(A, tuple(dims), tuple(range(-len(dims), 0)))
    result = A._array.shape[B._array.ndim :]
    rows, columns = math.prod(B._array.shape), math.prod(result)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {columns} != {rows}"
        )
    matrix = reshape(A, (rows, columns))
    return reshape(ops.linalg_solve_ex(matrix, B.flatten()).result, result)


def linalg_householder_product(A: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """The first n columns of H_1 H_2 ... H_k, H_i = 1 - tau_i v_i v_i^T, where v_i is column i of A
    (..., m, n) below the diagonal, with a 1 on it."""
    if out is not None:
        return into(out, linalg_householder_product, A, tau)
    array = check_matrices("torch.linalg.householder_product", A, "input")
    m, n = array.shape[-2:]
    _check_reflectors(array, tau, m, n)
    identity = either.eye(m, n, array.dtype, array)
    V = ops.tril(A, -1) + wrap(identity)
    Q = wrap(np.broadcast_to(identity, array.shape))
    if not tau._array.size:
        return Q + 0 * ops.sum(tau, -1)[..., None, None]
    for i in reversed(range(tau._array.shape[-1])):
        v = V[..., i : i + 1]
        Q = Q - tau[..., i, None, None] * (v @ (v.mT @ Q))
    return Q


def _check_reflectors(array: Array, tau: Tensor, m: int, n: int) -> None:
    name, k = "torch.linalg.householder_product: ", tau._array.shape[-1]
    if m < n:
        raise RuntimeError(
            f"{name}input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if n < k:
        raise RuntimeError(f"{name}input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if tau._array.ndim != array.ndim - 1 or tau._array.shape[:-1] != array.shape[:-2]:
        raise RuntimeError(
            f"{name}Expected tau to have one dimension less than input, and batch dimensions of tau "
            f"to be equal to those of input, but got tau.shape = {list(tau._array.shape)}"
        )
    if tau._array.dtype != array.dtype:
        raise RuntimeError(
            f"{name}tau dtype {scalar_name(tau._array.dtype)} does not match input dtype "
            f"{scalar_name(array.dtype)}"
        )


# --- covariance ----------------------------------------------------------------------------------


def cov(
    input: Tensor, *, correction: int = 1, fweights: Any = None, aweights: Any = None
) -> Tensor:
    """The covariances of the rows of `input` (variables, observations).

    fweights: how often each observation counts (integers); aweights: how much it weighs."""
    check_tensors("cov", input=input)
    array = input._array
    if array.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {array.ndim} "
            "dimensions"
        )
    if array.dtype == bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    X = input.reshape(1, -1) if array.ndim < 2 else input
    count = X._array.shape[1]
    weights = _weights(fweights, aweights, count)
    total = count if weights is None else weights.sum()
    if weights is None:
        mean = ops.sum(X, 1, True) / count if X._array.dtype.kind != "f" else ops.mean(X, 1, True)
    else:
        mean = (X * weights).sum(1, keepdim=True) / total
    factor: Any = total - correction
    if weights is not None and aweights is not None and correction:
        factor = total - correction * (weights * aweights).sum() / total
    if (factor if isinstance(factor, int) else factor.item()) <= 0:
        warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "number of observations."
        )
        factor = 0
    X = X - mean
    scaled = X if weights is None else X * weights
    return squeeze(div(X @ scaled.mT, factor))


def _weights(fweights: Any, aweights: Any, count: int) -> Any:
    for name, kinds, weights in (("fweights", "iu", fweights), ("aweights", "f", aweights)):
        if weights is None:
            continue
        array = weights._array
        if array.ndim > 1:
            raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got "
                               f"{name} with {array.ndim} dimensions")  # fmt: skip
        if array.dtype.kind not in kinds:
            kind = "integral" if kinds == "iu" else "floating point"
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with "
                               f"{scalar_name(array.dtype)} dtype")  # fmt: skip
        if array.size != count:
            raise RuntimeError(f"cov(): expected {name} to have the same numel as there are "
                               f"observations in the input but got {array.size} != {count}")  # fmt: skip
        if (array < 0).any():
            raise RuntimeError(f"cov(): {name} cannot be negative")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return fweights * aweights


def corrcoef(input: Tensor) -> Tensor:
    """The correlations of the rows of `input` (variables, observations)."""
    check_tensors("corrcoef", input=input)
    if input._array.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input._array.ndim} dimensions"
        )
    c = cov(input)
    if not c._array.ndim:
        return c / c
    deviation = ops.sqrt(ops.diag(c))
    c = c / ops.unsqueeze(deviation, -1) / ops.unsqueeze(deviation, 0)
    return ops.clamp(c, -1, 1)
