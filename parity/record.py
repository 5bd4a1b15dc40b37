"""What is written down while a program runs: one `Event` after the other.

The same `Recorder` serves both libraries. It is told by a `Side` (`torch_side.py`,
`minigrad_side.py`) of each public call, and finds out by itself about graph, gradients, updates,
batches, random draws, printed lines and warnings. Each event goes to a `sink`: on PyTorch's side
a list that is spooled to a file, on minigrad's side the comparison, which may hand back PyTorch's
arrays; they are then written over minigrad's own ("each op given PyTorch's own inputs").
"""

from __future__ import annotations

import sys
import traceback
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import TextIOBase
from types import FrameType
from typing import Any, NamedTuple, Protocol

import numpy as np

from .callers import DRAWS, Callers, Place
from .graph import Graph, dtype_name
from .program import Program
from .units import result_units, step_units

Array = np.ndarray[Any, Any]
Arrays = tuple[Array | None, ...]


class Event(NamedTuple):
    """One thing that happened. `text` must be equal on both sides, `arrays` close in ULPs."""

    kind: str  # op draw batch graph edge leaf step line warning error end
    name: str
    place: Place  # file and line of the program
    text: Any = ()
    arrays: Arrays = ()


class Sink(Protocol):
    """Takes an event; `units` are what products and the like are measured in."""

    forced: bool

    def __call__(self, event: Event, units: Arrays = ()) -> Arrays | None:
        """Return arrays that the event's tensors should now hold, or None to leave them."""


class Side(Protocol):
    """What differs between the two libraries."""

    @property
    def torch(self) -> Any:
        """The library."""

    def run(self, program: Program) -> None:
        """Run a program on this library."""

    def values(self, tensor: Any) -> Array:
        """The tensor's values, as an array that stays as it is until the sink has seen it."""

    def overwrite(self, tensor: Any, array: Array) -> None:
        """Put other values in the tensor's memory, without a trace in the graph."""

    def installed(self, recorder: Recorder) -> Any:
        """A context in which the library's public calls reach `recorder.call`."""


# Calls that give Python numbers or arrays, and are worth comparing. Others give no event unless
# they return tensors.
READS = frozenset({"item", "tolist", "numpy", "float", "int", "bool", "equal", "allclose"})
# Memory that nobody has written to yet holds anything.
UNINITIALISED = frozenset({"empty", "empty_like", "new_empty"})
WALKS = frozenset({"backward", "grad"})

# One name per operation, whether it was called as function, method or operator.
ALIASES = {
    "truediv": "div", "true_divide": "div", "divide": "div", "itruediv": "div_", "idiv": "div_",
    "rtruediv": "rdiv", "radd": "add", "rmul": "mul", "iadd": "add_", "isub": "sub_",
    "imul": "mul_", "ipow": "pow_", "mod": "remainder", "multiply": "mul", "subtract": "sub",
    "negative": "neg", "absolute": "abs", "invert": "bitwise_not", "and": "bitwise_and",
    "concat": "cat", "concatenate": "cat", "swapaxes": "transpose", "swapdims": "transpose",
    "clip": "clamp", "clip_": "clamp_", "absolute_": "abs_", "multiply_": "mul_",
    "or": "bitwise_or", "xor": "bitwise_xor", "floordiv": "floor_divide",
}  # fmt: skip


def operation_name(name: str) -> str:
    """`__radd__` and `add` are the same operation."""
    bare = name[2:-2] if name.startswith("__") and name.endswith("__") else name
    return ALIASES.get(bare, bare)


class Recorder:
    """Follows one run of one program and sends its events to `sink`."""

    def __init__(self, side: Side, sink: Sink) -> None:
        self.side = side
        self.sink = sink
        self.busy = False  # inside a recorded call: what it calls itself is not the program's
        self.place: Place = ("", 0)
        self.graph = Graph(self)
        self._calls = Callers(side.torch)
        self._before_step: dict[int, Array] = {}  # by a tensor's id, its values

    def run(self, program: Program) -> None:
        """Run `program` and record it, including how it ended."""
        lines = _Lines(self)
        with ExitStack() as stack:
            stack.enter_context(redirect_stdout(lines))
            stack.enter_context(_recorded_warnings(self))
            stack.enter_context(self.side.installed(self))
            stack.callback(self.graph.forget)
            try:
                self.side.run(program)
            except (Exception, SystemExit) as error:
                self.error(error)
            lines.finish()
            self.place = ("", 0)
            self.send("end", "end of the program", self._generator_state())

    # What happens -----------------------------------------------------------------------------

    def call(
        self, name: str, function: Any, args: Any, kwargs: Any, caller: FrameType | None
    ) -> Any:
        """Call the library's `function`, and record it if the program asked for it."""
        name = operation_name(name)
        if self.busy or not self._calls.counts(caller, name):
            return function(*args, **kwargs)
        self.place = self._calls.place(caller)
        self.busy = True
        try:
            if name in WALKS:
                with self.graph.walked(args[0] if args else next(iter(kwargs.values()))):
                    result = function(*args, **kwargs)
            else:
                result = function(*args, **kwargs)
            self._operation(name, args, kwargs, args[0] if name == "setitem" else result)
        finally:
            self.busy = False
        return result

    def _operation(self, name: str, args: Any, kwargs: Any, result: Any) -> None:
        tensors = self.tensors(result)
        if tensors and name in UNINITIALISED:
            self._tensor_event("op", name, tensors, values=False)
        elif tensors and name in DRAWS:
            self._tensor_event("draw", name, tensors, self._generator_state())
        elif tensors:
            self._computed(name, args, kwargs, tensors)
        elif name in READS:
            self._read(name, args, result)

    def _computed(self, name: str, args: Any, kwargs: Any, tensors: list[Any]) -> None:
        units: Arrays = ()
        if self.sink.forced:
            units = result_units(self.side, name, args, kwargs, tensors)
        if name == "batch_norm":  # it also writes to its running statistics
            names = ("input", "running_mean", "running_var")
            given = dict(zip(names, args, strict=False)) | kwargs
            tensors = [*tensors, *self.tensors([given[key] for key in names[1:]])]
        self._tensor_event("op", name, tensors, units=units)

    def _tensor_event(
        self, kind: str, name: str, tensors: Sequence[Any], more: Any = (), values: bool = True,
        units: Arrays = (),
    ) -> None:  # fmt: skip
        text = tuple(self._describe(tensor) for tensor in tensors)
        self.send(kind, name, (text, more), tensors if values else (), units)

    def _describe(self, tensor: Any) -> tuple[Any, ...]:
        """Type, shape, need of a gradient, and the nodes that are new with it."""
        node = tensor.grad_fn
        graph = () if node is None else self.graph.describe(node)
        return (dtype_name(tensor), tuple(tensor.shape), tensor.requires_grad, graph)

    def _read(self, name: str, args: Any, result: Any) -> None:
        if isinstance(result, bool | int | str):
            self.send("op", name, result)
            return
        dtype = dtype_name(args[0])  # a float is compared in its tensor's ULPs
        array = np.array(result, dtype=dtype if dtype in ("float16", "float32") else None)
        self.sink(Event("op", name, self.place, (str(array.dtype), array.shape), (array,)))

    def batch(self, value: Any) -> Any:
        """A batch came out of a `DataLoader`."""
        with self.quietly():
            self.place = self._calls.place(sys._getframe(1))
            self._tensor_event("batch", "DataLoader", self.tensors(value), self._generator_state())
        return value

    def clipping(self, function: Any) -> Any:
        """A stand-in for `clip_grad_norm_`, which changes gradients: records its norm and those."""

        def clip_grad_norm_(parameters: Any, *args: Any, **kwargs: Any) -> Any:
            single = isinstance(parameters, self.side.torch.Tensor)
            given = [parameters] if single else list(parameters)
            with self.quietly():
                self.place = self._calls.place(sys._getframe(1))
                norm = function(given, *args, **kwargs)
                gradients = [p.grad for p in given if p.grad is not None]
                self._tensor_event("op", "clip_grad_norm_", [norm, *gradients])
            return norm

        return clip_grad_norm_

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """An optimizer is about to step: what it changes is measured against what was there."""
        if self.sink.forced:
            with self.quietly():
                tensors, _ = self._optimized(optimizer)
                self._before_step = {id(t): self.side.values(t).copy() for t in tensors}

    def step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """An optimizer has stepped: every parameter, and every state of it."""
        with self.quietly():
            self.place = self._calls.place(sys._getframe(1))
            tensors, names = self._optimized(optimizer)
            options = [_plain(group) for group in optimizer.param_groups]
            shapes = [tuple(tensor.shape) for tensor in tensors]
            units = ()
            if self.sink.forced:
                before = [self._before_step.get(id(tensor)) for tensor in tensors]
                units = step_units(self.side, before, tensors)
            self.send("step", type(optimizer).__name__, (names, shapes, options), tensors, units)

    def _optimized(self, optimizer: Any) -> tuple[list[Any], list[Any]]:
        """The parameters, then the tensors of each one's state; and the names of the states."""
        tensors = [p for group in optimizer.param_groups for p in group["params"]]
        states = [optimizer.state.get(parameter, {}) for parameter in tensors]
        for state in states:
            tensors += self.tensors([state[key] for key in sorted(state)])
        return tensors, [tuple(sorted(state)) for state in states]

    def line(self, text: str) -> None:
        """The program printed a line."""
        with self.quietly():
            self.place = self._calls.place(sys._getframe(1))
            self.send("line", "print", text)

    def warning(self, category: type[Warning], text: str) -> None:
        """Something warned."""
        with self.quietly():
            self.place = self._calls.place(sys._getframe(1))
            self.send("warning", category.__name__, text.partition(" (Triggered internally")[0])

    def error(self, error: BaseException) -> None:
        """The program ended with an exception."""
        for frame, line in traceback.walk_tb(error.__traceback__):
            if self._calls.is_program(frame):
                self.place = (frame.f_code.co_filename, line)
        self.send("error", type(error).__name__, str(error))

    def send(
        self, kind: str, name: str, text: Any = (), tensors: Sequence[Any] = (),
        units: Arrays = (),
    ) -> None:  # fmt: skip
        """Hand an event to the sink, and put what it returns into the tensors."""
        values = self.side.values
        arrays = tuple(None if tensor is None else values(tensor) for tensor in tensors)
        theirs = self.sink(Event(kind, name, self.place, text, arrays), units)
        if theirs is not None:
            for tensor, array in zip(tensors, theirs, strict=True):
                if array is not None:
                    self.side.overwrite(tensor, array)

    # Helpers ----------------------------------------------------------------------------------

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """What the recorder itself asks of the library is not recorded."""
        before, self.busy = self.busy, True
        try:
            yield
        finally:
            self.busy = before

    def tensors(self, value: Any) -> list[Any]:
        """The tensors in a result, in order, through tuples, lists and dictionaries."""
        if isinstance(value, self.side.torch.Tensor):
            return [value]
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, tuple | list):
            return [tensor for item in value for tensor in self.tensors(item)]
        return []

    def _generator_state(self) -> int:
        return zlib.crc32(self.side.values(self.side.torch.get_rng_state()).tobytes())


class _Lines(TextIOBase):
    """Standard output while a program runs: each finished line becomes an event."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._recorder.line(line)
        return len(text)

    def finish(self) -> None:
        """The program has ended: what it printed last may lack a newline."""
        if self._rest:
            self._recorder.line(self._rest)
            self._rest = ""


@contextmanager
def _recorded_warnings(recorder: Recorder) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always")

        def show(message: Any, category: Any, *details: Any, **more: Any) -> None:
            recorder.warning(category, str(message))

        warnings.showwarning = show
        yield


def _plain(group: dict[str, Any]) -> tuple[Any, ...]:
    """A parameter group's options that are plain values."""
    return tuple(
        (key, value)
        for key, value in sorted(group.items())
        if value is None or isinstance(value, bool | int | float | str | tuple)
    )
