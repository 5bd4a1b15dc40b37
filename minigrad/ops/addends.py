"""A Tensor plus a product: `addbmm`, `baddbmm`, `addmv`, `addr`, and the in-place forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd.inplace import write
from ..autograd.node import unwrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import no_bools
from .inplace import _does_not_expand
from .linalg import CPP_NAMES, _addmm_scaled, addmm

Array = Any
Tensor = Any


def _plus(input: Array, product: Array, beta: Any) -> Array:
    """`beta * input + product`; for beta 0 whatever `input` holds, nan too, is ignored."""
    beta = _as_number(beta, product)
    if beta == 0:
        return np.broadcast_to(product, np.broadcast_shapes(input.shape, product.shape)).copy()
    try:
        out = np.add(product, input if beta == 1 else input * beta, casting="unsafe")
    except ValueError:
        out = None
    if out is None or out.shape != product.shape:
        raise _does_not_expand(product.shape, input.shape)
    return either.as_array(out).astype(product.dtype, copy=False)


def _as_number(value: Any, like: Array) -> Any:
    """Whole numbers have whole factors: the rest is cut off, as in C++."""
    return value if like.dtype.kind == "f" else int(value)


def _times(product: Array, alpha: Any) -> Array:
    alpha = _as_number(alpha, product)
    return product if alpha == 1 else (product * alpha).astype(product.dtype, copy=False)


@op(
    "AddbmmBackward0",
    input=lambda grad, beta: grad * beta,
    batch1=lambda grad, batch2, alpha, xp: xp.matmul(grad, xp.transpose(batch2, 1, 2)) * alpha,
    batch2=lambda grad, batch1, alpha, xp: xp.matmul(xp.transpose(batch1, 1, 2), grad) * alpha,
)
def _addbmm(input: Array, batch1: Array, batch2: Array, beta: Any, alpha: Any) -> Array:
    no_bools("addmm_impl_cpu_", input, batch1, batch2)
    return _plus(input, _times(np.matmul(batch1, batch2).sum(0, dtype=batch1.dtype), alpha), beta)


@op(
    "BaddbmmBackward0",
    input=lambda grad, beta: grad * beta,
    batch1=lambda grad, batch2, alpha, xp: xp.matmul(grad, xp.transpose(batch2, 1, 2)) * alpha,
    batch2=lambda grad, batch1, alpha, xp: xp.matmul(xp.transpose(batch1, 1, 2), grad) * alpha,
)
def _baddbmm(input: Array, batch1: Array, batch2: Array, beta: Any, alpha: Any) -> Array:
    no_bools("baddbmm", input, batch1, batch2)
    return _plus(input, _times(np.matmul(batch1, batch2), alpha), beta)


@op(
    "AddmvBackward0",
    input=lambda grad, beta: grad * beta,
    mat=lambda grad, vec, alpha, xp: xp.unsqueeze(grad, 1) * (vec * alpha),
    vec=lambda grad, mat, alpha, xp: xp.mv(xp.t(mat), grad) * alpha,
)
def _addmv(input: Array, mat: Array, vec: Array, beta: Any, alpha: Any) -> Array:
    no_bools("addmv_impl_cpu", input, mat, vec)
    return _plus(input, _times(mat.dot(vec), alpha), beta)


@op(
    "AddrBackward0",
    input=lambda grad, beta: grad * beta,
    vec1=lambda grad, vec2, alpha, xp: xp.mv(grad, vec2) * alpha,
    vec2=lambda grad, vec1, alpha, xp: xp.mv(xp.t(grad), vec1) * alpha,
)
def _addr(input: Array, vec1: Array, vec2: Array, beta: Any, alpha: Any) -> Array:
    input, vec1, vec2 = promotion.promoted((input, vec1, vec2))
    return _plus(input, _times(np.outer(vec1, vec2), alpha), beta)


def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None
) -> Tensor:
    """`beta * input + alpha * (batch1 @ batch2).sum(0)`, of (b, n, m) and (b, m, p)."""
    if out is not None:
        return into(out, addbmm, input, batch1, batch2, beta=beta, alpha=alpha, exact=True)
    _check_addbmm(input, batch1, batch2)
    return _addbmm(input, batch1, batch2, beta, alpha)


def addbmm_(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """`addbmm` in place."""
    _check_addbmm(input, batch1, batch2)
    return _written(_addbmm, input, batch1, batch2, beta, alpha)


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None
) -> Tensor:
    """`beta * input + alpha * (batch1 @ batch2)`, of (b, n, m) and (b, m, p)."""
    if out is not None:
        return into(out, baddbmm, input, batch1, batch2, beta=beta, alpha=alpha, exact=True)
    _check_baddbmm(input, batch1, batch2)
    return _baddbmm(input, batch1, batch2, beta, alpha)


def baddbmm_(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """`baddbmm` in place."""
    _check_baddbmm(input, batch1, batch2)
    return _written(_baddbmm, input, batch1, batch2, beta, alpha)


def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None
) -> Tensor:
    """`beta * input + alpha * (mat @ vec)`, of (n, m) and (m)."""
    if out is not None:
        return into(out, addmv, input, mat, vec, beta=beta, alpha=alpha, exact=True)
    _check_addmv(input, mat, vec)
    return _addmv(input, mat, vec, beta, alpha)


def addmv_(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """`addmv` in place."""
    _check_addmv(input, mat, vec)
    return _written(_addmv, input, mat, vec, beta, alpha)


def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None
) -> Tensor:
    """`beta * input + alpha * outer(vec1, vec2)`."""
    if out is not None:
        return into(out, addr, input, vec1, vec2, beta=beta, alpha=alpha)
    _check_addr(input, vec1, vec2, beta, alpha)
    return _addr(input, vec1, vec2, beta, alpha)


def addr_(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """`addr` in place."""
    _check_addr(input, vec1, vec2, beta, alpha)
    return _written(_addr, input, vec1, vec2, beta, alpha)


def addmm_(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """`addmm` in place."""
    promotion.check_tensors("addmm_", input=input, mat1=mat1, mat2=mat2)
    addmm(*[t.detach() for t in (input, mat1, mat2)], beta=beta, alpha=alpha)  # its checks
    return _written(_addmm_scaled, input, mat1, mat2, beta, alpha)


def _written(row: Any, *args: Any) -> Tensor:
    sharing = "all" if row is _addr else "any"  # the products are whole before anything is written
    return write(row.row, args, row.forward(*[unwrap(a) for a in args]), sharing)


def _check_addbmm(input: Any, batch1: Any, batch2: Any) -> None:
    promotion.check_tensors("addbmm", input=input, batch1=batch1, batch2=batch2)
    a, b = _batches(batch1, batch2)
    if len(a) != len(b):
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {len(a)} and {len(b)}"
        )
    if a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for bmm ({a.shape[1]}x{a.shape[2]} and "
            f"{b.shape[1]}x{b.shape[2]})"
        )
    c = input._array
    for name, array in (("mat1", a), ("self", c)):
        if array.dtype is not b.dtype:
            names = f"{scalar_name(array.dtype)} and {scalar_name(b.dtype)}"
            raise RuntimeError(f"{name} and mat2 must have the same dtype, but got {names}")


def _check_baddbmm(input: Any, batch1: Any, batch2: Any) -> None:
    promotion.check_tensors("baddbmm", input=input, batch1=batch1, batch2=batch2)
    a, b = _batches(batch1, batch2)
    if len(a) != len(b) or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{len(a)}, "
            f"{a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}]."
        )
    kinds = [CPP_NAMES[t._array.dtype.name] for t in (input, batch1, batch2)]
    if len(set(kinds)) > 1:
        names = "input {}, batch1: {}, batch2: {}".format(*kinds)
        raise RuntimeError(f"Input dtypes must be the same, got: {names}")


def _batches(batch1: Tensor, batch2: Tensor) -> tuple[Array, Array]:
    for name, tensor in (("batch1", batch1), ("batch2", batch2)):
        if tensor._array.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    return batch1._array, batch2._array


def _check_addmv(input: Any, mat: Any, vec: Any) -> None:
    promotion.check_tensors("addmv", input=input, mat=mat, vec=vec)
    c, a, b = input._array, mat._array, vec._array
    if a.ndim != 2 or b.ndim != 1 or c.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {c.ndim}, {a.ndim}, {b.ndim}")
    if a.shape[1] != b.shape[0] or c.shape not in ((), (1,), a.shape[:1]):
        raise RuntimeError(
            f"size mismatch, got input ({c.size}), mat ({a.shape[0]}x{a.shape[1]}), "
            f"vec ({b.shape[0]})"
        )
    kinds = [scalar_name(t.dtype) for t in (c, a, b)]
    if len(set(kinds)) > 1:
        names = "{}, {}, and {}".format(*kinds)
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {names}")


def _check_addr(input: Any, vec1: Any, vec2: Any, beta: Any, alpha: Any) -> None:
    promotion.check_tensors("addr", input=input, vec1=vec1, vec2=vec2)
    for name, vector in (("vec1", vec1), ("vec2", vec2)):
        if vector._array.ndim != 1:
            raise RuntimeError(
                f"addr: Expected 1-D argument {name}, but got {vector._array.ndim}-D"
            )
    floats = any(t._array.dtype.kind == "f" for t in (input, vec1, vec2))
    for name, number in (("beta", beta), ("alpha", alpha)):
        if isinstance(number, float) and not floats:
            raise RuntimeError(
                f"For integral input tensors, argument {name} must not be a floating point number."
            )
