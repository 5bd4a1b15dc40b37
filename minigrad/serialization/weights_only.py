"""The interpreter for pickles of which nobody knows who wrote them.

A pickle is a program for a machine with a stack and a memo: "push 3", "push an empty list", "pop
the items down to the mark and append them", "push the function of this name", "call it". Python's
interpreter imports and calls whatever is named, so loading a file from elsewhere runs a program
from elsewhere. This one has only the instructions that data needs. It looks names up in two lists
and never imports; it calls only functions that make data, and appends only to plain containers.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable
from struct import unpack
from typing import Any

from .names import CONTAINERS, MAY_BE_CALLED, find


class Interpreter:
    """Runs one pickle; `persistent_load` gives what a persistent id stands for.

    Raises pickle.UnpicklingError with the name if one is not admitted."""

    def __init__(self, program: bytes, persistent_load: Callable[[Any], Any]) -> None:
        self.program, self.position = program, 0
        self.persistent_load = persistent_load
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks that marks have set aside
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while True:
            code = self.take(1)
            if code == pickle.STOP:
                return self.stack.pop()
            instruction = INSTRUCTIONS.get(code)
            if instruction is None:
                raise pickle.UnpicklingError(f"Unsupported operand {code[0]}")
            instruction(self)

    # --- reading ---

    def take(self, count: int) -> bytes:
        piece = self.program[self.position : self.position + count]
        self.position += count
        if len(piece) < count:
            raise pickle.UnpicklingError("pickle data was truncated")
        return piece

    def number(self, code: str, size: int) -> Any:
        return unpack(code, self.take(size))[0]

    def line(self) -> str:
        end = self.program.index(b"\n", self.position)
        text = self.program[self.position : end].decode()
        self.position = end + 1
        return text

    def text(self, count: int) -> None:
        self.stack.append(str(self.take(count), "utf-8", "surrogatepass"))

    def integer(self, count: int) -> None:
        self.stack.append(int.from_bytes(self.take(count), "little", signed=True))

    # --- containers ---

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def make_tuple(self, count: int) -> None:
        if len(self.stack) < count:
            raise pickle.UnpicklingError("the stack is empty")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def target(self, *kinds: type) -> Any:
        """The container that is to be filled: no subclass, whose methods could do anything."""
        if type(self.stack[-1]) not in kinds:
            raise pickle.UnpicklingError(
                f"Can only fill plain containers, not {type(self.stack[-1])}"
            )
        return self.stack[-1]

    def append(self, items: list[Any]) -> None:
        self.target(list).extend(items)

    def add(self, items: list[Any]) -> None:
        self.target(set).update(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.target(dict, OrderedDict, Counter)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key] = value

    # --- names and calls ---

    def push_named(self, module: str, name: str) -> None:
        module = "builtins" if module == "__builtin__" else module  # as Python 2 called it
        part = CONTAINERS.get((module, name)) or find(module, name)
        if part is None:
            raise pickle.UnpicklingError(
                f"Unsupported global: GLOBAL {module}.{name} was not an allowed global by default."
            )
        self.stack.append(part)

    def stack_named(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.push_named(str(module), str(name))

    def instantiate(self) -> None:
        """Name and call at once, as pickles of old did."""
        self.push_named(self.line(), self.line())
        function, args = self.stack.pop(), tuple(self.pop_mark())
        self.stack += [function, args]
        self.call()

    def call(self) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        if not any(function is allowed for allowed in MAY_BE_CALLED):
            raise pickle.UnpicklingError(
                f"Trying to call reduce for unrecognized function {type(function)}"
            )
        if type(args) is not tuple:
            raise pickle.UnpicklingError("the arguments of a call are not a tuple")
        self.stack.append(function(*args))

    def build(self) -> None:
        """Give attributes to an object: the `_metadata` of a state dict."""
        state = self.stack.pop()
        if type(state) is not dict:
            raise pickle.UnpicklingError(f"Can only build from a dict, but got {type(state)}")
        self.target(OrderedDict).__dict__.update(state)

    def load_persistent(self) -> None:
        self.stack.append(self.persistent_load(self.stack.pop()))

    def remember(self, key: int) -> None:
        self.memo[key] = self.stack[-1]


INSTRUCTIONS: dict[bytes, Callable[[Interpreter], Any]] = {
    pickle.PROTO: lambda m: m.take(1),
    pickle.FRAME: lambda m: m.take(8),
    pickle.NONE: lambda m: m.push(None),
    pickle.NEWTRUE: lambda m: m.push(True),
    pickle.NEWFALSE: lambda m: m.push(False),
    pickle.BININT: lambda m: m.integer(4),
    pickle.BININT1: lambda m: m.push(m.number("<B", 1)),
    pickle.BININT2: lambda m: m.push(m.number("<H", 2)),
    pickle.LONG1: lambda m: m.integer(m.number("<B", 1)),
    pickle.LONG4: lambda m: m.integer(m.number("<I", 4)),
    pickle.BINFLOAT: lambda m: m.push(m.number(">d", 8)),
    pickle.SHORT_BINUNICODE: lambda m: m.text(m.number("<B", 1)),
    pickle.BINUNICODE: lambda m: m.text(m.number("<I", 4)),
    pickle.BINUNICODE8: lambda m: m.text(m.number("<Q", 8)),
    pickle.SHORT_BINBYTES: lambda m: m.push(m.take(m.number("<B", 1))),
    pickle.BINBYTES: lambda m: m.push(m.take(m.number("<I", 4))),
    pickle.BINBYTES8: lambda m: m.push(m.take(m.number("<Q", 8))),
    pickle.EMPTY_TUPLE: lambda m: m.push(()),
    pickle.EMPTY_LIST: lambda m: m.push([]),
    pickle.EMPTY_DICT: lambda m: m.push({}),
    pickle.EMPTY_SET: lambda m: m.push(set()),
    pickle.MARK: Interpreter.mark,
    pickle.TUPLE: lambda m: m.push(tuple(m.pop_mark())),
    pickle.TUPLE1: lambda m: m.make_tuple(1),
    pickle.TUPLE2: lambda m: m.make_tuple(2),
    pickle.TUPLE3: lambda m: m.make_tuple(3),
    pickle.FROZENSET: lambda m: m.push(frozenset(m.pop_mark())),
    pickle.APPEND: lambda m: m.append([m.stack.pop()]),
    pickle.APPENDS: lambda m: m.append(m.pop_mark()),
    pickle.ADDITEMS: lambda m: m.add(m.pop_mark()),
    pickle.SETITEM: lambda m: m.set_items([m.stack.pop(), m.stack.pop()][::-1]),
    pickle.SETITEMS: lambda m: m.set_items(m.pop_mark()),
    pickle.POP: lambda m: m.stack.pop(),
    pickle.POP_MARK: Interpreter.pop_mark,
    pickle.BINPUT: lambda m: m.remember(m.number("<B", 1)),
    pickle.LONG_BINPUT: lambda m: m.remember(m.number("<I", 4)),
    pickle.MEMOIZE: lambda m: m.remember(len(m.memo)),
    pickle.BINGET: lambda m: m.push(m.memo[m.number("<B", 1)]),
    pickle.LONG_BINGET: lambda m: m.push(m.memo[m.number("<I", 4)]),
    pickle.GLOBAL: lambda m: m.push_named(m.line(), m.line()),
    pickle.STACK_GLOBAL: Interpreter.stack_named,
    pickle.INST: Interpreter.instantiate,
    pickle.REDUCE: Interpreter.call,
    pickle.BUILD: Interpreter.build,
    pickle.BINPERSID: Interpreter.load_persistent,
}
