"""Derivatives as functions of functions: `grad(f)` is the function that computes the gradient.

    dloss = minigrad.func.grad(loss)  # dloss(w, x): the gradient of loss(w, x) with respect to w
    H = minigrad.func.hessian(f)(x)

The function is called on private leaves in place of those arguments that `argnums` names; these may
be Tensors or nested dicts, lists and tuples of them. What comes out is a part of a graph only where
it depends on something else that needs a gradient (a Tensor that the function closes over, or the
leaves of an outer transform), so transforms can be nested: `grad(grad(f))`.

`functional_call` runs a module with other parameters than its own. Read `transforms.py`.
"""

from .functional_call import functional_call
from .transforms import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp, vmap

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp", "vmap",
]  # fmt: skip
