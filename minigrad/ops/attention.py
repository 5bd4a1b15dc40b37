"""Attention: each query takes a mean of the values, with weights that compare it with the keys.

softmax(query @ key.T * scale + mask) @ value, of Vaswani et al. 2017. In the usual case one row
does all of it as in FlashAttention (Dao et al. 2022): a few heads at a time, so that their scores
stay in the cache; the backward pass computes the weights again, so that no array of (queries, keys)
is kept, and the sum over `grad * output` stands for the one over all keys in softmax's derivative.
In the other cases (dropout, a mask that needs a gradient, other shapes) it is a composition of ops.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import either
from ..autograd.node import wrap
from ..autograd.row import op
from ..dtypes import BOOL, FLOAT32, scalar_name
from ..promotion import check_tensors
from .arithmetic import add, mul, sub
from .dropout import dropout
from .linalg import CPP_NAMES, matmul
from .rearranging import repeat_interleave
from .reduction import sum_dim
from .shape import reshape, transpose
from .softmax import _softmax

Array = Any
Tensor = Any
BLOCK_BYTES = 1 << 18  # of scores that are computed together


# -- the row -------------------------------------------------------------------------------------


@op(
    "ScaledDotProductFlashAttentionForCpuBackward0",
    fused=True,
    tensors=lambda grads, tensors, mask, scale, result, result1, xp: xp.attention_backward(
        grads[0], tensors, mask, scale, result, result1
    ),
)
def _attention(tensors: list[Array], mask: Array | None, scale: float) -> tuple[Array, Array]:
    """`tensors`: query (batch, heads, queries, features), key and value (batch, heads, keys,
    features), or a divisor of the heads. mask: what is added to the scores; it broadcasts to
    (batch, heads, queries, keys). Results: the output, of the shape of query, and the logarithm of
    the sum of each query's exponentials, from which the backward pass has the weights again."""
    query, key, value = tensors
    key, value = _for_every_head(key, query), _for_every_head(value, query)
    out = np.empty_like(query)
    log_sums = either.empty(query.shape[:3], query)
    for at, scores in _scores(query, key, mask, scale):
        top = either.reduce(np.maximum, scores, -1, True)
        if mask is not None:
            top[top == -np.inf] = 0  # a query without any key: all its exponentials are 0
        scores -= top
        np.exp(scores, out=scores)
        total = np.add.reduce(scores, axis=-1, keepdims=True)
        if mask is not None:
            total[total == 0] = 1
        np.matmul(scores, value[at], out=out[at])
        out[at] /= total
        log_sums[at] = (top + np.log(total))[..., 0]
    return out, log_sums


def attention_backward_array(
    grad: Array, tensors: list[Array], mask: Array | None, scale: float, result: Array,
    log_sums: Array,
) -> list[Array]:  # fmt: skip
    """The gradients of query, key and value; the scores' are weights * (grad @ value.T - mean)."""
    query, key, value = tensors
    keys, values = _for_every_head(key, query), _for_every_head(value, query)
    factor = query.dtype.type(scale)
    d_query, d_key, d_value = np.empty_like(query), np.empty_like(keys), np.empty_like(values)
    for at, weights in _scores(query, keys, mask, scale):
        weights -= log_sums[at][..., None]
        np.exp(weights, out=weights)
        np.matmul(weights.swapaxes(-2, -1), grad[at], out=d_value[at])
        scores = np.matmul(grad[at], values[at].swapaxes(-2, -1))
        scores -= either.vecdot(grad[at], result[at])[..., None]
        scores *= weights
        np.matmul(scores, keys[at] * factor, out=d_query[at])
        np.matmul(scores.swapaxes(-2, -1), query[at] * factor, out=d_key[at])
    return [d_query, _sum_of_group(d_key, key), _sum_of_group(d_value, value)]


def _scores(
    query: Array, key: Array, mask: Array | None, scale: float
) -> Iterator[tuple[tuple[int | slice, slice], Array]]:
    """Indices (batch, some heads) of blocks that fit into the cache, and the scores of each,
    (heads, queries, keys), in memory that the next block takes over. On a GPU all are one block."""
    if not isinstance(query, np.ndarray):  # a GPU has no use for blocks
        scores = np.matmul(query * query.dtype.type(scale), key.swapaxes(-2, -1))
        yield (slice(None), slice(None)), scores if mask is None else scores + mask
        return
    batch, heads, queries, _ = query.shape
    keys = key.shape[2]
    step = max(1, BLOCK_BYTES // max(1, queries * keys * query.itemsize))
    memory = either.empty((min(step, heads), queries, keys), query)
    added = None if mask is None else np.broadcast_to(mask, (batch, heads, queries, keys))
    factor = query.dtype.type(scale)
    for b in range(batch):
        for start in range(0, heads, step):
            at = b, slice(start, start + step)
            scaled = query[at] * factor
            scores = np.matmul(scaled, key[at].swapaxes(-2, -1), out=memory[: len(scaled)])
            if added is not None:
                scores += added[at]
            yield at, scores


def _for_every_head(array: Array, query: Array) -> Array:
    """Heads of keys that several heads of queries share, repeated."""
    return array if array.shape[1] == query.shape[1] else array.repeat(_group(array, query), 1)


def _group(array: Array, query: Array) -> int:
    return int(query.shape[1] // array.shape[1])


def _sum_of_group(grad: Array, like: Array) -> Array:
    """The gradient of a head of keys: the sum over those of queries that share it."""
    if grad.shape == like.shape:
        return grad
    return grad.reshape(*like.shape[:2], -1, *like.shape[2:]).sum(2)


def attention_backward(
    grad: Tensor, tensors: list[Tensor], mask: Tensor | None, scale: float, *_: Any
) -> list[Tensor]:
    """The same on Tensors, from the inputs alone: so that it can be differentiated."""
    query, key, value = tensors
    keys, values = _repeated(key, query), _repeated(value, query)
    weights = _weights(mul(query, scale), transpose(keys, -2, -1), mask)
    products = mul(matmul(grad, transpose(values, -2, -1)), weights)
    scores = mul(sub(products, mul(weights, sum_dim(products, (3,), True))), scale)
    d_key = matmul(transpose(scores, -2, -1), query)
    d_value = matmul(transpose(weights, -2, -1), grad)
    return [matmul(scores, keys), _summed(d_key, key), _summed(d_value, value)]


def _summed(grad: Tensor, like: Tensor) -> Tensor:
    shape = like._array.shape
    if grad._array.shape == shape:
        return grad
    return sum_dim(reshape(grad, (*shape[:2], -1, *shape[2:])), (2,), False)


# -- the composition -----------------------------------------------------------------------------


@op(
    "SafeSoftmaxBackward0",
    fused=True,
    input=lambda grad, result, xp: xp.softmax_backward(
        grad, result, (len(tuple(result.shape)) - 1,)
    ),
)
def _safe_softmax(input: Array) -> Array:
    """softmax along the last dimension; all zeros where all is -inf."""
    with np.errstate(invalid="ignore"):
        out = _softmax.forward(input, (input.ndim - 1,))
    if input.size:
        out[either.reduce(np.maximum, input, -1) == -np.inf] = 0
    return out


@op("MulBackward1", input=lambda grad, number: grad * number)
def _times(input: Array, number: float) -> Array:
    return input * input.dtype.type(number)


def _weights(query: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(query @ keys + mask), of keys that are transposed already."""
    scores = matmul(query, keys)
    return _safe_softmax(scores if mask is None else add(scores, mask))


def _composed(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, dropout_p: float
) -> Tensor:
    """PyTorch's way: the root of the scale on both sides, which overflows later."""
    root = math.sqrt(abs(scale))
    keys = _times(transpose(key, -2, -1), root)
    weights = _weights(_times(query, math.copysign(root, scale)), keys, mask)
    if dropout_p:
        weights = dropout(weights, dropout_p, True)
    return matmul(weights, value)


def _repeated(tensor: Tensor, query: Tensor) -> Tensor:
    """Heads of keys that several heads of queries share, repeated."""
    heads, wanted = tensor._array.shape[-3], query._array.shape[-3]
    return tensor if heads == wanted else repeat_interleave(tensor, wanted // heads, -3)


# -- what users call -----------------------------------------------------------------------------


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, *, scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """softmax(query @ key.T * scale + mask) @ value: (..., queries, features of value).

    query: (..., heads, queries, features); key: (..., heads, keys, features); value: (..., heads,
        keys, features).
    attn_mask: broadcasts to (..., queries, keys). Numbers are added to the scores; of a bool mask
        False excludes a key. A query without any key has zeros as its output.
    dropout_p: the probability with which a weight is dropped, also in `eval`.
    is_causal: query i sees the keys up to i only.
    scale: 1 / sqrt(features) if not given.
    enable_gqa: key and value may have fewer heads, each for several heads of the query.

    Raises RuntimeError for dtypes or shapes that do not fit."""
    _check(query, key, value, attn_mask, enable_gqa)
    if dropout_p < 0 or dropout_p > 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p:g}")
    features = query._array.shape[-1]
    factor = scale if scale is not None else 1 / math.sqrt(features) if features else 1.0
    mask = _as_numbers(attn_mask, query)
    if is_causal:
        causal = _causal(query._array.shape[-2], key._array.shape[-2], query._array)
        mask = causal if mask is None else add(mask, causal)
    if dropout_p == 0 and _fits_the_row(query, key, value, attn_mask, enable_gqa):
        out: Tensor = _attention([query, key, value], mask, float(factor))[0]
        return out
    if is_causal and attn_mask is not None:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )
    if enable_gqa:
        key, value = _repeated(key, query), _repeated(value, query)
    return _composed(query, key, value, mask, float(factor), dropout_p)


def _causal(queries: int, keys: int, like: Array) -> Tensor:
    """0 where a key is not after its query, else -inf."""
    return wrap(np.triu(either.full((queries, keys), -np.inf, like.dtype, like), 1))


def _as_numbers(mask: Tensor | None, query: Tensor) -> Tensor | None:
    """A bool mask as what is added to the scores."""
    if mask is None or mask._array.dtype.kind != "b":
        return mask
    zero, minus = query._array.dtype.type(0), query._array.dtype.type(-np.inf)
    return wrap(np.where(mask._array, zero, minus))


def _fits_the_row(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, enable_gqa: bool
) -> bool:
    """Whether PyTorch has one kernel for it."""
    q, k, v = (t._array.shape for t in (query, key, value))
    if not len(q) == len(k) == len(v) == 4 or 0 in (*q, *k):
        return False
    if mask is not None and not _is_simple(mask, (*q[:3], k[2])):
        return False
    heads_fit = q[1] == k[1] == v[1] or (enable_gqa and k[1] == v[1])
    return heads_fit and q[0] == k[0] == v[0] and k[2] == v[2] and q[3] == k[3] == v[3]


def _is_simple(mask: Tensor, scores: tuple[int, ...]) -> bool:
    """Whether the row takes this mask: no gradient, and a shape that broadcasts to the scores'."""
    shape = mask._array.shape
    fits = all(a in (1, b) for a, b in zip(shape[::-1], scores[::-1], strict=False))
    return not mask._requires_grad and len(shape) in (2, 4) and fits


def _check(query: Any, key: Any, value: Any, mask: Any, enable_gqa: bool) -> None:
    check_tensors("scaled_dot_product_attention", query=query, key=key, value=value)
    arrays = {"query": query._array, "key": key._array, "value": value._array}
    names = {n: CPP_NAMES[a.dtype.name] for n, a in arrays.items()}
    if len(set(names.values())) > 1:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{names['query']} key.dtype: {names['key']} and value.dtype: {names['value']} instead."
        )
    if any(a.ndim < 2 for a in arrays.values()):
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.dim()} key.dim: {key.dim()} and value.dim: {value.dim()} instead."
        )
    dtype = arrays["query"].dtype
    if mask is not None and mask._array.dtype not in (BOOL, FLOAT32, dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {CPP_NAMES[mask._array.dtype.name]} and  query.dtype: "
            f"{names['query']} instead."
        )
    if dtype.kind != "f":
        raise RuntimeError(f"expected scalar type Float but found {scalar_name(dtype)}")
    if enable_gqa and query.dim() > 2 and query.size(-3) % key.size(-3):
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
