"""What `xp` is while a formula runs on arrays: ops under PyTorch's names, on NumPy arrays.

When the backward pass is recorded, `xp` is the package `minigrad.ops` instead, which has the same
names for Tensors; so a formula may use just the names that are listed here. NumPy hands its
functions on to the library whose arrays it is given, which is how the formulas run on a GPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, gpu
from ..promotion import number_like
from . import (
    arithmetic,
    attention,
    average_pooling,
    choosing,
    convolution,
    diagonals,
    elements,
    error_function,
    extremes,
    folding,
    gathering,
    indexed,
    indexing,
    linalg,
    loss,
    masking,
    matrices,
    max_pooling,
    normalization,
    padding,
    pointwise,
    products,
    rearranging,
    recurrent,
    reduction,
    resampling,
    rounding,
    scan,
    scatter_reduction,
    shape,
    shuffling,
    solving,
    strided,
    transcendental,
    two_inputs,
)
from .embedding import embedding_backward as embedding_backward_row
from .embedding import embedding_factors_array
from .embedding_bag import differentiable_once as differentiable_once_row
from .pseudo_inverse import pseudo_inverse_array
from .softmax import softmax_backward as softmax_backward_row

Array = Any
exp, log, sin, cos, sign = np.exp, np.log, np.sin, np.cos, pointwise.sign_array
exp2, sinh, cosh, trunc = np.exp2, np.sinh, np.cosh, np.trunc
sigmoid = pointwise.sigmoid.forward
tanh = np.tanh
erf = error_function.erf_array
rsqrt, xlogy = transcendental.rsqrt.forward, two_inputs.xlogy_array
zeros_like, where, sum = np.zeros_like, np.where, np.sum
floor_quotient = arithmetic._floor_quotient
relu_backward, sigmoid_backward = (
    pointwise.relu_backward.forward,
    pointwise.sigmoid_backward.forward,
)
tanh_backward, keep, sgn = (
    pointwise.tanh_backward.forward,
    choosing.keep_array,
    rounding.sgn.forward,
)
mm, mv, matmul = linalg.product, linalg.product, np.matmul
transpose, permute, unsqueeze = np.swapaxes, np.transpose, np.expand_dims
squeeze, unsqueeze_dims = shape.squeeze_array, shape.unsqueeze_dims_array
cat, stack = np.concatenate, np.stack
sum_to_size, sum_dim = reduction.sum_to_size_array, reduction.sum_dim.forward
product_of_others = reduction.product_of_others_array
at_index, from_index = extremes.at_index.forward, extremes.from_index.forward
scatter_strided, gather_strided = strided.scatter_strided.forward, strided.gather_strided.forward
select, slice = indexing._select.forward, indexing._slice.forward
select_backward, slice_backward = indexing.select_backward.forward, indexing.slice_backward.forward
index, index_backward = indexing.index_rows.forward, indexing.index_backward.forward
untouched = indexing.untouched_array
diagonal, diag_embed = diagonals.diagonal_array, diagonals.diag_embed_array
diagonal_backward, tril, triu = diagonals.diagonal_backward.forward, np.tril, np.triu
solve_system, inverse_matrix = solving.solve_system.forward, solving.inverse_array
cofactors, pseudo_inverse = solving.cofactors_array, pseudo_inverse_array
cross_product = products.cross_product.forward
cdist_backward: Any = matrices.cdist_backward.forward  # type: ignore[has-type]
running_sum, running_logsumexp = scan.running_sum.forward, scan.running_logsumexp.forward
attention_backward = attention.attention_backward_array
layer_backward = recurrent.layer_backward_array
cumprod_backward = scan.cumprod_backward_array
softmax_backward = softmax_backward_row.forward
embedding_backward = embedding_backward_row.forward
embedding_factors = embedding_factors_array
differentiable_once = differentiable_once_row.forward
normalization_backward = normalization.normalization_backward_array
add_along, gather_along = scan.add_along.forward, scan.gather_along.forward
amax = extremes._amax.forward
abs, scale = np.abs, arithmetic.scale.forward
mse_loss_backward = loss.mse_loss_backward.forward

average_pool = average_pooling.average_array
average_pool_backward = average_pooling.average_backward_array
max_pool_backward = max_pooling._backward_array
resample = resampling.resample_array
resample_backward = resampling.resample_backward_array
pixel_shuffle, pixel_unshuffle = shuffling.pixel_shuffle_array, shuffling.pixel_unshuffle_array
channel_shuffle = shuffling.channel_shuffle_array
pad_constant = padding.pad_constant.forward
pad_boundary = padding.pad_boundary_array
pad_boundary_backward = padding.pad_boundary_backward_array


def softplus(array: Array) -> Array:
    """`log(1 + exp(array))`."""
    return np.logaddexp(array, array.dtype.type(0))


gather, scatter = gathering.gather_array, gathering.scatter_array
scatter_add, scatter_reduce = gathering.scatter_add_array, scatter_reduction.scatter_reduce_array
index_select, index_add = indexed.index_select_array, indexed.index_add_array
index_fill, take, put = indexed.index_fill_array, elements.take_array, elements.put_array
convolve, convolve_input = convolution.convolve_array, convolution.convolve_input.forward
convolve_weight = convolution.convolve_weight.forward
sum_per_channel = convolution.sum_per_channel.forward
im2col, col2im = folding.im2col.forward, folding.col2im.forward
unfold, unfold_backward = strided._unfold.forward, strided.unfold_backward.forward
flip, roll, rot90 = np.flip, rearranging.roll_array, np.rot90
masked_select, masked_scatter = masking.masked_select_array, masking.masked_scatter_array
masked_fill = masking.masked_fill_array


def as_float(mask: Array, like: Array) -> Array:
    """A mask as numbers of the dtype of `like`."""
    return mask.astype(like.dtype)


def zeros_shaped(shape: tuple[int, ...], like: Array) -> Array:
    """Zeros of any shape in the dtype of `like`."""
    return either.zeros(shape, like)


def reshape(array: Array, shape: tuple[int, ...]) -> Array:
    """The method: `np.reshape` costs five times as much."""
    return array.reshape(shape)


def pow(array: Array, exponent: Any) -> Array:
    """`array ** exponent`; the array itself for 1."""
    return (
        array if isinstance(exponent, int) and exponent == 1 else arithmetic.raised(array, exponent)
    )


def div(array: Array, number: float) -> Array:
    """An array divided by a number."""
    return array / number_like(number, array)._array


def to_device(array: Array, index: int | None, source: int | None) -> Array:
    """A copy in the memory of GPU `index`, or of the host for None."""
    return gpu.placed(array, index)


def t(array: Array) -> Array:
    """A matrix transposed."""
    return array.T


def expand(array: Array, shape: tuple[int, ...]) -> Array:
    """An array broadcast to `shape`; a single number is written out, which is cheaper than a view
    (but not on a GPU, which the host would have to wait for)."""
    if array.size != 1 or not isinstance(array, np.ndarray):
        return np.broadcast_to(array, shape)
    out = np.empty(shape, array.dtype)
    out.fill(array.item())
    return out
