"""Recurrent networks: layers that go through a sequence step by step, and keep a state.

`RNN`, `LSTM` and `GRU` run a stack of layers over whole sequences; `RNNCell`, `LSTMCell` and
`GRUCell` make one step. What they compute is in `minigrad.ops` (`recurrent.py` and its neighbours).
"""

from __future__ import annotations

import math
import numbers
from typing import Any

from ... import ops
from ...tensor import Tensor
from ...warn import warn
from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module
from .rnn_cells import GRUCell, LSTMCell, RNNCell, RNNCellBase

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What the recurrent networks share: their parameters and the checks of their inputs.

    For layer k, weight_ih_lk is (gates * hidden_size, input size of the layer), weight_hh_lk
    (gates * hidden_size, hidden_size), bias_ih_lk and bias_hh_lk (gates * hidden_size,); with
    `proj_size`, weight_hr_lk is (proj_size, hidden_size). The backward direction's names end
    in "_reverse". All start uniform on [-b, b) with b = 1 / sqrt(hidden_size).
    """

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1,
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
        bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_dropout(dropout)
        self._check_sizes()
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse") if bidirectional else ("",):
                self._make_weights(layer, suffix, {"device": device, "dtype": dtype})
        self.reset_parameters()

    def _check_dropout(self, dropout: Any) -> None:
        is_number = isinstance(dropout, numbers.Number) and not isinstance(dropout, bool)
        if not is_number or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] "
                "representing the probability of an element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:
            warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}"
            )

    def _check_sizes(self) -> None:
        for name, kind in (
            ("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int),
        ):  # fmt: skip
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(
                    f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
                )
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + self.mode)

    def _make_weights(self, layer: int, suffix: str, options: dict[str, Any]) -> None:
        """The parameters of one layer in one direction."""
        directions = 2 if self.bidirectional else 1
        rows = _GATES[self.mode] * self.hidden_size
        state_size = self.proj_size or self.hidden_size
        columns = state_size * directions if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, columns)}
        shapes["weight_hh"] = (rows, state_size)
        if self.bias:
            shapes["bias_ih"] = shapes["bias_hh"] = (rows,)
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            values = ops.empty(shape, **options)
            self.register_parameter(f"{name}_l{layer}{suffix}", Parameter(values))
        self._all_weights.append([f"{name}_l{layer}{suffix}" for name in shapes])

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [getattr(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing: a GPU's library wants the parameters side by side, here they are as they are."""

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        bound = 1.0 / math.sqrt(max(self.hidden_size, 1))
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
            "bidirectional": False,
        }  # fmt: skip
        changed = [
            f", {name}={getattr(self, name)}"
            for name, default in defaults.items()
            if getattr(self, name) != default
        ]
        return f"{self.input_size}, {self.hidden_size}" + "".join(changed)

    # -- inputs ----------------------------------------------------------------------------------

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises ValueError for another dtype than the weights', RuntimeError for other sizes."""
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert "
                f"input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        dims = 3 if batch_sizes is None else 2
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """(layers * directions, batch, size of the state)."""
        return self._state_shape(input, batch_sizes, self.proj_size or self.hidden_size)

    def _state_shape(
        self, input: Tensor, batch_sizes: Tensor | None, size: int
    ) -> tuple[int, int, int]:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0 if self.batch_first else 1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:  # fmt: skip
        if tuple(hx.size()) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises if input or state do not fit this network."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states in another order of the batch."""
        return hx if permutation is None else ops.index_select(hx, 1, permutation)

    # -- running ---------------------------------------------------------------------------------

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The last layer's outputs of all steps, and the last states of all layers.

        input: (steps, batch, input_size), with `batch_first` (batch, steps, input_size), without
            a batch (steps, input_size), or a PackedSequence.
        hx: the first states, (layers * directions, batch, hidden_size); zeros if not given.
            For an LSTM it is a pair (h, c).
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        has_batch = self._check_dims(input, hx)
        if not has_batch:
            input = input.unsqueeze(0 if self.batch_first else 1)
            hx = _each(hx, lambda state: state.unsqueeze(1))
        if hx is None:
            hx = self._zeros(input, None)
        self.check_forward_args(input, hx, None)
        output, hidden = self._run(input, hx, self.batch_first)
        if not has_batch:
            output = output.squeeze(0 if self.batch_first else 1)
            hidden = _each(hidden, lambda state: state.squeeze(1))
        return output, hidden

    def _forward_packed(self, sequence: PackedSequence, hx: Any) -> Any:
        data, batch_sizes, order, back = sequence
        if hx is None:
            hx = self._zeros(data, batch_sizes)
        else:
            hx = self.permute_hidden(hx, order)
        self.check_forward_args(data, hx, batch_sizes)
        output, hidden = self._run(data, hx, batch_sizes=batch_sizes)
        packed = PackedSequence(output, batch_sizes, order, back)
        return packed, self.permute_hidden(hidden, back)

    def _check_dims(self, input: Tensor, hx: Any) -> bool:
        """Whether there is a dimension for the batch; raises if input and state disagree."""
        name = "RNN" if self.mode.startswith("RNN") else self.mode
        if input.dim() not in (2, 3):
            kind = " tensor" if name == "RNN" else ""
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {input.dim()}D{kind} instead"
            )
        states = () if hx is None else (hx[0], hx[1]) if self.mode == "LSTM" else (hx,)
        dims = [state.dim() for state in states]
        if any(d != input.dim() for d in dims):
            kind = "unbatched 2-D" if input.dim() == 2 else "batched 3-D"
            names, found = "hx should", f"{dims[0]}-D tensor"
            if self.mode == "LSTM":
                names, found = "hx and cx should", f"({dims[0]}-D, {dims[1]}-D) tensors"
            raise RuntimeError(f"For {kind} input, {names} also be {input.dim()}-D but got {found}")
        return input.dim() == 3

    def _zeros(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return ops.zeros(
            self.get_expected_hidden_size(input, batch_sizes),
            dtype=input.dtype,
            device=input.device,
        )

    def _run(
        self, input: Tensor, hx: Any, batch_first: bool = False, batch_sizes: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        options = [
            self.bias, self.num_layers, self.dropout, self.training, bool(self.bidirectional),
        ]  # fmt: skip
        network: Any = getattr(ops, self.mode.lower())
        if batch_sizes is None:
            output, *hidden = network(input, hx, self._flat_weights, *options, batch_first)
        else:
            output, *hidden = network(input, batch_sizes, hx, self._flat_weights, *options)
        return output, tuple(hidden) if self.mode == "LSTM" else hidden[0]


def _each(hx: Any, change: Any) -> Any:
    if hx is None or isinstance(hx, Tensor):
        return None if hx is None else change(hx)
    return tuple(change(state) for state in hx)


class RNN(RNNBase):
    """Layers of h = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh), or relu.

    nonlinearity: "tanh" or "relu". The other arguments, in PyTorch's order after it: `bias,
    batch_first, dropout` (between layers), `bidirectional`.
    Raises ValueError for another nonlinearity."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(f"RNN_{self.nonlinearity.upper()}", *args, **kwargs)


class GRU(RNNBase):
    """Layers with gated recurrent units (Cho et al. 2014).

    r, z = sigmoid of x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh, their first rows;
    n = tanh(last rows of the product with x + r * those of the product with h);
    h = (1 - z) * n + z * h.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """Layers with long short-term memory (Hochreiter & Schmidhuber 1997).

    i, f, o = sigmoid and g = tanh of x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh, whose
    rows are in the order i, f, g, o; c = f * c + i * g; h = o * tanh(c).
    With `proj_size`, h is multiplied with weight_hr and has that size.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """(layers * directions, batch, hidden_size)."""
        return self._state_shape(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        shapes = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        for at, shape in enumerate(shapes):
            text = f"Expected hidden[{at}] size {{}}, got {{}}"
            self.check_hidden_size(hidden[at], shape, text)

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        if permutation is None:
            return hx
        return tuple(ops.index_select(state, 1, permutation) for state in hx)

    def _zeros(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        cells = self.get_expected_cell_size(input, batch_sizes)
        return super()._zeros(input, batch_sizes), ops.zeros(
            cells, dtype=input.dtype, device=input.device
        )
