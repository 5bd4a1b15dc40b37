"""Single steps of recurrent networks: `RNNCell`, `LSTMCell`, `GRUCell`."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...tensor import Tensor
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share: weight_ih (chunks * hidden_size, input_size), weight_hh (chunks *
    hidden_size, hidden_size), bias_ih and bias_hh (chunks * hidden_size,) or None.

    They start uniform on [-b, b) with b = 1 / sqrt(hidden_size)."""

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        options = {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(ops.empty((rows, input_size), **options))
        self.weight_hh = Parameter(ops.empty((rows, hidden_size), **options))
        for name in ("bias_ih", "bias_hh"):
            values = Parameter(ops.empty(rows, **options)) if bias else None
            self.register_parameter(name, values)
        self.reset_parameters()

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = self.__dict__.get("nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        bound = 1.0 / math.sqrt(max(self.hidden_size, 1))
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check_dims(self, input: Tensor, states: tuple[Any, ...], names: tuple[str, ...]) -> None:
        """Raises ValueError unless all have one dimension (no batch) or two."""
        kind = type(self).__name__
        for name, tensor in zip(("input", *names), (input, *states), strict=False):
            if tensor is not None and tensor.dim() not in (1, 2):
                raise ValueError(
                    f"{kind}: Expected {name} to be 1D or 2D, got {tensor.dim()}D instead"
                )

    def _step(self, cell: Any, input: Tensor, hx: Tensor | None) -> Tensor:
        """A step of a cell with one state, also without a batch."""
        self._check_dims(input, (hx,), ("hidden",))
        has_batch = input.dim() == 2
        if not has_batch:
            input = input.unsqueeze(0)
        if hx is None:
            hx = ops.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)
        elif not has_batch:
            hx = hx.unsqueeze(0)
        new: Tensor = cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return new if has_batch else new.squeeze(0)


class RNNCell(RNNCellBase):
    """h = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh), or relu.

    Called with x (batch, input_size) or (input_size,), and h (batch, hidden_size) or nothing."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        cells = {"tanh": ops.rnn_tanh_cell, "relu": ops.rnn_relu_cell}
        if self.nonlinearity not in cells:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(cells[self.nonlinearity], input, hx)


class LSTMCell(RNNCellBase):
    """One step of an `LSTM`: from x and (h, c) the new (h, c), each (batch, hidden_size)."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        self._check_dims(input, hx or (), ("hx[0]", "hx[1]"))
        has_batch = input.dim() == 2
        if not has_batch:
            input = input.unsqueeze(0)
        if hx is None:
            zeros = ops.zeros(
                input.size(0), self.hidden_size, dtype=input.dtype, device=input.device
            )
            hx = (zeros, zeros)
        elif not has_batch:
            hx = (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        h, c = ops.lstm_cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (h, c) if has_batch else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a `GRU`: from x and h the new h, (batch, hidden_size)."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(ops.gru_cell, input, hx)
