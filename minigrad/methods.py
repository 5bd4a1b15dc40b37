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
    t, transpose, swapaxes, permute = ops.t, ops.transpose, ops.transpose, ops.permute
    expand, expand_as, contiguous, clone = ops.expand, ops.expand_as, ops.contiguous, ops.clone
    split, chunk, unbind, narrow, select = ops.split, ops.chunk, ops.unbind, ops.narrow, ops.select
    to, copy_, fill_, zero_ = ops.to, ops.copy_, ops.fill_, ops.zero_
    uniform_, normal_, random_ = ops.uniform_, ops.normal_, ops.random_
    bernoulli, bernoulli_, exponential_ = ops.bernoulli, ops.bernoulli_, ops.exponential_

    def where(self, condition: Any, other: Any) -> Any:
        """`self` where `condition` holds, else `other`."""
        return ops.where(condition, self, other)
