"""Linear algebra: products of vectors, matrices and batches of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import node as graph
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import BOOL, scalar_name
from ..promotion import UnsupportedOperand, no_bools
from .inplace import _does_not_expand
from .shape import (
    _unsafe_view,
    contiguous,
    expand,
    reshape,
    squeeze_product,
    t,
    transpose,
    unsqueeze,
    view,
)

Array = Any
Tensor = Any
FEW, LARGE = 64, 1 << 17  # rows, elements


def product(mat1: Array, mat2: Array) -> Array:
    """The matrix product; `ndarray.dot` is a third of the cost of `@` on small matrices.

    A few rows times the transpose of a large matrix, as in a layer with a large weight: OpenBLAS
    takes up to twice as long for that as for the transposes of both. The bits are the same, but for
    the last one of float64 in some sizes."""
    if mat1.dtype is BOOL:
        no_bools("addmm_impl_cpu_", mat1, mat2)
    if mat2.size < LARGE or not 1 < len(mat1) <= FEW or not _is_transpose(mat2):
        return mat1.dot(mat2)
    return np.ascontiguousarray(mat2.T.dot(mat1.T).T)


def _is_transpose(matrix: Array) -> bool:
    return isinstance(matrix, np.ndarray) and matrix.flags.f_contiguous


def _by_left(grad: Any, mat2: Any, column_major: bool, xp: Any) -> Any:
    """The gradient for the left factor, in whose memory order it is computed, as in PyTorch."""
    return xp.t(xp.mm(mat2, xp.t(grad))) if column_major else xp.mm(grad, xp.t(mat2))


def _by_right(grad: Any, mat1: Any, column_major: bool, xp: Any) -> Any:
    """The gradient for the right factor: a transposed weight's is again the transposed weight's."""
    return xp.t(xp.mm(xp.t(grad), mat1)) if column_major else xp.mm(xp.t(mat1), grad)


@op(
    "MmBackward0",
    input=lambda grad, mat2, input_column_major, xp: _by_left(grad, mat2, input_column_major, xp),
    mat2=lambda grad, input, mat2_column_major, xp: _by_right(grad, input, mat2_column_major, xp),
)
def _mm(input: Array, mat2: Array) -> Array:
    return product(input, mat2)


@op(
    "AddmmBackward0",
    input=lambda grad: grad,
    mat1=lambda grad, mat2, mat1_column_major, xp: _by_left(grad, mat2, mat1_column_major, xp),
    mat2=lambda grad, mat1, mat2_column_major, xp: _by_right(grad, mat1, mat2_column_major, xp),
)
def _addmm(input: Array, mat1: Array, mat2: Array) -> Array:
    out = product(mat1, mat2)
    try:
        return np.add(out, input, out)
    except ValueError:
        raise _does_not_expand(out.shape, input.shape) from None


@op(
    "AddmmBackward0",
    input=lambda grad, beta, xp: xp.scale(grad, beta),
    mat1=lambda grad, mat2, mat1_column_major, alpha, xp: xp.scale(
        _by_left(grad, mat2, mat1_column_major, xp), alpha
    ),
    mat2=lambda grad, mat1, mat2_column_major, alpha, xp: xp.scale(
        _by_right(grad, mat1, mat2_column_major, xp), alpha
    ),
)
def _addmm_scaled(input: Array, mat1: Array, mat2: Array, beta: Any, alpha: Any) -> Array:
    no_bools("addmm_impl_cpu_", mat1, mat2)
    if mat1.dtype.kind != "f":  # whole numbers have whole factors: the rest is cut off, as in C++
        beta, alpha = int(beta), int(alpha)
    return _addmm.forward(input * beta, mat1 * alpha, mat2)


@op(
    "BmmBackward0",
    input=lambda grad, mat2, xp: xp.matmul(grad, xp.transpose(mat2, 1, 2)),
    mat2=lambda grad, input, xp: xp.matmul(xp.transpose(input, 1, 2), grad),
)
def _bmm(input: Array, mat2: Array) -> Array:
    no_bools("bmm", input, mat2)
    return np.matmul(input, mat2)


@op(
    "MvBackward0",
    input=lambda grad, vec, xp: xp.unsqueeze(grad, 1) * vec,
    vec=lambda grad, input, xp: xp.mv(xp.t(input), grad),
)
def _mv(input: Array, vec: Array) -> Array:
    no_bools("addmv_impl_cpu", input, vec)
    return input.dot(vec)


@op(
    "DotBackward0",
    input=lambda grad, tensor: grad * tensor,
    tensor=lambda grad, input: grad * input,
)
def _dot(input: Array, tensor: Array) -> Array:
    return input.dot(tensor)


def mm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """The product of two matrices, (n, m) and (m, p)."""
    if out is not None:
        return into(out, mm, input, mat2, exact=True)
    a, b = _arrays("mm", input, mat2)
    if a.ndim != 2 or b.ndim != 2:
        raise RuntimeError(f"{'self' if a.ndim != 2 else 'mat2'} must be a matrix")
    _check_factors(a, b)
    return _mm(input, mat2)


def bmm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """Products of pairs of matrices, (b, n, m) and (b, m, p)."""
    if out is not None:
        return into(out, bmm, input, mat2, exact=True)
    a, b = _arrays("bmm", input, mat2)
    if a.ndim != 3 or b.ndim != 3:
        raise RuntimeError(f"batch{1 if a.ndim != 3 else 2} must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, "
            f"{a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}]."
        )
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"expected scalar type {scalar_name(a.dtype)} but found {scalar_name(b.dtype)}"
        )
    return _bmm(input, mat2)


def mv(input: Tensor, vec: Tensor, *, out: Any = None) -> Tensor:
    """The product of a matrix (n, m) and a vector (m)."""
    if out is not None:
        return into(out, mv, input, vec, exact=True)
    a, b = _arrays("mv", input, vec)
    if a.ndim != 2 or b.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {a.ndim}, {b.ndim}")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[1]}), vec ({b.shape[0]})"
        )
    if a.dtype is not b.dtype:
        vector, matrix = scalar_name(b.dtype), scalar_name(a.dtype)
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {vector}, {matrix}, and {vector}"
        )
    return _mv(input, vec)


def dot(input: Tensor, tensor: Tensor, *, out: Any = None) -> Tensor:
    """The inner product of two vectors of one length."""
    if out is not None:
        return into(out, dot, input, tensor, exact=True)
    a, b = _arrays("dot", input, tensor)
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same "
            f"number of elements, but got {a.size} and {b.size} elements respectively"
        )
    if a.dtype is not b.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{scalar_name(a.dtype)} and {scalar_name(b.dtype)}"
        )
    no_bools("dot", a)
    return _dot(input, tensor)


def matmul(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The product of vectors, matrices, or batches of matrices (whose batch sizes broadcast).

    Made of the same steps as PyTorch's, so the graph has the same nodes."""
    if out is not None:
        return into(out, matmul, input, other, exact=True)
    a, b = _arrays("matmul", input, other)
    if a.ndim == 2 and b.ndim == 2:
        _check_factors(a, b)
        return _mm(input, other)
    if not a.ndim or not b.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D"
        )
    if a.ndim == 1 and b.ndim == 1:
        return dot(input, other)
    if a.ndim == 2 and b.ndim == 1:
        return mv(input, other)
    if a.ndim == 1 and b.ndim == 2:
        return squeeze_product(mm(unsqueeze(input, 0), other), 0)
    if b.ndim <= 2 and _folds(a, other):
        return _folded(input, other)
    if a.ndim <= 2 and _folds(b.swapaxes(-1, -2), input, a.ndim == 1):
        return _folded_second(input, other)
    return _batched(input, other)


def _folds(batch: Array, small: Tensor, constant_too: bool = True) -> bool:
    """Whether all rows of a batch are to be multiplied at once by a vector or matrix: if that needs
    a gradient (which is one product then, not a sum of many), or if the rows lie in order."""
    if small._requires_grad or not batch.size:
        return True
    shape, strides = batch.shape, batch.strides
    return constant_too and all(
        strides[i] == strides[i + 1] * shape[i + 1] for i in range(batch.ndim - 2)
    )


def _folded_second(input: Tensor, other: Tensor) -> Tensor:
    """One vector or matrix times a batch: what `_folded` does, on the transposes."""
    columns = transpose(other, -1, -2)
    if input._array.ndim == 1:
        return _folded(columns, input)
    return contiguous(transpose(_folded(columns, t(input)), -1, -2))


def _folded(input: Tensor, other: Tensor) -> Tensor:
    """A batch times one matrix or vector: all rows of the batch at once."""
    shape = input._array.shape
    rows = reshape(input, (math.prod(shape[:-1]), shape[-1]))
    if other._array.ndim == 1:
        return _unsafe_view(mv(rows, other), shape[:-1])
    return _unsafe_view(mm(rows, other), shape[:-1] + other._array.shape[-1:])


def _batched(input: Tensor, other: Tensor) -> Tensor:
    """Both have batch dimensions (or a vector or matrix meets a batch): one product per pair."""
    vector = input._array.ndim == 1, other._array.ndim == 1
    input = unsqueeze(input, 0) if vector[0] else input
    other = unsqueeze(other, 1) if vector[1] else other
    a, b = input._array.shape, other._array.shape
    try:
        batch = np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        from ..promotion import broadcast_error

        raise broadcast_error([np.empty(a[:-2]), np.empty(b[:-2])]) from None
    count = math.prod(batch)
    left = reshape(expand(input, batch + a[-2:]), (count, *a[-2:]))
    right = reshape(expand(other, batch + b[-2:]), (count, *b[-2:]))
    rows, columns = ([] if vector[0] else [a[-2]]), ([] if vector[1] else [b[-1]])
    return _unsafe_view(bmm(left, right), (*batch, *rows, *columns))


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None
) -> Tensor:
    """`beta * input + alpha * (mat1 @ mat2)`; `input` broadcasts to the product's shape."""
    if out is not None:
        return into(out, addmm, input, mat1, mat2, beta=beta, alpha=alpha, exact=True)
    a, b = _arrays("addmm", mat1, mat2)
    if a.ndim != 2 or b.ndim != 2:
        name, array = ("mat1", a) if a.ndim != 2 else ("mat2", b)
        raise RuntimeError(f"{name} must be a matrix, got {array.ndim}-D tensor")
    if a.shape[1] != b.shape[0]:
        raise _cannot_multiply(a, b)
    if (
        input._array.ndim != 1 or input._array.shape[0] != b.shape[1]
    ):  # the usual bias needs no check
        expand(input.detach(), a.shape[0], b.shape[1])
    for name, array in (("mat1", a), ("self", input._array)):
        if array.dtype is not b.dtype:
            names = f"{scalar_name(array.dtype)} and {scalar_name(b.dtype)}"
            raise RuntimeError(f"{name} and mat2 must have the same dtype, but got {names}")
    if beta == 1 and alpha == 1:
        return _addmm(input, mat1, mat2)
    return _addmm_scaled(input, mat1, mat2, beta, alpha)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Any = None) -> Tensor:
    """`input @ weight.T + bias`: (..., in), (out, in), (out) give (..., out)."""
    if out is not None:
        return into(out, linear, input, weight, bias, exact=True)
    a, w = input._array, weight._array
    if not (a.ndim and w.ndim):
        dims = f"{a.ndim}D and {w.ndim}D"
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {dims}")
    if bias is None:
        return matmul(input, t(weight))
    if a.ndim == 2:
        return addmm(bias, input, t(weight))
    if a.ndim > 1 and not a.flags.c_contiguous:
        return matmul(input, t(weight)) + bias
    rows = view(input, -1, a.shape[-1])
    return view(addmm(bias, rows, t(weight)), a.shape[:-1] + weight._array.shape[:1])


def outer(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """The products of each element of one vector with each of the other."""
    if out is not None:
        return into(out, outer, input, vec2)
    a, b = _arrays("outer", input, vec2)
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument {'self' if a.ndim != 1 else 'vec2'}, but got "
                           f"{(a if a.ndim != 1 else b).ndim}-D")  # fmt: skip
    return reshape(input, a.shape[0], 1) * vec2


def _arrays(name: str, first: Any, second: Any) -> tuple[Array, Array]:
    if not isinstance(first, graph.Tensor):
        raise UnsupportedOperand(name, first, "input")
    if not isinstance(second, graph.Tensor):
        raise UnsupportedOperand(name, second, SECOND.get(name, "mat2"))
    return first._array, second._array


SECOND = {"matmul": "other", "mv": "vec", "dot": "tensor", "outer": "vec2"}


def _check_factors(a: Array, b: Array) -> None:
    """RuntimeError unless two matrices have a product."""
    if a.shape[1] != b.shape[0]:
        raise _cannot_multiply(a, b)
    _same_dtype(a, b)


def _cannot_multiply(a: Array, b: Array) -> RuntimeError:
    return RuntimeError(
        "mat1 and mat2 shapes cannot be multiplied "
        f"({'x'.join(map(str, a.shape))} and {'x'.join(map(str, b.shape))})"
    )


def _same_dtype(a: Array, b: Array) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_cpp(a)} != {_cpp(b)}"
        )


CPP_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "bool": "bool"}
CPP_NAMES |= {
    "int64": "long int",
    "int32": "int",
    "int16": "short int",
    "int8": "signed char",
    "uint8": "unsigned char",
}


def _cpp(array: Array) -> str:
    return CPP_NAMES[array.dtype.name]
