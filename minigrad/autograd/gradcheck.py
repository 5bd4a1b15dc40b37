"""Are the gradients right? Compare them with finite differences.

The backward pass gives one row of a function's Jacobian per output element. Moving one element of
one input by a small step, both ways, gives one column of it with an error of the order of the step
squared. `gradcheck` computes the whole Jacobian in both ways, in float64, and compares.
`gradgradcheck` does so for the function that computes the gradient.

    x = minigrad.rand(3, dtype=minigrad.float64, requires_grad=True)
    assert minigrad.autograd.gradcheck(lambda x: x.exp() * x, x)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import gpu
from ..warn import warn
from . import node as graph
from .function import Function
from .interface import grad, one_hot

Tensor = Any
Func = Callable[..., Any]
Jacobian = Any  # an array of shape (elements of the input, elements of the output)


class GradcheckError(RuntimeError):
    """What `gradcheck` and `gradgradcheck` raise when gradients are wrong."""


def gradcheck(
    func: Func, inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False, check_forward_ad: bool = False,
    check_backward_ad: bool = True, fast_mode: bool = False, masked: bool | None = None,
) -> bool:  # fmt: skip
    """Whether the gradients of `func` with respect to those `inputs` that require them are right.

    `inputs`: a Tensor or a sequence of arguments; float64, or rounding hides the derivative.
    Right means |analytical - numerical| <= atol + rtol * |numerical|, the same values twice in a
    row (to `nondet_tol`), zeros for zeros, and with `check_undefined_grad` a backward that copes
    with missing gradients. Raises GradcheckError, or returns False without `raise_exception`.

    `fast_mode` compares the whole Jacobians too. `check_grad_dtypes` and `masked` are accepted: the
    engine itself fits dtypes, and there are no sparse Tensors. `check_batched_grad` needs vmap and
    raises NotImplementedError."""
    if check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError(
            "check_batched_grad: there is no vmap in minigrad; check the samples one by one"
        )
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    args = _as_tuple(inputs)
    _check_inputs(args)
    try:
        _compare(func, args, eps, atol, rtol, nondet_tol, check_backward_ad, check_forward_ad)
        if check_backward_ad:
            _check_zeros(func, args)
        if check_undefined_grad and check_backward_ad:
            _check_undefined(func, args)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Func, inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True, fast_mode: bool = False, masked: bool = False,
) -> bool:  # fmt: skip
    """`gradcheck` of the function from (inputs, grad_outputs) to the gradients of the inputs.

    `grad_outputs`: one Tensor per differentiable output; random ones in [-1, 1) if left out."""
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError(
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
        )
    for name, flag in (
        ("check_undefined_grad", check_undefined_grad), ("check_batched_grad", check_batched_grad),
    ):  # fmt: skip
        if flag and not check_rev_over_rev:
            raise AssertionError(f"Setting {name}=True requires check_rev_over_rev to be True")
    args = _as_tuple(inputs)
    if grad_outputs is None:
        made = [_random_like(o, gen_non_contig_grad_outputs) for o in _differentiable(func(*args))]
        weights = tuple(made)
    else:
        weights = _as_tuple(grad_outputs)
    needed = [_needs_gradient(a) for a in args]
    trained = [w.requires_grad for w in weights]

    def gradient(*values: Any) -> tuple[Tensor, ...]:
        inputs = [_requiring(v, need) for v, need in zip(values, needed, strict=False)]
        outputs = _differentiable(func(*inputs))
        given = [_requiring(v, t) for v, t in zip(values[len(args) :], trained, strict=True)]
        targets = [i for i, need in zip(inputs, needed, strict=True) if need]
        found = grad(outputs, targets, given, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradient, args + weights, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        fast_mode=fast_mode, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev, masked=masked,
    )  # fmt: skip


# --- the two Jacobians ---------------------------------------------------------------------------


def _compare(
    func: Func, args: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet_tol: float,
    backward: bool, forward: bool,
) -> None:  # fmt: skip
    """Compare the Jacobian of each differentiable output with respect to each input."""
    outputs = _as_tuple(func(*args))
    numerical = [_numerical(func, args, target, outputs, eps) for target in _targets(args)]
    if not any(o.requires_grad for o in outputs):
        if any(jacobian.any() for jacobians in numerical for jacobian in jacobians):
            raise GradcheckError("Numerical gradient for function expected to be zero")
        return
    kept = [i for i, o in enumerate(outputs) if o.requires_grad]
    modes: list[tuple[str, Any]] = []
    if backward:
        modes.append(("", [_reentrant(args, outputs[i], nondet_tol) for i in kept]))
    if forward:
        columns = [_forward_mode(func, args, target, outputs) for target in _targets(args)]
        modes.append(("computed with forward mode ", [[c[i] for c in columns] for i in kept]))
    for mode, analytical in modes:
        for output, (position, row) in enumerate(zip(kept, analytical, strict=True)):
            for input, (found, expected) in enumerate(zip(row, numerical, strict=True)):
                if not np.allclose(found, expected[position], rtol, atol):
                    raise GradcheckError(
                        f"Jacobian {mode}mismatch for output {output} with respect to input {input},\n"
                        f"numerical:{graph.wrap(expected[position])}\nanalytical:{graph.wrap(found)}\n"
                    )


def _numerical(
    func: Func, args: tuple[Any, ...], target: Tensor, outputs: Sequence[Tensor], eps: float
) -> list[Jacobian]:
    """Central differences: per output, how it changes with each element of `target`."""
    jacobians = [np.zeros((target.numel(), o.numel()), o._array.dtype) for o in outputs]
    for row, index in enumerate(np.ndindex(target._array.shape)):
        value = gpu.host_scalar(target._array[index])
        below = _values_at(func, args, target, index, value - eps, outputs, eps)
        above = _values_at(func, args, target, index, value + eps, outputs, eps)
        target._array[index] = value
        for jacobian, a, b in zip(jacobians, below, above, strict=True):
            jacobian[row] = ((b - a) / (2 * eps)).reshape(-1)
    return jacobians


def _values_at(
    func: Func, args: tuple[Any, ...], target: Tensor, index: Any, value: Any, like: Sequence[Tensor],
    eps: float,
) -> list[Any]:  # fmt: skip
    """The outputs with one element of `target` at another value; the graph does not notice it."""
    target._array[index] = value
    arrays = [gpu.to_host(output._array).copy() for output in _as_tuple(func(*args))]
    for array, first in zip(arrays, like, strict=True):
        for what, now, before in (
            ("shape", graph.wrap(array).shape, first.shape),
            ("dtype", graph.wrap(array).dtype, first.dtype),
        ):
            if now != before:
                raise AssertionError(
                    f"Expected `func` to return outputs with the same {what} when inputs are perturbed "
                    f"on index {index} by {eps}, but got: {what}s {before} and {now}."
                )
    return arrays


def _reentrant(args: tuple[Any, ...], output: Tensor, nondet_tol: float) -> list[Jacobian]:
    """The Jacobians by backward passes, computed twice."""
    first, second = _analytical(args, output), _analytical(args, output)
    for a, b in zip(first, second, strict=True):
        if a.size and np.abs(a - b).max() > nondet_tol:
            raise GradcheckError(NOT_REENTRANT.format(nondet_tol))
    return first


def _analytical(args: tuple[Any, ...], output: Tensor) -> list[Jacobian]:
    targets = _targets(args)
    jacobians = [np.zeros((t.numel(), output.numel()), t._array.dtype) for t in targets]
    for column in range(output.numel()):
        weight = [one_hot(output, column)]
        found = grad([output], targets, weight, retain_graph=True, allow_unused=True)
        for jacobian, gradient in zip(jacobians, found, strict=True):
            if gradient is not None:
                jacobian[:, column] = gpu.to_host(gradient._array).reshape(-1)
    return jacobians


def _forward_mode(
    func: Func, args: tuple[Any, ...], target: Tensor, outputs: Sequence[Tensor]
) -> list[Jacobian]:
    """The Jacobians by forward mode: one direction after the other."""
    from . import forward_ad  # here, so that a program without forward mode need not load it

    jacobians = [np.zeros((target.numel(), o.numel()), o._array.dtype) for o in outputs]
    for row in range(target.numel()):
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(target.detach(), one_hot(target, row))
            plain = [a.detach() if isinstance(a, graph.Tensor) else a for a in args]
            found = func(*[dual if a is target else p for a, p in zip(args, plain, strict=True)])
            for jacobian, output in zip(jacobians, _as_tuple(found), strict=True):
                tangent = forward_ad.unpack_dual(output).tangent
                if tangent is not None:
                    jacobian[row] = gpu.to_host(tangent._array).reshape(-1)
    return jacobians


# --- what else a backward must do ----------------------------------------------------------------


def _check_zeros(func: Func, args: tuple[Any, ...]) -> None:
    """A gradient of zero has to give zero."""
    outputs = _differentiable(func(*args))
    if not outputs:
        return
    zeros = [graph.tensor_ops.zeros_like(o) for o in outputs]
    for gradient in grad(outputs, _targets(args), zeros, allow_unused=True):
        if gradient is not None and gradient._array.any():
            raise GradcheckError("backward not multiplied by grad_output")


class _Undefined(Function):
    """The identity, whose gradient is none at all."""

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        return input.view_as(input)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> None:
        return None


def _check_undefined(func: Func, args: tuple[Any, ...]) -> None:
    """All gradients missing, then one at a time, each has to count as zero."""
    count = len(_differentiable(func(*args)))
    for missing in [range(count), *([i] for i in range(count) if count > 1)]:
        outputs = _differentiable(func(*args))
        outputs = [_Undefined.apply(o) if i in missing else o for i, o in enumerate(outputs)]
        zeros = [graph.tensor_ops.zeros_like(o) for o in outputs]
        if not outputs:
            return
        try:
            found = grad(outputs, _targets(args), zeros, allow_unused=True)
        except Exception as error:
            warn(NEW_CHECK, UserWarning)
            if not isinstance(error, RuntimeError):
                raise
            raise GradcheckError(UNDEFINED) from error
        if any(g is not None and g._array.any() for g in found):
            warn(NEW_CHECK, UserWarning)
            raise GradcheckError(UNDEFINED_NOT_ZERO)


# --- arguments -----------------------------------------------------------------------------------


def _as_tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def _needs_gradient(value: Any) -> bool:
    return isinstance(value, graph.Tensor) and value.requires_grad


def _targets(args: tuple[Any, ...]) -> list[Tensor]:
    return [a for a in args if _needs_gradient(a)]


def _differentiable(outputs: Any) -> list[Tensor]:
    return [o for o in _as_tuple(outputs) if o.requires_grad]


def _requiring(value: Any, needed: bool) -> Any:
    return value.requires_grad_() if needed else value


def _random_like(output: Tensor, non_contiguous: bool) -> Tensor:
    """Uniform in [-1, 1), from the default generator; non-contiguous on demand."""
    made = graph.tensor_ops.empty_like(output)
    if non_contiguous and output.numel() > 1:
        made = graph.wrap(np.repeat(made._array, 2, axis=-1)[..., ::2])
    return made.uniform_(-1, 1).requires_grad_()


def _check_inputs(args: tuple[Any, ...]) -> None:
    for index, tensor in enumerate(args):
        if not _needs_gradient(tensor):
            continue
        if tensor._array.dtype != np.float64:
            warn(
                f"Input #{index} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double precision "
                "floating point or complex. ",
                UserWarning,
            )
        if any(s <= 0 and n > 1 for s, n in zip(tensor.stride(), tensor.shape, strict=True)):
            raise RuntimeError(
                f"The {index}th input has a dimension with stride 0. gradcheck only supports inputs that "
                "are non-overlapping to be able to compute the numerical gradients correctly. You should "
                "call .contiguous on the input before passing it to gradcheck."
            )
    if not _targets(args):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have "
            "requires_grad=True."
        )


NOT_REENTRANT = (
    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
    "gives different values, although analytical gradient matches numerical gradient."
    "The tolerance for nondeterminism was {}."
)
NEW_CHECK = (
    "Backwards compatibility: New undefined gradient support checking feature is enabled by default, "
    "but it may break existing callers of this function. If this is true for you, you can call this "
    'function with "check_undefined_grad=False" to disable the feature'
)
UNDEFINED = (
    'Expected backward function to handle undefined output grads. Please look at "Notes about '
    'undefined output gradients" in "tools/autograd/derivatives.yaml"'
)
UNDEFINED_NOT_ZERO = (
    "Expected all input grads to be undefined or zero when all output grads are undefined or zero. "
    'Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
)
