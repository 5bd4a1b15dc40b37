"""`.safetensors` files: named tensors and nothing else. The library `safetensors` does the work."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from ..ops.creation import finish
from ..tensor import Tensor
from .archive import open_for_reading, open_for_writing
from .pickling import restore_location


def save_safetensors(
    tensors: Mapping[str, Tensor], f: Any, metadata: dict[str, str] | None = None
) -> None:
    """Write named tensors, such as a module's `state_dict()`, to a path or an object with `write`.

    Raises ImportError without the library; TypeError if a value is no Tensor; RuntimeError if two
    share memory, which the format cannot say.
    """
    library = _library()
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"safetensors files hold tensors only, but {name!r} is a {type(tensor).__name__}"
            )
    _check_apart(tensors)
    arrays = {name: np.array(t._array, order="C") for name, t in tensors.items()}
    content = library.save(arrays, metadata=metadata)
    with open_for_writing(f) as file:
        file.write(content)


def load_safetensors(f: Any, map_location: Any = None) -> dict[str, Tensor]:
    """The named tensors of a path or a file object, with memory of their own.

    Raises ImportError without the library; RuntimeError if the file is damaged, or has tensors of a
    dtype or for a device that minigrad does not have.
    """
    library = _library()
    if isinstance(map_location, dict) or callable(map_location):
        raise RuntimeError("for a safetensors file, map_location has to be a device or its name")
    restore_location(map_location, None, "cpu")
    with open_for_reading(f) as file:
        content = file.read()
    try:
        arrays = library.load(content)
    except KeyError as error:
        raise RuntimeError(
            f"the file has tensors of dtype {error}, which minigrad does not have"
        ) from error
    except Exception as error:  # the library has an exception of its own for all else
        raise RuntimeError(
            f"{error}. The file is cut or damaged, or no safetensors file."
        ) from error
    return {name: finish(np.array(array), device="cpu") for name, array in arrays.items()}


def _check_apart(tensors: Mapping[str, Tensor]) -> None:
    spans = sorted((*byte_bounds(t._array), name) for name, t in tensors.items() if t.numel())
    for (_, end, name), (start, _, other) in itertools.pairwise(spans):
        if start < end:
            raise RuntimeError(
                f"Some tensors share memory: {name!r} and {other!r}. A safetensors file would hold "
                "the values twice: leave one out, clone() it, or use save."
            )


def _library() -> Any:
    try:
        return importlib.import_module("safetensors.numpy")
    except ImportError as error:
        raise ImportError(
            "safetensors files need the library safetensors: pip install safetensors"
        ) from error
