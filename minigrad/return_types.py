"""The named tuples that ops with several results return: `x.sort().indices`."""

from __future__ import annotations

from typing import Any, NamedTuple


class _ValuesAndIndices(NamedTuple):
    values: Any
    indices: Any

    def __repr__(self) -> str:
        return _text(self)


class _MinAndMax(NamedTuple):
    min: Any
    max: Any

    def __repr__(self) -> str:
        return _text(self)


def _text(named: Any) -> str:
    """One line per field, as PyTorch shows them."""
    lines = ",\n".join(f"{f}={v!r}" for f, v in zip(named._fields, named, strict=True))
    return f"minigrad.return_types.{type(named).__name__}(\n{lines})"


class max(_ValuesAndIndices):
    """`(values, indices)` of `max` along a dimension."""


class min(_ValuesAndIndices):
    """`(values, indices)` of `min` along a dimension."""


class sort(_ValuesAndIndices):
    """`(values, indices)` of `sort`."""


class topk(_ValuesAndIndices):
    """`(values, indices)` of `topk`."""


class kthvalue(_ValuesAndIndices):
    """`(values, indices)` of `kthvalue`."""


class median(_ValuesAndIndices):
    """`(values, indices)` of `median` along a dimension."""


class nanmedian(_ValuesAndIndices):
    """`(values, indices)` of `nanmedian` along a dimension."""


class mode(_ValuesAndIndices):
    """`(values, indices)` of `mode`."""


class cummax(_ValuesAndIndices):
    """`(values, indices)` of `cummax`."""


class cummin(_ValuesAndIndices):
    """`(values, indices)` of `cummin`."""


class aminmax(_MinAndMax):
    """`(min, max)` of `aminmax`."""


class frexp(NamedTuple):
    """`(mantissa, exponent)` of `frexp`."""

    mantissa: Any
    exponent: Any

    def __repr__(self) -> str:
        return _text(self)


class histogram(NamedTuple):
    """`(hist, bin_edges)` of `histogram`."""

    hist: Any
    bin_edges: Any

    def __repr__(self) -> str:
        return _text(self)


class histogramdd(NamedTuple):
    """`(hist, bin_edges)` of `histogramdd`; one Tensor of edges for each dimension."""

    hist: Any
    bin_edges: Any

    def __repr__(self) -> str:
        return _text(self)
