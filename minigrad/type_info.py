"""The limits of the dtypes: `finfo(float32).eps`, `iinfo(int8).max`."""

from __future__ import annotations

import numpy as np

from . import dtypes
from .dtypes import dtype as Dtype


class finfo:
    """The range and the precision of a floating-point dtype (by default the default one)."""

    def __init__(self, type: Dtype | None = None) -> None:
        kind = dtypes.default_dtype() if type is None else type.numpy
        if kind.kind != "f":
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                "'torch.finfo'"
            )
        info = np.finfo(kind)
        self.bits, self.dtype = int(info.bits), kind.name
        self.eps, self.min, self.max = float(info.eps), float(info.min), float(info.max)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution = float(f"1e-{info.precision}")

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        numbers = ", ".join(f"{name}={getattr(self, name):g}" for name in names)
        return f"finfo({numbers}, dtype={self.dtype})"


class iinfo:
    """The range of an integer dtype."""

    def __init__(self, type: Dtype) -> None:
        if type.numpy.kind not in "iu":
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                "'torch.iinfo'"
            )
        info = np.iinfo(type.numpy)
        self.bits, self.min, self.max = int(info.bits), int(info.min), int(info.max)
        self.dtype = type.numpy.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
