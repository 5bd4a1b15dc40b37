"""The writes of `test_wrong_writes.py` after which something else is seen than in PyTorch.

- Where several mistakes are made at once, another one of them is named: minigrad looks at shapes
  and indices before it looks at whether a leaf is written, PyTorch mostly after that.
- PyTorch has no derivative of the `logical_` methods, so they write into leaves.
- minigrad refuses to write into memory that repeats also where kernels of PyTorch's do it.
- Writes that PyTorch makes in several steps see what they have written already.
- Some texts name a dtype as C++ or an operator as Python does.
"""

DIFFERENT_WRITES = {
    "leaf": """
logical_and_; logical_not_; logical_or_; logical_xor_
""",
    "leaf, indices too large": """
index_add_; index_put_; index_reduce_; put_; scatter_; scatter_add_; scatter_reduce_
""",
    "leaf, float indices": """
index_add_; index_put_; index_reduce_; put_; scatter_; scatter_add_; scatter_reduce_; x[i] = y;
x[i] = 2.0; x[i] = y[0]; x[i, i] = 0.5; x[None, i] = y; x[1:][i] = y; x[0, i] = y[0]
""",
    "leaf, argument of another shape": """
addcdiv_; addcmul_; addmm_; addmv_; addr_; baddbmm_; bernoulli_; copy_; heaviside_; index_add_;
index_put_; index_reduce_; logical_and_; logical_or_; logical_xor_; put_; scatter_;
scatter_add_; scatter_reduce_; x[True] = y
""",
    "leaf, a number as argument": """
addcdiv_; addcmul_; addmv_; arctan2_; atan2_; baddbmm_; bernoulli_; heaviside_; hypot_;
index_copy_; ldexp_; lerp_; logical_and_; logical_or_; logical_xor_; nextafter_; resize_as_
""",
    "leaf, None as argument": """
add_; addcdiv_; addcmul_; addmv_; arctan2_; atan2_; baddbmm_; bernoulli_; bitwise_left_shift_;
bitwise_right_shift_; clamp_max_; clamp_min_; copy_; copysign_; div_; divide_; eq_;
float_power_; floor_divide_; fmod_; ge_; greater_; greater_equal_; gt_; heaviside_; hypot_;
index_copy_; ldexp_; le_; lerp_; less_; less_equal_; logical_and_; logical_or_; logical_xor_;
lt_; mul_; multiply_; ne_; nextafter_; not_equal_; pow_; remainder_; resize_as_; sub_;
subtract_; true_divide_; xlogy_; x += y; x *= y; x //= y; x %= y; x &= y; x |= y
""",
    "leaf without dimensions": """
as_strided_; bernoulli_; copy_; index_add_; index_put_; index_reduce_; logical_and_;
logical_not_; logical_or_; logical_xor_; masked_scatter_; put_; renorm_; scatter_; scatter_add_;
scatter_reduce_; tril_; triu_; x[i] = y; x[i] = 2.0; x[i] = y[0]; x[m] = 2.0; x[m] = y[m];
x[..., 1:] = 3.0; x[...] = y; x[:] = y; x[i, i] = 0.5; x[None, i] = y; x[0, i] = y[0]; x[i][0] =
y[0]; x[[0, 2]] = 1; x[True] = y; x[i] *= y
""",
    "view of a leaf": """
logical_and_; logical_not_; logical_or_; logical_xor_
""",
    "repeated memory": """
addmv_; baddbmm_; bitwise_left_shift_; bitwise_not_; bitwise_right_shift_; index_fill_;
index_put_; masked_fill_; tril_; triu_; x[i] = y; x[i] = 2.0; x[i] = y[0]; x[m] = 2.0; x[m] =
y[m]; x[..., 1:] = 3.0; x[i, i] = 0.5; x[None, i] = y; x[[0, 2]] = 1; x[i] *= y; x &= y; x |= y;
x <<= i
""",
    "result": """
logical_not_
""",
    "view of a result": """
logical_not_
""",
    "base of a view": """
logical_not_
""",
    "one of several": """
logical_and_; logical_not_; logical_or_; logical_xor_
""",
    "view, not recorded": """
logical_and_; logical_not_; logical_or_; logical_xor_; x[0] = y[0]; x[0] = 3; x[..., 1:] = 3.0;
x[None, i] = y; x[1:][i] = y; x[0, i] = y[0]; x[True] = y; x[0] += y[0]
""",
    "inference": """
bitwise_left_shift_; bitwise_not_; bitwise_right_shift_; resize_; x[1:][i] = y; x &= y; x |= y;
x <<= i
""",
    "kept": """
copy_; fill_; logical_not_; squeeze_; x[...] = y; x[:] = y
""",
    "base kept": """
logical_not_
""",
    "bool": """
bitwise_left_shift_; bitwise_right_shift_; clamp_; clip_; cumprod_; cumsum_; float_power_;
ldexp_; x[1:][i] = y; x[True] = y; x &= y; x |= y
""",
    "int64": """
bitwise_left_shift_; bitwise_right_shift_; cauchy_; clamp_; clip_; float_power_; ldexp_;
mvlgamma_; x[1:][i] = y; x[True] = y; x &= y; x |= y
""",
    "float32": """
float_power_; polygamma_; x[1:][i] = y; x[True] = y
""",
    "argument with a gradient": """
floor_divide_; x[True] = y; x //= y
""",
    "view, and such an argument": """
floor_divide_; heaviside_; x[True] = y; x //= y
""",
    "integers, and such an argument": """
bernoulli_; bitwise_left_shift_; bitwise_right_shift_; clamp_; eq_; float_power_; ge_; greater_;
greater_equal_; gt_; ldexp_; le_; less_; less_equal_; lt_; ne_; not_equal_; x[0] = y[0];
x[1:][i] = y; x[True] = y; x &= y; x |= y
""",
    "argument of integers": """
bernoulli_; x[1:][i] = y; x[True] = y
""",
    "argument of another shape": """
addr_; baddbmm_; bernoulli_; bitwise_left_shift_; bitwise_right_shift_; x[1:][i] = y; x[True] =
y; x &= y; x |= y
""",
    "argument in the same memory": """
addmm_; addmv_; baddbmm_; bitwise_left_shift_; bitwise_right_shift_; floor_divide_; ldexp_;
logical_and_; logical_or_; logical_xor_; masked_scatter_; x[1:][i] = y; x //= y; x &= y; x |= y
""",
    "argument of another shape in the same memory": """
add_; addcdiv_; addcmul_; addmm_; addr_; arctan2_; atan2_; bernoulli_; bitwise_left_shift_;
bitwise_right_shift_; clamp_max_; clamp_min_; copy_; copysign_; div_; divide_; eq_;
float_power_; floor_divide_; fmod_; ge_; greater_; greater_equal_; gt_; heaviside_; hypot_;
index_add_; index_put_; index_reduce_; le_; less_; less_equal_; logical_and_; logical_or_;
logical_xor_; lt_; masked_scatter_; mul_; multiply_; ne_; nextafter_; not_equal_; pow_;
remainder_; scatter_; scatter_add_; scatter_reduce_; sub_; subtract_; true_divide_; xlogy_; x[i]
= y; x[None, i] = y; x[1:][i] = y; x[True] = y; x += y; x *= y; x //= y; x %= y; x &= y; x |= y
""",
    "itself": """
addmm_; addmv_; baddbmm_; masked_scatter_; x[1:][i] = y; x[True] = y
""",
    "negative indices": """
index_reduce_
""",
    "indices too large": """
index_reduce_
""",
    "a number as argument": """
addcdiv_; addcmul_; addmv_; arctan2_; atan2_; baddbmm_; heaviside_; hypot_; ldexp_; lerp_;
logical_and_; logical_or_; logical_xor_; nextafter_; resize_as_
""",
    "None as argument": """
add_; addcdiv_; addcmul_; addmv_; arctan2_; atan2_; baddbmm_; bernoulli_; bitwise_left_shift_;
bitwise_right_shift_; clamp_max_; clamp_min_; copy_; copysign_; div_; divide_; eq_;
float_power_; floor_divide_; fmod_; ge_; greater_; greater_equal_; gt_; heaviside_; hypot_;
ldexp_; le_; lerp_; less_; less_equal_; logical_and_; logical_or_; logical_xor_; lt_; mul_;
multiply_; ne_; nextafter_; not_equal_; pow_; remainder_; resize_as_; sub_; subtract_;
true_divide_; xlogy_
""",
    "a number as indices": """
index_fill_; index_put_; x[i] = y; x[1:][i] = y; x[0, i] = y[0]; x[i][0] = y[0]
""",
    "one dimension": """
addbmm_; addmm_; addmv_; addr_; baddbmm_; bernoulli_; bitwise_left_shift_; bitwise_right_shift_;
x[0] = y[0]; x[...] = y; x[:] = y; x[1:][i] = y; x[i][0] = y[0]; x[True] = y; x &= y; x |= y
""",
    "no dimension": """
addbmm_; addmm_; addmv_; addr_; baddbmm_; bernoulli_; bitwise_left_shift_; bitwise_right_shift_;
x[i] = y; x[i] = 2.0; x[i] = y[0]; x[m] = 2.0; x[m] = y[m]; x[..., 1:] = 3.0; x[...] = y; x[:] =
y; x[i, i] = 0.5; x[None, i] = y; x[0, i] = y[0]; x[i][0] = y[0]; x[[0, 2]] = 1; x[True] = y;
x[i] *= y; x &= y; x |= y; x <<= i
""",
    "another dimension": """
addbmm_; addmm_; addr_; baddbmm_; x[1:][i] = y; x[[0, 2]] = 1
""",
    "empty": """
addmm_; addr_; bernoulli_; bitwise_left_shift_; bitwise_right_shift_; index_add_; index_fill_;
index_put_; index_reduce_; put_; x[i] = y; x[i] = 2.0; x[i] = y[0]; x[i, i] = 0.5; x[None, i] =
y; x[1:][i] = y; x[i][0] = y[0]; x[[0, 2]] = 1; x[True] = y; x[i] *= y; x &= y; x |= y
""",
}
