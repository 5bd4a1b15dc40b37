"""What a module holds: its parameters, buffers and child modules, each under a name.

A `Registry` is a dict with one more duty. Reading `self.weight` in a `forward` is the commonest
thing that happens to a module, and Python answers it in 20 ns if the value lies in the instance's
own `__dict__`, but in 400 ns if it has to ask `__getattr__`. So whatever is entered into a
registry, by whichever method, is also put into the module's `__dict__`, and leaves it when it
leaves the registry. The registry is the truth; the entry in `__dict__` is its mirror image.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

__all__ = ["Registry"]

V = TypeVar("V")


class Registry(dict[str, V]):
    """A dict whose entries can also be read as attributes of `module`.

    The module is referred to weakly: module and registry must not keep each other alive.
    """

    def __init__(self, module: Any, entries: Mapping[str, V] | Iterable[tuple[str, V]] = ()):
        self._module = weakref.ref(module)
        self.update(entries)

    def _mirror(self) -> dict[str, Any]:
        module = self._module()
        return {} if module is None else module.__dict__

    def __setitem__(self, name: str, value: V) -> None:
        super().__setitem__(name, value)
        self._mirror()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._mirror().pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        value = super().pop(name, *default)
        self._mirror().pop(name, None)
        return value

    def popitem(self) -> tuple[str, V]:
        name, value = super().popitem()
        self._mirror().pop(name, None)
        return name, value

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def update(self, *entries: Any, **named: V) -> None:
        for name, value in dict(*entries, **named).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def __ior__(self, entries: Any) -> Registry[V]:  # type: ignore[override, misc]
        self.update(entries)
        return self

    def copy(self) -> dict[str, V]:
        """A plain dict, which no longer writes into the module."""
        return dict(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
