"""What `functional.py` demands of its arguments and results, with PyTorch's sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import node as graph

Tensor = Any
Tensors = Any  # a Tensor or a tuple of them


def as_tuple(value: Tensors, what: str, name: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether `value` is a tuple, and its Tensors as one."""
    several = isinstance(value, tuple)
    for i, item in enumerate(value if several else (value,)):
        if not isinstance(item, graph.Tensor):
            which = f"value at index {i}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the "
                f"{which} has type {type(item)}."
            )
    return several, value if several else (value,)


def check_strategy(create_graph: bool, strict: bool, vectorize: bool, strategy: str) -> None:
    prefix = "torch.autograd.functional.jacobian: "
    if strategy not in STRATEGIES:
        raise AssertionError(BAD_STRATEGY)
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(prefix + FORWARD_MODE.format("create_graph"))
        if strict:
            raise RuntimeError(prefix + FORWARD_MODE.format("strict"))
        if not vectorize:
            raise NotImplementedError(FORWARD_NEEDS_VECTORIZE)
    elif strict and vectorize:
        raise RuntimeError(prefix + STRICT_VECTORIZE)


def check_single(tensors: Sequence[Tensor], message: str) -> None:
    if len(tensors) != 1 or tensors[0].numel() != 1:
        raise RuntimeError(message)


def single_output(outputs: Sequence[Tensor], several: bool, name: str) -> Tensor:
    if several:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return outputs[0]


def check_recorded(tensors: Sequence[Tensor | None], message: str, strict: bool) -> None:
    """In strict mode each of `tensors` must depend on the inputs."""
    for i, tensor in enumerate(tensors if strict else ()):
        if tensor is None:
            raise RuntimeError(NO_INPUT.format(i))
        if not tensor.requires_grad:
            raise RuntimeError(message.format(i))


def independent(what: str, index: int) -> str:
    return (
        f"The {what} of the user-provided function is independent of input {index}. This is not "
        "allowed in strict mode when create_graph=True."
    )


# PyTorch's sentences, by what is missing.
STRATEGIES = ("forward-mode", "reverse-mode")
BAD_STRATEGY = (
    'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more '
    'outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use '
    '"reverse-mode".'
)
FORWARD_MODE = (
    '`{0}=True` and `strategy="forward-mode"` are not supported together (yet). Please either set '
    '`{0}=False` or `strategy="reverse-mode"`.'
)
FORWARD_NEEDS_VECTORIZE = (
    "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for "
    "`vectorize=True`."
)
STRICT_VECTORIZE = (
    "`strict=True` and `vectorized=True` are not supported together. Please either set "
    "`strict=False` or `vectorize=False`."
)
VJP_WITHOUT_V = (
    "The vector v can only be None if the user-provided function returns a single Tensor with a "
    "single element."
)
JVP_WITHOUT_V = (
    "The vector v can only be None if the input to the user-provided function is a single Tensor "
    "with a single element."
)
OUTPUTS = (
    "Output {} of the user-provided function does not require gradients. The outputs must be "
    "computed in a differentiable manner from the input when running in strict mode."
)
GRAD_INPUTS = (
    "The gradient with respect to input {} is independent of the inputs of the user-provided "
    "function. This is not allowed in strict mode."
)
JACOBIAN = (
    "While computing the hessian, found that the jacobian of the user-provided function with "
    "respect to input {} is independent of the input. This is not allowed in strict mode. You "
    "should ensure that your function is twice differentiable and that the jacobian depends on the "
    "inputs (this would be violated by a linear function for example)."
)
NO_INPUT = (
    "The output of the user-provided function is independent of input {}. This is not allowed in "
    "strict mode."
)
NO_ENTRY = (
    "The gradient with respect to the input is independent of entry {} in the grad_outputs when "
    "using the double backward trick to compute forward mode gradients. This is not allowed in "
    "strict mode."
)
NO_JACOBIAN = (
    "The jacobian of the user-provided function is independent of input {}. This is not allowed in "
    "strict mode."
)
NO_HESSIAN_ENTRY = (
    "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. "
    "This is not allowed in strict mode as it prevents from using the double backward trick to "
    "replace forward mode AD."
)
