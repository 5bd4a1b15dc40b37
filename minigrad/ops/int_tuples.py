"""Arguments that are one int or several: a kernel's size, a stride, the numbers of a padding."""

from __future__ import annotations

import operator
from typing import Any


def int_tuple(name: str, argument: str, position: int, value: Any) -> tuple[int, ...]:
    """A list or tuple of ints as a tuple; PyTorch's TypeError for anything else."""
    where = f"{name}(): argument '{argument}'"
    if not isinstance(value, (list, tuple)):
        kind = type(value).__name__
        raise TypeError(f"{where} (position {position}) must be tuple of ints, not {kind}")
    for at, number in enumerate(value):
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            kind = type(number).__name__
            if at:
                raise TypeError(
                    f"{where} failed to unpack the object at pos {at + 1} with error "
                    f'"type must be tuple of ints,but got {kind}"'
                )
            raise TypeError(
                f"{where} (position {position}) must be tuple of ints, but found element of type "
                f"{kind} at pos {at}"
            )
    return tuple([operator.index(number) for number in value])


def ints(name: str, argument: str, position: int, value: Any) -> tuple[int, ...]:
    """As `int_tuple`, and a single int as a tuple of one."""
    if type(value) is int or (hasattr(value, "__index__") and not isinstance(value, bool)):
        return (operator.index(value),)
    return int_tuple(name, argument, position, value)
