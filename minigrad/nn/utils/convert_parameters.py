"""All parameters as one vector, and back: for optimizers that are written for a vector."""

from __future__ import annotations

from collections.abc import Iterable

from ... import ops
from ...tensor import Tensor
from ...utils.tensors import typename

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The numbers of all parameters, one parameter after the other; differentiable."""
    return ops.cat([param.view(-1) for param in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Makes slices of `vec` the parameters' data, with which they then share memory.

    Raises TypeError if `vec` is no Tensor, RuntimeError if it is too short.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    start = 0
    for param in parameters:
        end = start + param.numel()
        param.data = vec[start:end].view_as(param).data
        start = end
