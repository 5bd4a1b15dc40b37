"""Chains: what a function does to arrays, written down as kernels and other steps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import either, gpu
from .element import Element, NotFused, broadcast_shape, method_of
from .lines import (
    BOOL,
    C_NAMES,
    FLOAT32,
    FUNCTIONS,
    OPERATORS,
    WRITTEN,
    compiled,
    kind_of,
    loop,
    name_of,
)

Array = Any


class Chain:
    """What a function does to arrays: lines of C that are still to be run, and steps that were."""

    def __init__(self, arrays: Sequence[Array], literal: bool) -> None:
        self.literal = literal  # whether numbers are part of the text, or arguments
        self.arrays = {f"a{i}": a for i, a in enumerate(arrays)}  # all that is in memory, by name
        self.lines: dict[str, tuple[str, list[str]]] = {}  # C, and the names in it
        self.numbers: dict[str, Any] = {}
        self.constants: dict[str, Array] = {}
        self.steps: list[Callable[[dict[str, Array]], None]] = []
        self.operations = 0  # calls of NumPy's functions, each of which would be a launch
        self.views: dict[str, list[str]] = {}  # by array: those that share its memory
        self.stale: set[str] = set()  # views of what has changed since

    def elements(self) -> list[Element]:
        """The arrays as the function gets them. They hold the chain, so it does not hold them: a
        cycle would keep the arrays, a step's gradients, until the garbage collector comes."""
        return [Element(self, n, a.dtype, a.shape) for n, a in self.arrays.items()]

    # lines

    def line(self, text: str, names: list[str], dtype: Any, shape: tuple[int, ...]) -> Element:
        """The next line, and the Element that it computes."""
        kind, name = C_NAMES[dtype.char], f"t{len(self.lines)}"
        value = f"float16({text})" if kind == "float16" else text
        self.lines[name] = f"const {kind} {name} = {value};", names
        return Element(self, name, dtype, shape)

    def operand(self, value: Any, dtype: Any, names: list[str]) -> str:
        """How a line names an Element or a number that it takes as `dtype`; half precision is
        computed as C's float, and rounded when the line is done."""
        kind = FLOAT32 if dtype.char == "e" else dtype
        if isinstance(value, gpu.arrays):
            element = self.element_of(value)
            names.append(element.name)
            given = C_NAMES[element.dtype.char]
            wanted = C_NAMES[kind.char]
            return element.name if given == wanted else f"{wanted}({element.name})"
        number = kind.type(dtype.type(value))
        if self.literal and np.isfinite(number):
            shown = int(number) if dtype == BOOL else number.item()
            return f"{C_NAMES[kind.char]}({shown!r})"
        name = f"s{len(self.numbers)}"
        self.numbers[name] = number
        names.append(name)
        return name

    def element_of(self, array: Any) -> Element:
        """An Element as it is; a number that is an array on the GPU already as one."""
        if isinstance(array, Element):
            if array.name in self.stale:
                raise NotFused("a view of memory that has changed")
            return array
        if array.ndim or not gpu.on_gpu(array):
            raise NotFused("an array that is no argument of the function")
        name = f"c{len(self.constants)}"
        self.arrays[name] = self.constants[name] = array
        return Element(self, name, array.dtype, ())

    def apply(self, ufunc: Any, inputs: Sequence[Any], dtype: Any = None) -> Any:
        """A line for a function of NumPy's, in the dtypes that NumPy computes it in."""
        template = OPERATORS.get(ufunc)
        kinds = loop(ufunc, tuple(map(kind_of, inputs)), dtype) if ufunc in WRITTEN else ()
        if not kinds or not all([k.char in C_NAMES for k in kinds]):
            return self.call(ufunc, inputs, {} if dtype is None else {"dtype": dtype})
        self.operations += 1
        names: list[str] = []
        texts = [self.operand(x, kind, names) for x, kind in zip(inputs, kinds, strict=False)]
        text = template.format(*texts) if template else f"{FUNCTIONS[ufunc]}({', '.join(texts)})"
        return self.line(text, names, kinds[-1], broadcast_shape(inputs))

    def choose(self, condition: Any, x: Any, y: Any) -> Any:
        """`np.where`."""
        dtype = np.result_type(*[getattr(v, "dtype", v) for v in (x, y)])
        if dtype.char not in C_NAMES:
            return self.call(np.where, (condition, x, y), {})
        self.operations += 1
        names: list[str] = []
        pairs = (condition, BOOL), (x, dtype), (y, dtype)
        texts = [self.operand(value, kind, names) for value, kind in pairs]
        return self.line(
            f"either_of({', '.join(texts)})", names, dtype, broadcast_shape((condition, x, y))
        )

    def cast(self, x: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
        """An Element or a number in another dtype."""
        if dtype.char not in C_NAMES or getattr(x, "dtype", dtype).char not in C_NAMES:
            return self.call(method_of, ("astype", x, dtype), {})
        names: list[str] = []
        return self.line(self.operand(x, dtype, names), names, dtype, shape)

    # kernels

    def kernel(self, out: dict[str, Element], name: str) -> tuple[Callable[..., Any], list[str]]:
        """What computes Elements, by the names of its results, and the names of what it is given."""
        wanted = {element.name for element in out.values()}
        lines = []
        for t in reversed(self.lines):
            if t in wanted and t not in self.arrays:
                text, names = self.lines[t]
                lines.append(text)
                wanted.update(names)
        given = [n for n in (*self.arrays, *self.numbers) if n in wanted and n not in out]
        lines = [*reversed(lines), *[f"{n} = {element.name};" for n, element in out.items()]]
        memory = self.arrays | self.numbers
        declared = [f"{name_of(memory[n].dtype)} {n}" for n in given]
        results = [f"{name_of(element.dtype)} {n}" for n, element in out.items()]
        return compiled(", ".join(declared), ", ".join(results), "\n".join(lines), name), given

    def computed(self, element: Element) -> Array:
        """The array of an Element: the lines up to it are run if they have not been."""
        name = element.name
        if name not in self.arrays:
            kernel, given = self.kernel({"out": element}, "chain")
            arrays = [n for n in given if n in self.arrays]
            numbers = [self.numbers[n] for n in given if n in self.numbers]
            shape, dtype = element.shape, element.dtype
            is_given = shape == np.broadcast_shapes(*[self.arrays[n].shape for n in arrays])

            def step(memory: dict[str, Array]) -> None:
                out = () if is_given else (either.empty(shape, memory["a0"], dtype),)
                memory[name] = kernel(*[memory[n] for n in arrays], *numbers, *out)

            self.do(step)
        return self.arrays[name]

    def write_back(self, elements: Sequence[Element]) -> None:
        """The last step: what has become of the arrays is written into them."""
        pairs = zip(self.arrays, elements, strict=False)
        changed = {name: element for name, element in pairs if element.name != name}
        if not changed:
            return
        for name, element in changed.items():
            if element.name in changed:  # the value that an array had: read before it is written
                changed[name] = self.cast(element, element.dtype, element.shape)
        kernel, given = self.kernel(changed, "update")
        if len({element.shape for element in changed.values()}) > 1:
            raise NotFused("changes of several shapes")
        arrays, written = [n for n in given if n in self.arrays], list(changed)
        numbers = [self.numbers[n] for n in given if n in self.numbers]

        def step(memory: dict[str, Array]) -> None:
            kernel(*[memory[n] for n in arrays], *numbers, *[memory[n] for n in written])

        self.steps.append(step)

    def do(self, step: Callable[[dict[str, Array]], None]) -> None:
        """Take a step, and keep it to be taken again."""
        step(self.arrays)
        self.steps.append(step)

    # other functions

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """A function of whole arrays, as a step of its own."""
        self.operations += 1
        found: list[str] = []
        args, kwargs = self.named(args, found), self.named(kwargs, found)
        name = f"r{len(self.steps)}"

        def step(memory: dict[str, Array]) -> None:
            memory[name] = function(*filled(args, memory), **filled(kwargs, memory))

        self.do(step)
        return self.result(name, found)

    def named(self, value: Any, found: list[str]) -> Any:
        """Arguments with names for Elements, which are computed first."""
        if isinstance(value, Element):
            self.computed(self.element_of(value))
            found.append(value.name)
            return Name(value.name)
        if isinstance(value, (tuple, list)):
            return type(value)([self.named(v, found) for v in value])
        if isinstance(value, dict):
            return {key: self.named(v, found) for key, v in value.items()}
        if isinstance(value, gpu.arrays):
            return self.named(self.element_of(value), found)
        return value

    def result(self, name: str, found: list[str]) -> Any:
        """The Element for what a call returned; a tuple of them for a tuple."""
        made: Any = self.arrays[name]
        if isinstance(made, (tuple, list)):
            return [self.call(operator.getitem, (Name(name), i), {}) for i in range(len(made))]
        if not isinstance(made, gpu.arrays):
            raise NotFused("a function whose result is no array")
        if made.base is not None or any([made is self.arrays[n] for n in found]):
            for of in [*found, name]:
                self.views.setdefault(of, []).extend(found if of == name else [name])
        return Element(self, name, made.dtype, made.shape)


class Name(str):
    """A name in place of the array."""


def filled(value: Any, memory: dict[str, Array]) -> Any:
    """Arguments with arrays for names."""
    if isinstance(value, Name):
        return memory[value]
    if isinstance(value, (tuple, list)):
        return type(value)([filled(v, memory) for v in value])
    return {k: filled(v, memory) for k, v in value.items()} if isinstance(value, dict) else value
