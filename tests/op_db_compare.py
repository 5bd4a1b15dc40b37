"""When a result of minigrad's counts as PyTorch's.

Kind, shape, dtype and `requires_grad` must be the same, integers, bools and NaNs equal. Two correct
programs may round differently, so floating-point numbers are held to one of these rules:

- elementwise: at most 4 ULPs (units in the last place of the expected number) apart;
- otherwise (sums, products, matrices): 4 ULPs, or as near as PyTorch's own result stays to itself
  when its inputs move by one or two ULPs at random: 8 times what this number moves by, in 8 tries,
  plus twice what the number moves by that moves most. A backward-stable algorithm promises just
  that: the right answer, in norm, to a question that is a few roundings away. The measure follows
  cancellation and ill-conditioned matrices by itself and needs no tolerance per op;
- float32, where both fail: measured against PyTorch's result in float64, the worst error in ULPs is
  at most twice PyTorch's own worst (`gelu` of a negative number loses digits in both libraries);
- gradients: within 64 ULPs (the second: 1024, its formulas are longer and may divide by a matrix
  twice) of the largest number in any gradient of the call, or as above (moving
  the gradient of the output too). They are taken in float64, where a wrong formula is off by far more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from op_db_translate import Outside

import minigrad

ULPS, GRADIENT_ULPS, TRIES = 4, 64, 8
Arrays = Sequence[Any]


class Mismatch(AssertionError):
    """The first difference between two results."""


class Rule:
    """How far numbers may be apart: `ulps` of each number or, if `least` is given, of the largest of
    them, or of `least` if that is larger. `rerun` gives PyTorch's results for inputs that moved a little, `precise`
    those in float64."""

    def __init__(
        self,
        ulps: int = ULPS,
        least: float | None = None,
        rerun: Callable[[int], Arrays] | None = None,
        precise: Callable[[], Arrays] | None = None,
    ):
        self.ulps, self.least, self.rerun, self.precise = ulps, least, rerun, precise
        self._moved: list[Arrays] | None = None

    def check(self, place: int, expected: Any, actual: Any, where: str) -> None:
        """Compare the arrays that come at `place` among all Tensors of a result."""
        if not np.array_equal(np.isnan(expected), np.isnan(actual)):
            raise Mismatch(f"{where}: NaN elsewhere\n{_both(expected, actual)}")
        if expected.size == 0 or np.array_equal(expected, actual, equal_nan=True):
            return
        wide = np.float64 if expected.dtype != np.float64 else np.longdouble
        a, b = expected.astype(wide), actual.astype(wide)
        with np.errstate(all="ignore"):
            apart = np.where((a == b) | np.isnan(a), 0, np.abs(a - b))
            size = np.where(np.isfinite(expected), np.abs(expected), 0)
            if self.least is not None:
                size = np.maximum(size.max(), expected.dtype.type(self.least))
            unit = np.spacing(size).astype(wide)
        if np.all(apart <= self.ulps * unit):
            return
        if self.rerun is not None and np.all(apart <= self.ulps * unit + self._movement(place, a)):
            return
        if expected.dtype == np.float32 and self._not_worse(place, expected, actual):
            return
        worst = np.unravel_index(np.argmax(apart / unit), apart.shape)
        raise Mismatch(
            f"{where}: {float((apart / unit).max()):.4g} ULPs apart at {tuple(map(int, worst))}: "
            f"{actual[worst]!r} instead of {expected[worst]!r}\n{_both(expected, actual)}"
        )

    def _not_worse(self, place: int, expected: Any, actual: Any) -> bool:
        """Whether our error is at most twice PyTorch's, both against PyTorch's float64 result."""
        arrays = self.precise() if self.precise is not None else []
        if not 0 <= place < len(arrays) or arrays[place].shape != expected.shape:
            return False
        exact = arrays[place].astype(np.float64)
        with np.errstate(all="ignore"):
            unit = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
            theirs, ours = (np.abs(a - exact) / unit for a in (expected, actual))
        return bool(np.nanmax(ours) <= 2 * np.nanmax(theirs))

    def _movement(self, place: int, expected: Any) -> Any:
        """How far a number may be away, judged by how much it and the others move."""
        assert self.rerun is not None
        if self._moved is None:
            self._moved = [self.rerun(number) for number in range(TRIES)]
        movement = np.zeros_like(expected)
        for arrays in self._moved:
            if place < len(arrays) and arrays[place].shape == expected.shape:
                movement = np.fmax(
                    movement, np.abs(arrays[place].astype(expected.dtype) - expected)
                )
        return 8 * movement + 2 * movement.max(initial=0)


def _both(expected: Any, actual: Any) -> str:
    def text(array: Any) -> str:
        return np.array2string(array, threshold=24, edgeitems=3, max_line_width=110)

    return f"expected {text(expected)}\nactual   {text(actual)}"


def flat(value: Any) -> list[Any]:
    """The items of nested tuples and lists."""
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def tensors(library: Any, value: Any) -> list[Any]:
    return [t for t in flat(value) if isinstance(t, library.Tensor)]


def array(tensor: Any) -> Any:
    """The numbers of a Tensor of either library."""
    if isinstance(tensor, torch.Tensor) and (tensor.is_complex() or tensor.dtype == torch.bfloat16):
        raise Outside(f"a result of {tensor.dtype}")
    if isinstance(tensor, torch.Tensor) and tensor.layout != torch.strided:
        raise Outside(f"a result with layout {tensor.layout}")
    return tensor.numpy(force=True)


def compare(expected: Any, actual: Any, rule: Rule, values: bool = True) -> None:
    """Raise Mismatch unless minigrad's `actual` is PyTorch's `expected`. `values`: or just their facts."""
    structure(expected, actual, "the result")
    pairs = list(zip(flat(expected), flat(actual), strict=True))
    place = 0
    for index, (one, other) in enumerate(pairs):
        where = "the result" if len(pairs) == 1 else f"result {index}"
        if not isinstance(one, torch.Tensor):
            _compare_plain(one, other, rule, where)
            continue
        ours = array(one), array(other)
        for name, theirs in facts(one).items():
            if facts(other)[name] != theirs:
                raise Mismatch(f"{where}: {name} is {facts(other)[name]} instead of {theirs}")
        if values and ours[0].dtype.kind == "f":
            rule.check(place, *ours, where)
        elif values and not np.array_equal(*ours):
            count = np.count_nonzero(ours[0] != ours[1])
            raise Mismatch(f"{where}: {count} of {ours[0].size} elements differ\n{_both(*ours)}")
        place += 1


def facts(tensor: Any) -> dict[str, Any]:
    return {
        "shape": tuple(tensor.shape),
        "dtype": str(tensor.dtype).rpartition(".")[2],
        "requires_grad": tensor.requires_grad,
    }


def structure(expected: Any, actual: Any, where: str) -> None:
    """The same nesting: Tensors, tuples (with the same field names), lists, numbers."""
    if isinstance(expected, (tuple, list)):
        for kind in (tuple, list):
            if isinstance(expected, kind) != isinstance(actual, kind):
                raise Mismatch(
                    f"{where} is a {type(actual).__name__} instead of a {type(expected).__name__}"
                )
        if len(expected) != len(actual):
            raise Mismatch(f"{where} has {len(actual)} items instead of {len(expected)}")
        names, ours = fields(expected), fields(actual)
        if names != ours:
            raise Mismatch(f"{where} has fields {ours} instead of {names}")
        for index, pair in enumerate(zip(expected, actual, strict=True)):
            structure(*pair, f"{where}[{index}]")
    elif isinstance(expected, torch.Tensor) != isinstance(actual, minigrad.Tensor):
        raise Mismatch(f"{where} is {actual!r} instead of {expected!r}")


def fields(value: Any) -> tuple[str, ...]:
    """The names in a named tuple (PyTorch's are C structures, which keep them elsewhere)."""
    if type(value).__module__ == "torch.return_types":
        return tuple(type(value).__match_args__)
    return tuple(getattr(value, "_fields", ()))


def _compare_plain(expected: Any, actual: Any, rule: Rule, where: str) -> None:
    if expected is None or isinstance(expected, (bool, int, str)):
        if type(expected) is not type(actual) or expected != actual:
            raise Mismatch(f"{where} is {actual!r} instead of {expected!r}")
    elif isinstance(expected, float):
        if not isinstance(actual, float):
            raise Mismatch(f"{where} is {actual!r} instead of {expected!r}")
        rule.check(-1, np.float64(expected), np.float64(actual), where)
    elif str(actual).replace("minigrad.", "torch.") != str(expected):
        raise Mismatch(f"{where} is {actual!r} instead of {expected!r}")
