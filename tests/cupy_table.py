"""What CuPy has of NumPy: writes tests/cupy_table.json, which the stand-in (stand_in.py) obeys.

Run it where CuPy is installed (`pip install cupy-cuda12x`); neither a GPU nor a driver is needed:

    python tests/cupy_table.py

Signatures of Python functions are read by `inspect`, those of compiled methods and ufuncs from the
first line of their documentation. Which methods a ufunc really has (`np.maximum.reduce` is not
among them) is found by calling it: on an array whose memory is the host's, each call ends either in
CuPy's refusal, or where the GPU would be needed.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cupy
import numpy as np

METHODS = ("reduce", "accumulate", "reduceat", "outer", "at")
REFUSED = (TypeError, NotImplementedError)


def main() -> None:
    functions, ufuncs = {}, {}
    for name in sorted(dir(np)) + [f"linalg.{n}" for n in sorted(dir(np.linalg))]:
        ours, theirs = look_up(np, name), look_up(cupy, name)
        if not callable(ours) or isinstance(ours, type) or theirs is None or ours is theirs:
            continue
        if isinstance(ours, np.ufunc) and type(theirs).__name__ == "ufunc":
            ufuncs[name] = {
                "keywords": ["casting", "dtype", "out", *(["where"] if takes_where(ours) else [])],
                "types": sorted({t.partition("->")[0] for t in theirs.types}),
                "methods": [m for m in METHODS if ours.nin == 2 and has_method(getattr(ours, m))],
            }
        else:
            functions[name] = parameters(theirs)
    functions["lib.stride_tricks.as_strided"] = parameters(cupy.lib.stride_tricks.as_strided)
    methods = {
        name: written_parameters(method.__doc__)
        for name, method in inspect.getmembers(cupy.ndarray, callable)
        if not name.startswith("_") and f".{name}(" in (method.__doc__ or "").split("\n")[0]
    }
    methods["view"] = ["dtype"]
    table = {"cupy": cupy.__version__, "functions": functions, "methods": methods, "ufuncs": ufuncs}
    Path(__file__).with_suffix(".json").write_text(written(table))


def look_up(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name, None)
    return module


def parameters(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments; with `*` those by keyword only, or any number; `**`: any name."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return written_parameters(function.__doc__)
    names = []
    for p in found:
        if p.kind is p.KEYWORD_ONLY and "*" not in names and "*args" not in names:
            names.append("*")
        names.append({p.VAR_POSITIONAL: "*args", p.VAR_KEYWORD: "**"}.get(p.kind, p.name))
    return names


def written_parameters(documentation: str | None) -> list[str]:
    """The names in `name(self, a, int b=1, *shape, keyword=0) -> ...`."""
    first = (documentation or "").split("\n\n")[0].replace("\n", " ").replace("\\", "")
    inside = re.search(r"\((.*)\)", first)
    names = []
    for part in inside.group(1).split(",") if inside else []:
        name = (part.partition("=")[0].split() or [""])[-1]
        names.append("*args" if name.startswith("*") and len(name) > 1 else name)
    return [n for n in names if n not in ("self", "/", "")]


def hollow(array: np.ndarray[Any, Any]) -> Any:
    """A CuPy array on the host's memory: whatever has to compute with it fails for want of a GPU."""
    memory = cupy.cuda.UnownedMemory(array.ctypes.data, array.nbytes, array, device_id=0)
    return cupy.ndarray(array.shape, array.dtype, cupy.cuda.MemoryPointer(memory, 0))


def has_method(method: Any) -> bool:
    x, i = hollow(np.ones((2, 3), np.int64)), hollow(np.zeros(2, np.int64))
    operands = {"reduceat": (x, i), "outer": (x, x), "at": (x, i, 1)}
    return reaches_gpu(lambda: method(*operands.get(method.__name__, (x,))))


def takes_where(ufunc: np.ufunc) -> bool:
    x, mask = hollow(np.ones((2, 3))), hollow(np.ones((2, 3), bool))
    return reaches_gpu(lambda: ufunc(*[x] * ufunc.nin, where=mask))


def reaches_gpu(call: Callable[[], Any]) -> bool:
    try:
        call()
    except REFUSED:
        return False
    except Exception:  # the driver is missing: CuPy was about to compute
        return True
    return True


def written(table: dict[str, Any]) -> str:
    """JSON with one line for each name."""
    lines = []
    for key, value in table.items():
        if isinstance(value, dict):
            rows = [f"    {json.dumps(n)}: {json.dumps(v)}" for n, v in value.items()]
            lines.append(f"  {json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n  }")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
