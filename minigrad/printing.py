"""How a tensor becomes text: `tensor([[0.5000, 1.0000]], requires_grad=True)`.

PyTorch users compare print-outs, so this text follows PyTorch 2.13 to the character. It is made in
three steps, and the file goes through them in this order:

1. Numbers. One `NumberFormat` serves the whole tensor, so that columns line up. Floats that are all
   whole are written `3.`; otherwise they get `precision` decimals, or scientific notation where
   the values are too large, too small, or too far apart for that.
2. Rows. The innermost dimension is written as lines of at most `linewidth` characters, and outer
   dimensions nest brackets around them. A tensor of more than `threshold` elements is summarised:
   each long dimension shows `edgeitems` entries at both ends, and only shown numbers are formatted.
3. Suffixes. What the digits do not tell: device, size, dtype, and the place in the graph.

Everything here works on NumPy arrays and knows nothing of `Tensor`, which calls `tensor_repr`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:  # numpy.typing takes time to import
    from numpy.typing import DTypeLike, NDArray

Array = np.ndarray


# ---- Options -------------------------------------------------------------------------------------


class PrintOptions(NamedTuple):
    """What `set_printoptions` sets; the defaults are the profile "default"."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}

_options = _PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors are printed, everywhere, until the next call.

    Args:
        precision: number of decimals (4).
        threshold: a tensor of more elements than this is summarised (1000).
        edgeitems: entries shown at both ends of a summarised dimension (3).
        linewidth: characters in a line (80).
        profile: "default", "short" or "full" sets all of the above first. As in PyTorch, another
            name is ignored.
        sci_mode: True or False forces scientific notation on or off for tensors of floats. As in
            PyTorch, a call without it returns to None: chosen for each tensor by its values.

    The other arguments keep their present value where they are None.
    """
    global _options
    old = _options if profile is None else _PROFILES.get(profile, _options)
    _options = PrintOptions(
        precision=old.precision if precision is None else precision,
        threshold=old.threshold if threshold is None else threshold,
        edgeitems=old.edgeitems if edgeitems is None else edgeitems,
        linewidth=old.linewidth if linewidth is None else linewidth,
        sci_mode=sci_mode,
    )


def get_printoptions() -> dict[str, Any]:
    """The present options by name; `set_printoptions(**get_printoptions())` changes nothing."""
    return _options._asdict()


@contextmanager
def printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> Iterator[None]:
    """`set_printoptions` for the body of a `with` statement; the arguments are the same."""
    before = get_printoptions()
    set_printoptions(precision, threshold, edgeitems, linewidth, profile, sci_mode)
    try:
        yield
    finally:
        set_printoptions(**before)


# ---- Numbers -------------------------------------------------------------------------------------


class NumberFormat(NamedTuple):
    """How each number of one tensor is written.

    `spec` is a Python format specification and `width` the least number of characters. `point`
    follows finite numbers: whole floats are formatted without decimals, as "3", and shown as "3.".
    """

    spec: str = ""
    point: str = ""
    width: int = 1

    def __call__(self, value: float) -> str:
        text = format(value, self.spec)
        if self.point and math.isfinite(value):
            text += self.point
        return text.rjust(self.width)

    def widened_to(self, values: list[float]) -> NumberFormat:
        """The same format, wide enough for each of `values`."""
        return NumberFormat(self.spec, self.point, max(len(self(value)) for value in values))


def choose_format(array: Array, options: PrintOptions) -> NumberFormat:
    """The format for the numbers of `array`, which is not empty."""
    if array.dtype.kind != "f":
        return NumberFormat().widened_to(array.ravel().tolist())
    return _choose_float_format(array.astype(np.float64).ravel(), options)


def _choose_float_format(values: NDArray[np.float64], options: PrintOptions) -> NumberFormat:
    # Zeros, infinities and nan do not count, not even for the width: beside whole numbers "-inf"
    # or "-0." may stand out of its column, there as here.
    counted = values[np.isfinite(values) & (values != 0)]
    if counted.size == 0:
        return NumberFormat(".0f", point=".")

    whole = bool((counted == np.ceil(counted)).all())
    scientific = options.sci_mode
    if scientific is None:
        scientific = _needs_scientific(np.abs(counted))

    if scientific:
        number_format = NumberFormat(f".{options.precision}e")
    elif whole:
        number_format = NumberFormat(".0f", point=".")
    else:
        number_format = NumberFormat(f".{options.precision}f")
    return number_format.widened_to(counted.tolist())


def _needs_scientific(magnitudes: NDArray[np.float64]) -> bool:
    """Whether fixed notation would be too wide, or would lose the smallest magnitudes."""
    largest, smallest = float(magnitudes.max()), float(magnitudes.min())
    return largest > 1e8 or smallest < 1e-4 or largest / smallest > 1000


# ---- Rows ----------------------------------------------------------------------------------------


def _contents(array: Array, indent: int, options: PrintOptions) -> str:
    """All of `array` as nested brackets, the lines after the first indented by `indent`."""
    if array.size == 0:
        return "[]"
    if array.size <= options.threshold:
        return _Writer(choose_format(array, options), options.linewidth).nested(array, indent)
    if array.ndim > 0 and options.edgeitems == 0:
        return "[...]"
    shown = array[_edges(array.shape, options.edgeitems)]
    writer = _Writer(choose_format(shown, options), options.linewidth, options.edgeitems)
    return writer.nested(array, indent)


def _edges(shape: tuple[int, ...], edgeitems: int) -> tuple[Array, ...]:
    """The index of what a summary of an array of this shape shows, in all dimensions at once."""
    kept = (
        np.r_[:edgeitems, size - edgeitems : size] if size > 2 * edgeitems else np.arange(size)
        for size in shape
    )
    return np.ix_(*kept)


class _Writer(NamedTuple):
    """Lays out numbers; `edgeitems` is None where every entry is shown."""

    number: NumberFormat
    linewidth: int
    edgeitems: int | None = None

    def nested(self, array: Array, indent: int) -> str:
        """`array` in its brackets, of which the first stands in column `indent`."""
        if array.ndim == 0:
            return self.number(array.item())
        if array.ndim == 1:
            return self._row(array, indent)
        head, tail = self._ends(array)
        blocks = [self.nested(block, indent + 1) for block in head]
        if tail is not None:
            blocks += ["...", *(self.nested(block, indent + 1) for block in tail)]
        # One line break between rows, one empty line between matrices, two between their stacks...
        separator = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
        return "[" + separator.join(blocks) + "]"

    def _row(self, row: Array, indent: int) -> str:
        head, tail = self._ends(row)
        items = [self.number(value) for value in head.tolist()]
        if tail is not None:
            items += [" ...", *(self.number(value) for value in tail.tolist())]
        per_line = max(1, math.floor((self.linewidth - indent) / (self.number.width + 2)))
        lines = [
            ", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)
        ]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"

    def _ends(self, array: Array) -> tuple[Array, Array | None]:
        """`array` and None, or where its first dimension is summarised, its first and last entries.

        The slices are views: a summary never copies, nor even touches, what it leaves out.
        """
        if self.edgeitems is None or len(array) <= 2 * self.edgeitems:
            return array, None
        return array[: self.edgeitems], array[len(array) - self.edgeitems :]


# ---- Suffixes ------------------------------------------------------------------------------------


def tensor_repr(
    array: Array,
    *,
    prefix: str = "tensor(",
    dtype_suffix: str | None = None,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    device_suffix: str | None = None,
    default_float: DTypeLike = np.float32,
) -> str:
    """The text of a tensor with the values of `array`, as PyTorch prints it.

    Args:
        array: any shape, strides and real dtype.
        prefix: the text up to the first bracket; later lines are indented by its length.
        dtype_suffix: the dtype's name if it is to be other than "minigrad." and NumPy's name.
            Whether the name is shown is decided here: see `_dtype_is_implied`.
        requires_grad: shown where there is no `grad_fn_name`, which implies it.
        grad_fn_name: name of the node that made the tensor, as "MulBackward0".
        device_suffix: name of the device, as "cuda:0"; None for the CPU, which is not shown.
        default_float: the present default dtype.
    """
    indent = len(prefix)
    suffixes = []
    if device_suffix is not None:
        suffixes.append(f"device='{device_suffix}'")
    if _size_is_hidden(array):
        suffixes.append(f"size={array.shape}")
    if not _dtype_is_implied(array, np.dtype(default_float)):
        suffixes.append(f"dtype={dtype_suffix or 'minigrad.' + array.dtype.name}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _append_suffixes(prefix + _contents(array, indent, _options), suffixes, indent)


def _size_is_hidden(array: Array) -> bool:
    """Whether the brackets leave the shape open.

    "[]" stands for shape (0,). Without edge items a summary is "[...]"; PyTorch then gives the size
    of every tensor that is not empty, even of one too small to be summarised.
    """
    return array.shape != (0,) if array.size == 0 else _options.edgeitems == 0


def _dtype_is_implied(array: Array, default_float: np.dtype[Any]) -> bool:
    """Whether a reader can tell the dtype from the numbers: "1." is the default float dtype, "1"
    int64, "True" bool. "[]" is what `tensor([])` gives: the default float dtype."""
    return array.dtype == default_float or (array.size > 0 and array.dtype in (np.int64, np.bool_))


def _append_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """`text`, the suffixes, and the closing bracket; a suffix that is too long for the line starts
    a new one."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        # Measured under PyTorch's shorter name, so that lines break where they break there.
        length = len(suffix.replace("minigrad.", "torch."))
        if column + length + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + length
        else:
            text += ", " + suffix
            column += length + 2
    return text + ")"
