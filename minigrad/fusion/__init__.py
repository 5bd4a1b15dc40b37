"""Chains of elementwise operations as one kernel of a GPU.

Each NumPy function on a CuPy array starts a program on the GPU, a kernel, which takes some
microseconds even for a single number; Adam's update of one parameter is seventeen of them.

Here the same Python code runs on `Element`s in place of arrays. An Element stands for "the element
that this thread works on": what is done to it becomes a line of C, in the dtypes that NumPy would
use. When an array is needed (at the end, or by a sum over a dimension) CuPy compiles the lines,
once, and one launch does the work of all. So no formula is written twice. Two users:

- an optimizer's update, whose numbers change from step to step: `in_one_kernel` writes the lines
  anew each time, the numbers are arguments of the kernel, and only lines not seen before are
  compiled;
- the forwards and gradient formulas of rows (`fused`): what was done for arguments of these shapes
  and dtypes is kept as a list of steps, kernels and calls of other functions, and done again.

This module is imported with CuPy: a program without a GPU never comes here.
"""

from .element import Element as Element
from .kernels import fuse as fuse
from .kernels import fuse_rows as fuse_rows
from .kernels import in_one_kernel as in_one_kernel
from .kernels import unfuse_rows as unfuse_rows
