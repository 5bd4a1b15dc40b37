"""`nn.functional`'s attention: with one head per dimension given, and with many in one vector."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...tensor import Tensor
from ...warn import warn
from .padding import pad

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

scaled_dot_product_attention = ops.scaled_dot_product_attention


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None,
    bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor,
    out_proj_bias: Tensor | None, training: bool = True, key_padding_mask: Tensor | None = None,
    need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """What `nn.MultiheadAttention` computes: projections, attention of every head, a projection.

    Args:
        query, key, value: (queries, batch, features) and (keys, batch, features), or without batch.
        embed_dim_to_check: the number of features of `query`, which the heads divide among them.
        in_proj_weight: (3 * features, features), the weights of query, key and value one below the
            other, and in_proj_bias (3 * features,); or `use_separate_proj_weight` and one for each.
        bias_k, bias_v: (1, 1, features), one more key and value; add_zero_attn: and one of zeros.
        key_padding_mask: (batch, keys), True (or -inf) for keys to leave out.
        attn_mask: (queries, keys) or (batch * heads, queries, keys), True or -inf to leave out.
        need_weights: whether to return the weights too, their mean over the heads (batch, queries,
            keys) or, without `average_attn_weights`, (batch, heads, queries, keys).
        is_causal: a hint that `attn_mask` is the causal mask.
        static_k, static_v: (batch * heads, keys, features of a head), in place of projected ones.

    Raises AssertionError or RuntimeError for shapes that do not fit."""
    is_batched = _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not is_batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    steps, batch, width = query.shape
    key_padding_mask, attn_mask, is_causal = _masks_of_numbers(
        key_padding_mask, attn_mask, is_causal, need_weights, query.dtype
    )
    _check_widths(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    weights = [q_proj_weight, k_proj_weight, v_proj_weight]
    q, k, v = _projections(
        query, key, value, weights if use_separate_proj_weight else in_proj_weight, in_proj_bias
    )
    attn_mask = _three_dims(attn_mask, (steps, key.size(0)), batch * num_heads)
    bias = _bias_pair(bias_k, bias_v, static_k, static_v)
    if bias is not None:
        k, v = (ops.cat([x, b.repeat(1, batch, 1)]) for x, b in zip((k, v), bias, strict=True))
    heads, features = batch * num_heads, width // num_heads
    q = _by_head(q, heads, "q", None, features)
    k = _by_head(k, heads, "k", static_k, features)
    v = _by_head(v, heads, "v", static_v, features)
    if add_zero_attn:
        zeros = k.new_zeros((heads, 1, features))
        k, v = ops.cat([k, zeros], 1), ops.cat([v, zeros], 1)
    added = (bias is not None) + add_zero_attn
    mask = _merged(
        _with_more(attn_mask, added),
        _with_more(key_padding_mask, added),
        batch,
        num_heads,
        k.size(1),
    )
    p = dropout_p if training else 0.0
    if need_weights:
        out, attention = _with_weights(q, k, v, mask, p)
        out = out.transpose(0, 1).reshape(steps * batch, width)
        attention = attention.view(batch, num_heads, steps, k.size(1))
        attention = attention.mean(1) if average_attn_weights else attention
    else:
        out, attention = _without_weights(q, k, v, mask, p, is_causal, batch), None
    out = ops.linear(out, out_proj_weight, out_proj_bias)
    out = out.view(steps, batch, out.size(1))
    if is_batched:
        return out, attention
    return out.squeeze(1), None if attention is None else attention.squeeze(0)


# -- masks ---------------------------------------------------------------------------------------


def _none_or_dtype(input: Any) -> Any:
    return None if input is None else input.dtype


def _masks_of_numbers(
    padding: Tensor | None, mask: Tensor | None, is_causal: bool, need_weights: bool, dtype: Any
) -> tuple[Tensor | None, Tensor | None, bool]:
    """`key_padding_mask` and `attn_mask` as numbers to add, and whether a hint takes the place of
    the second."""
    other = _none_or_dtype(mask)
    padding = _canonical_mask(padding, "key_padding_mask", other, "attn_mask", dtype)
    if is_causal and mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and padding is None and not need_weights:
        return padding, None, True
    mask = _canonical_mask(mask, "attn_mask", None, "", dtype, False)
    return padding, mask, is_causal and padding is None


def _canonical_mask(
    mask: Tensor | None, mask_name: str, other_type: Any, other_name: str, target_type: Any,
    check_other: bool = True,
) -> Tensor | None:  # fmt: skip
    """A mask of numbers: -inf where a bool one is True."""
    if mask is None:
        return None
    is_bool = mask._array.dtype.kind == "b"
    if not is_bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype != other_type:
        warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for "
            "both instead."
        )
    if not is_bool:
        return mask
    return ops.zeros_like(mask, dtype=target_type).masked_fill_(mask, -math.inf)


def _three_dims(mask: Tensor | None, shape: tuple[int, int], heads: int) -> Tensor | None:
    """`attn_mask` as (1 or batch * heads, queries, keys)."""
    if mask is None:
        return None
    if mask.dim() not in (2, 3):
        raise RuntimeError(f"attn_mask's dimension {mask.dim()} is not supported")
    expected = shape if mask.dim() == 2 else (heads, *shape)
    if tuple(mask.shape) != expected:
        raise RuntimeError(
            f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}."
        )
    return mask.unsqueeze(0) if mask.dim() == 2 else mask


def _with_more(mask: Tensor | None, keys: int) -> Tensor | None:
    """The mask with some more keys, which it lets through."""
    if mask is not None:
        for _ in range(keys):
            mask = pad(mask, (0, 1))
    return mask


def _merged(
    attn_mask: Tensor | None, padding: Tensor | None, batch: int, heads: int, keys: int
) -> Tensor | None:
    """Both masks in one, (batch * heads, 1 or queries, keys)."""
    if padding is None:
        return attn_mask
    for dim, expected in enumerate((batch, keys)):
        if padding.size(dim) != expected:
            raise AssertionError(
                f"Expected key_padded_mask.shape[{dim}] to be {expected}, but got "
                f"{padding.size(dim)}"
            )
    padding = padding.view(batch, 1, 1, keys).expand(-1, heads, -1, -1)
    padding = padding.reshape(batch * heads, 1, keys)
    return padding if attn_mask is None else attn_mask + padding


# -- shapes --------------------------------------------------------------------------------------


def _check_dims(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None,
    num_heads: int,
) -> bool:  # fmt: skip
    """Whether there is a dimension for the batch; AssertionError if the arguments disagree."""
    dims = query.dim()
    if dims not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor"
        )
    kind = "batched (3-D)" if dims == 3 else "unbatched (2-D)"
    if key.dim() != dims or value.dim() != dims:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {dims}-D but found {key.dim()}-D "
            f"and {value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != dims - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {dims - 1}-D but "
            f"found {padding.dim()}-D tensor instead"
        )
    if mask is not None and mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{mask.dim()}-D tensor instead"
        )
    if mask is not None and dims == 2 and mask.dim() == 3:
        expected = (num_heads, query.size(0), key.size(0))
        if tuple(mask.shape) != expected:
            raise AssertionError(
                f"Expected `attn_mask` shape to be {expected} but got {mask.shape}"
            )
    return dims == 3


def _check_widths(
    query: Tensor, key: Tensor, value: Tensor, expected: int, num_heads: int, separate: bool
) -> None:
    width = query.size(-1)
    if width != expected:
        raise AssertionError(f"was expecting embedding dimension of {expected}, but got {width}")
    if width % num_heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    if separate and key.shape[:2] != value.shape[:2]:
        raise AssertionError(
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
        )
    if not separate and key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")


def _bias_pair(
    bias_k: Any, bias_v: Any, static_k: Any, static_v: Any
) -> tuple[Tensor, Tensor] | None:
    """The key and the value that are to be added, if there are any."""
    if bias_k is None and bias_v is None:
        return None
    if bias_v is None:
        raise AssertionError("bias_k is set but bias_v is None")
    if bias_k is None:
        raise AssertionError("bias_v is set but bias_k is None")
    for name, static in (("key", static_k), ("value", static_v)):
        if static is not None:
            raise AssertionError(f"bias cannot be added to static {name}.")
    return bias_k, bias_v


# -- the steps of the computation ----------------------------------------------------------------


def _projections(
    query: Tensor, key: Tensor, value: Tensor, weight: Any, bias: Tensor | None
) -> list[Tensor]:
    """The vectors that are compared and mixed, each (steps, batch, features).

    weight: one Tensor for all three, or a list. Equal inputs share one product of matrices."""
    if isinstance(weight, list):
        for name, each in zip("qkv", weight, strict=True):
            if each is None:
                raise AssertionError(
                    f"use_separate_proj_weight is True but {name}_proj_weight is None"
                )
        biases = (None, None, None) if bias is None else bias.chunk(3)
        inputs = (query, key, value)
        return [ops.linear(x, w, b) for x, w, b in zip(inputs, weight, biases, strict=True)]
    if weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    if key is value and query is key:
        return _split(ops.linear(query, weight, bias), 3)
    width = query.size(-1)
    if key is value:
        first, rest = weight.split([width, 2 * width])
        bias_first, bias_rest = (None, None) if bias is None else bias.split([width, 2 * width])
        q = ops.linear(query, first, bias_first)
        return [q, *_split(ops.linear(key, rest, bias_rest), 2)]
    biases = (None, None, None) if bias is None else bias.chunk(3)
    inputs = (query, key, value)
    return [ops.linear(x, w, b) for x, w, b in zip(inputs, weight.chunk(3), biases, strict=True)]


def _split(joined: Tensor, count: int) -> list[Tensor]:
    """Projections that lie side by side, (steps, batch, count * features), each for itself."""
    parts = joined.unflatten(-1, (count, joined.size(-1) // count)).unsqueeze(0).transpose(0, -2)
    parts = parts.squeeze(-2).contiguous()  # (count, steps, batch, features)
    return [parts[i] for i in range(count)]


def _by_head(projected: Tensor, heads: int, name: str, static: Tensor | None, width: int) -> Tensor:
    """(steps, batch, features) as (batch * heads, steps, features of a head)."""
    if static is None:
        steps, batch, features = projected.shape
        return projected.view(steps, heads, batch * features // heads).transpose(0, 1)
    for dim, expected in ((0, heads), (2, width)):
        if static.size(dim) != expected:
            raise AssertionError(
                f"expecting static_{name}.size({dim}) of {expected}, but got {static.size(dim)}"
            )
    return static


def _with_weights(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, p: float
) -> tuple[Tensor, Tensor]:
    scaled = q * math.sqrt(1.0 / q.size(-1))
    keys = k.transpose(-2, -1)
    scores = ops.bmm(scaled, keys) if mask is None else ops.baddbmm(mask, scaled, keys)
    weights = ops.softmax(scores, -1)
    if p > 0.0:
        weights = ops.dropout(weights, p, True)
    return ops.bmm(weights, v), weights


def _without_weights(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, p: float, is_causal: bool, batch: int
) -> Tensor:
    """(queries * batch, features)."""
    heads, steps, width = q.shape
    heads //= batch
    if mask is not None:
        if mask.size(0) == 1 and mask.dim() == 3:
            mask = mask.unsqueeze(0)
        else:
            mask = mask.view(batch, heads, -1, k.size(1))
    q, k, v = (x.view(batch, heads, -1, width) for x in (q, k, v))
    out = scaled_dot_product_attention(q, k, v, mask, p, is_causal)
    return out.permute(2, 0, 1, 3).reshape(batch * steps, heads * width)
