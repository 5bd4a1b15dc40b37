"""`Variable`, PyTorch's old name for a tensor that takes part in autograd."""

from __future__ import annotations

from typing import Any

from . import node as graph


class _VariableType(type):
    """`isinstance(t, Variable)` holds for every Tensor."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, graph.Tensor)


class Variable(metaclass=_VariableType):
    """`Variable(t, requires_grad)`: a leaf Tensor that shares the memory of `t`."""

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        if data is None:
            return graph.Tensor().requires_grad_(requires_grad)
        if not isinstance(data, graph.Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
