"""`nn.functional`'s attention: with one head per dimension given, and with many in one vector."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ... import ops
from ...tensor import Tensor
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
    key_padding_mask = _canonical_mask(
        key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the hint is enough
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        is_causal = is_causal and key_padding_mask is None
    _check_widths(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    weights = [q_proj_weight, k_proj_weight, v_proj_weight]
    q, k, v = _projections(
        query, key, value, weights if use_separate_proj_weight else in_proj_weight, in_proj_bias
    )
    attn_mask = _three_dims(attn_mask, (steps, key.size(0)), batch * num_heads)
    masks = [attn_mask, key_padding_mask]
    if _has_both(bias_k, bias_v, static_k, static_v):
        k = ops.cat([k, bias_k.repeat(1, batch, 1)])  # type: ignore[union-attr]
        v = ops.cat([v, bias_v.repeat(1, batch, 1)])  # type: ignore[union-attr]
        masks = [_one_more(mask) for mask in masks]
    q = _by_head(q, batch * num_heads, "q", None)
    k = _by_head(k, batch * num_heads, "k", static_k, width // num_heads)
    v = _by_head(v, batch * num_heads, "v", static_v, width // num_heads)
    if add_zero_attn:
        zeros = ops.zeros((batch * num_heads, 1, width // num_heads), dtype=k.dtype)
        k, v = ops.cat([k, zeros], 1), ops.cat([v, zeros], 1)
        masks = [_one_more(mask) for mask in masks]
    mask = _merged(masks[0], masks[1], batch, num_heads, k.size(1))
    p = dropout_p if training else 0.0
    if need_weights:
        out, attention = _with_weights(q, k, v, mask, p)
        out = out.transpose(0, 1).reshape(steps * batch, width)
    else:
        out, attention = _without_weights(q, k, v, mask, p, is_causal, batch), None
    out = ops.linear(out, out_proj_weight, out_proj_bias)
    out = out.view(steps, batch, out.size(1))
    if attention is not None:
        attention = attention.view(batch, num_heads, steps, k.size(1))
        attention = attention.mean(1) if average_attn_weights else attention
        attention = attention if is_batched else attention.squeeze(0)
    return (out if is_batched else out.squeeze(1)), attention


# -- masks ---------------------------------------------------------------------------------------


def _none_or_dtype(input: Any) -> Any:
    return None if input is None else input.dtype


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
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for "
            "both instead.",
            stacklevel=3,
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


def _one_more(mask: Tensor | None) -> Tensor | None:
    """The mask with one more key, which it lets through."""
    return None if mask is None else pad(mask, (0, 1))


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


def _has_both(bias_k: Any, bias_v: Any, static_k: Any, static_v: Any) -> bool:
    """Whether one more key and value are to be added."""
    if bias_k is None and bias_v is None:
        return False
    if bias_v is None:
        raise AssertionError("bias_k is set but bias_v is None")
    if bias_k is None:
        raise AssertionError("bias_v is set but bias_k is None")
    for name, static in (("key", static_k), ("value", static_v)):
        if static is not None:
            raise AssertionError(f"bias cannot be added to static {name}.")
    return True


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


def _by_head(
    projected: Tensor, heads: int, name: str, static: Tensor | None, width: int = 0
) -> Tensor:
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
