"""The methods of a Tensor that are ops, by name: `x.exp()` is `ops.exp(x)`.

An explicit list, so that an editor can complete it and a search can find it. The operators (`+`,
`@`, `x[i]`) are in `tensor.py`, beside what is particular to a Tensor.
"""

from __future__ import annotations

from typing import Any

from . import ops


class Methods:
    """Aliases of ops, one line or so for each family."""

    __slots__ = ()

    add, sub, subtract, mul, multiply, div, divide = (
        ops.add, ops.sub, ops.sub, ops.mul, ops.mul, ops.div, ops.div
    )  # fmt: skip
    add_, sub_, mul_, div_ = ops.add_, ops.sub_, ops.mul_, ops.div_
    true_divide, floor_divide, remainder = ops.div, ops.floor_divide, ops.remainder
    floor_divide_, remainder_ = ops.floor_divide_, ops.remainder_
    neg, neg_, negative = ops.neg, ops.neg_, ops.neg
    pow, pow_, square, sqrt, sqrt_ = ops.pow, ops.pow_, ops.square, ops.sqrt, ops.sqrt_
    reciprocal, reciprocal_ = ops.reciprocal, ops.reciprocal_
    exp, exp_, log, log_ = ops.exp, ops.exp_, ops.log, ops.log_
    sin, sin_, cos, cos_ = ops.sin, ops.sin_, ops.cos, ops.cos_
    abs, abs_, absolute, sign, sign_ = ops.abs, ops.abs_, ops.abs, ops.sign, ops.sign_
    floor, floor_, ceil, ceil_ = ops.floor, ops.floor_, ops.ceil, ops.ceil_
    sigmoid, sigmoid_, tanh, tanh_ = ops.sigmoid, ops.sigmoid_, ops.tanh, ops.tanh_
    relu, relu_ = ops.relu, ops.relu_
    clamp, clamp_, clip, clip_, clamp_min = (
        ops.clamp,
        ops.clamp_,
        ops.clamp,
        ops.clamp_,
        ops.clamp_min,
    )
    maximum, minimum = ops.maximum, ops.minimum
    eq, ne, lt, le, gt, ge = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    eq_, ne_, lt_, le_, gt_, ge_ = ops.eq_, ops.ne_, ops.lt_, ops.le_, ops.gt_, ops.ge_
    bitwise_and, bitwise_or = ops.bitwise_and, ops.bitwise_or
    bitwise_xor, bitwise_not = ops.bitwise_xor, ops.bitwise_not
    logical_and, logical_or = ops.logical_and, ops.logical_or
    logical_not, logical_not_ = ops.logical_not, ops.logical_not_
    isnan, isinf, isfinite = ops.isnan, ops.isinf, ops.isfinite
    isclose, allclose, equal = ops.isclose, ops.allclose, ops.equal
    sum, mean, prod, var, std = ops.sum, ops.mean, ops.prod, ops.var, ops.std
    max, min, amax, amin = ops.max, ops.min, ops.amax, ops.amin
    argmax, argmin, all, any = ops.argmax, ops.argmin, ops.all, ops.any
    matmul, mm, bmm, mv, dot = ops.matmul, ops.mm, ops.bmm, ops.mv, ops.dot
    addmm, outer = ops.addmm, ops.outer
    view, view_as, reshape, reshape_as = ops.view, ops.view_as, ops.reshape, ops.reshape_as
    flatten, ravel, squeeze, unsqueeze = ops.flatten, ops.ravel, ops.squeeze, ops.unsqueeze
    t, transpose, swapaxes, permute = ops.t, ops.transpose, ops.swapaxes, ops.permute
    expand, expand_as, contiguous, clone = ops.expand, ops.expand_as, ops.contiguous, ops.clone
    split, chunk, unbind, narrow, select = ops.split, ops.chunk, ops.unbind, ops.narrow, ops.select
    to, copy_, fill_, zero_ = ops.to, ops.copy_, ops.fill_, ops.zero_
    uniform_, normal_, random_ = ops.uniform_, ops.normal_, ops.random_
    bernoulli, bernoulli_, exponential_ = ops.bernoulli, ops.bernoulli_, ops.exponential_

    cumsum, cumsum_, cumprod, cumprod_ = ops.cumsum, ops.cumsum_, ops.cumprod, ops.cumprod_
    cummax, cummin, logcumsumexp, diff = ops.cummax, ops.cummin, ops.logcumsumexp, ops.diff

    softmax, log_softmax, logsumexp = ops.softmax, ops.log_softmax, ops.logsumexp

    sort, argsort, msort, topk = ops.sort, ops.argsort, ops.msort, ops.topk
    kthvalue, median, nanmedian, mode = ops.kthvalue, ops.median, ops.nanmedian, ops.mode
    quantile, nanquantile = ops.quantile, ops.nanquantile

    nansum, nanmean, aminmax, count_nonzero = (
        ops.nansum,
        ops.nanmean,
        ops.aminmax,
        ops.count_nonzero,
    )

    unique, unique_consecutive, bincount, histc = (
        ops.unique,
        ops.unique_consecutive,
        ops.bincount,
        ops.histc,
    )

    norm = ops.norm

    log_normal_, cauchy_, geometric_, multinomial = (
        ops.log_normal_,
        ops.cauchy_,
        ops.geometric_,
        ops.multinomial,
    )

    new_zeros, new_ones, new_empty, new_full = (
        ops.new_zeros,
        ops.new_ones,
        ops.new_empty,
        ops.new_full,
    )
    new_empty_strided = ops.new_empty_strided

    resize_, resize_as_, set_ = ops.resize_, ops.resize_as_, ops.set_

    exp2, exp2_, expm1, expm1_ = ops.exp2, ops.exp2_, ops.expm1, ops.expm1_
    log2, log2_, log10, log10_ = ops.log2, ops.log2_, ops.log10, ops.log10_
    log1p, log1p_, rsqrt, rsqrt_ = ops.log1p, ops.log1p_, ops.rsqrt, ops.rsqrt_
    tan, tan_, asin, asin_ = ops.tan, ops.tan_, ops.asin, ops.asin_
    acos, acos_, atan, atan_ = ops.acos, ops.acos_, ops.atan, ops.atan_
    atan2, atan2_, sinh, sinh_ = ops.atan2, ops.atan2_, ops.sinh, ops.sinh_
    cosh, cosh_, asinh, asinh_ = ops.cosh, ops.cosh_, ops.asinh, ops.asinh_
    acosh, acosh_, atanh, atanh_ = ops.acosh, ops.acosh_, ops.atanh, ops.atanh_
    logit, logit_, sinc, sinc_ = ops.logit, ops.logit_, ops.sinc, ops.sinc_
    deg2rad, deg2rad_, rad2deg, rad2deg_ = ops.deg2rad, ops.deg2rad_, ops.rad2deg, ops.rad2deg_

    diag, diag_embed, diagflat, diagonal = ops.diag, ops.diag_embed, ops.diagflat, ops.diagonal
    trace, tril, tril_, triu = ops.trace, ops.tril, ops.tril_, ops.triu
    triu_ = ops.triu_

    addbmm, addbmm_, addmm_, addmv = ops.addbmm, ops.addbmm_, ops.addmm_, ops.addmv
    addmv_, addr, addr_, baddbmm = ops.addmv_, ops.addr, ops.addr_, ops.baddbmm
    baddbmm_, cross, inner, kron = ops.baddbmm_, ops.cross, ops.inner, ops.kron
    vdot, ger = ops.vdot, ops.outer

    cholesky, logdet, slogdet, inverse = ops.cholesky, ops.logdet, ops.slogdet, ops.linalg_inv
    det = ops.linalg_det

    pinverse, qr, svd = ops.pinverse, ops.qr, ops.svd

    matrix_power = ops.matrix_power

    erf, erf_, erfc, erfc_ = ops.erf, ops.erf_, ops.erfc, ops.erfc_
    erfinv, erfinv_ = ops.erfinv, ops.erfinv_

    round, round_, trunc, trunc_ = ops.round, ops.round_, ops.trunc, ops.trunc_
    frac, frac_, sgn, sgn_ = ops.frac, ops.frac_, ops.sgn, ops.sgn_
    copysign, copysign_, nan_to_num, nan_to_num_ = (
        ops.copysign,
        ops.copysign_,
        ops.nan_to_num,
        ops.nan_to_num_,
    )
    heaviside, heaviside_, signbit = ops.heaviside, ops.heaviside_, ops.signbit

    fmod, fmod_, hypot, hypot_ = ops.fmod, ops.fmod_, ops.hypot, ops.hypot_
    xlogy, xlogy_, lerp, lerp_ = ops.xlogy, ops.xlogy_, ops.lerp, ops.lerp_
    addcmul, addcmul_, addcdiv, addcdiv_ = ops.addcmul, ops.addcmul_, ops.addcdiv, ops.addcdiv_
    float_power, float_power_, fmax, fmin = ops.float_power, ops.float_power_, ops.fmax, ops.fmin
    logaddexp, logaddexp2 = ops.logaddexp, ops.logaddexp2

    clamp_max, clamp_max_, clamp_min_ = ops.clamp_max, ops.clamp_max_, ops.clamp_min_

    square_, positive = ops.square_, ops.positive

    logical_xor = ops.logical_xor

    bitwise_left_shift, bitwise_right_shift, bitwise_left_shift_, bitwise_right_shift_ = (
        ops.bitwise_left_shift,
        ops.bitwise_right_shift,
        ops.bitwise_left_shift_,
        ops.bitwise_right_shift_,
    )

    hardshrink = ops.hardshrink

    arccos, arccos_, arccosh, arccosh_ = ops.acos, ops.acos_, ops.acosh, ops.acosh_
    arcsin, arcsin_, arcsinh, arcsinh_ = ops.asin, ops.asin_, ops.asinh, ops.asinh_
    arctan, arctan_, arctanh, arctanh_ = ops.atan, ops.atan_, ops.atanh, ops.atanh_
    arctan2, arctan2_, fix, fix_ = ops.atan2, ops.atan2_, ops.trunc, ops.trunc_
    greater, less, greater_equal, less_equal = ops.gt, ops.lt, ops.ge, ops.le
    not_equal, greater_, less_, greater_equal_ = ops.ne, ops.gt_, ops.lt_, ops.ge_
    less_equal_, not_equal_, multiply_, subtract_ = ops.le_, ops.ne_, ops.mul_, ops.sub_
    divide_, true_divide_, absolute_, negative_ = ops.div_, ops.div_, ops.abs_, ops.neg_
    bitwise_not_, logical_and_, logical_or_, logical_xor_ = (
        ops.bitwise_not_,
        ops.logical_and_,
        ops.logical_or_,
        ops.logical_xor_,
    )

    gather, take_along_dim, scatter, scatter_ = (
        ops.gather,
        ops.take_along_dim,
        ops.scatter,
        ops.scatter_,
    )
    scatter_add, scatter_add_, scatter_reduce, scatter_reduce_ = (
        ops.scatter_add,
        ops.scatter_add_,
        ops.scatter_reduce,
        ops.scatter_reduce_,
    )

    index_select, index_add, index_add_, index_copy = (
        ops.index_select,
        ops.index_add,
        ops.index_add_,
        ops.index_copy,
    )
    index_copy_, index_fill, index_fill_, index_reduce = (
        ops.index_copy_,
        ops.index_fill,
        ops.index_fill_,
        ops.index_reduce,
    )
    index_reduce_, index_put, index_put_, take = (
        ops.index_reduce_,
        ops.index_put,
        ops.index_put_,
        ops.take,
    )
    put, put_ = ops.put, ops.put_

    masked_fill, masked_fill_, masked_select, masked_scatter = (
        ops.masked_fill,
        ops.masked_fill_,
        ops.masked_select,
        ops.masked_scatter,
    )
    masked_scatter_, nonzero, argwhere = ops.masked_scatter_, ops.nonzero, ops.argwhere

    unflatten, movedim, moveaxis, swapdims = ops.unflatten, ops.movedim, ops.moveaxis, ops.swapdims
    adjoint, flip, fliplr, flipud = ops.adjoint, ops.flip, ops.fliplr, ops.flipud
    roll, rot90, tile, repeat_interleave = ops.roll, ops.rot90, ops.tile, ops.repeat_interleave
    broadcast_to, repeat = ops.broadcast_to, ops.repeat

    tensor_split, hsplit, vsplit, dsplit = ops.tensor_split, ops.hsplit, ops.vsplit, ops.dsplit

    as_strided, select_scatter, slice_scatter, diagonal_scatter = (
        ops.as_strided,
        ops.select_scatter,
        ops.slice_scatter,
        ops.diagonal_scatter,
    )
    narrow_copy, unsafe_split, unsafe_split_with_sizes, unsafe_chunk = (
        ops.narrow_copy,
        ops.unsafe_split,
        ops.unsafe_split_with_sizes,
        ops.unsafe_chunk,
    )
    split_with_sizes, unfold, as_strided_, squeeze_ = (
        ops.split_with_sizes,
        ops.unfold,
        ops.as_strided_,
        ops.squeeze_,
    )
    unsqueeze_, transpose_, t_, swapaxes_ = ops.unsqueeze_, ops.transpose_, ops.t_, ops.swapaxes_
    swapdims_ = ops.swapdims_

    renorm, renorm_ = ops.renorm, ops.renorm_

    dist = ops.dist

    prelu = ops.prelu

    lgamma, lgamma_, digamma, digamma_ = ops.lgamma, ops.lgamma_, ops.digamma, ops.digamma_
    polygamma, polygamma_, mvlgamma, mvlgamma_ = (
        ops.polygamma_method,
        ops.polygamma_,
        ops.mvlgamma,
        ops.mvlgamma_,
    )

    i0, i0_ = ops.i0, ops.i0_

    triangular_solve, cholesky_solve, cholesky_inverse, lu = (
        ops.triangular_solve,
        ops.cholesky_solve,
        ops.cholesky_inverse,
        ops.lu_method,
    )
    lu_solve = ops.lu_solve

    cov, corrcoef = ops.cov, ops.corrcoef

    matrix_exp, orgqr = ops.linalg_matrix_exp, ops.linalg_householder_product

    ldexp, ldexp_, frexp, nextafter = ops.ldexp, ops.ldexp_, ops.frexp, ops.nextafter
    nextafter_, isposinf, isneginf, isreal = ops.nextafter_, ops.isposinf, ops.isneginf, ops.isreal
    conj, conj_physical, conj_physical_, resolve_conj = (
        ops.conj,
        ops.conj_physical,
        ops.conj_physical_,
        ops.resolve_conj,
    )
    resolve_neg, angle = ops.resolve_neg, ops.angle

    histogram = ops.histogram

    nonzero_static = ops.nonzero_static

    sum_to_size = ops.sum_to_size_method

    as_strided_scatter = ops.as_strided_scatter

    def where(self, condition: Any, other: Any) -> Any:
        """`self` where `condition` holds, else `other`."""
        return ops.where(condition, self, other)
