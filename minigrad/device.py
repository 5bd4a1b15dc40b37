"""Devices: where a tensor's memory is."""

from __future__ import annotations

from typing import Any

NO_CUDA = "Torch not compiled with CUDA enabled"


class device:
    """`device("cpu")`, `device("cuda:0")` or `device("cuda", 0)`; prints as in PyTorch."""

    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        if isinstance(type, int):
            raise RuntimeError("Cannot access accelerator device when none is available.")
        name, colon, number = str(type).partition(":")
        if name not in ("cpu", "cuda", "meta"):
            raise RuntimeError(
                f"Expected one of cpu, cuda, meta device type at start of device string: {name}"
            )
        if colon and not number.isdigit():
            raise RuntimeError(f"Invalid device string: '{type}'")
        self.type, self.index = name, int(number) if colon else index

    @staticmethod
    def of(value: Any) -> device:
        """The device of a `device=` argument, if tensors can be on it."""
        found = value if isinstance(value, device) else device(value)
        if found.type != "cpu":
            if found.type == "cuda":
                raise AssertionError(NO_CUDA)
            raise NotImplementedError(
                f"tensors cannot be on the device '{found}': leave out device= or use device='cpu'"
            )
        return found

    def __enter__(self) -> device:
        """`with device("cpu"):` makes new tensors there, as always."""
        return device.of(self)

    def __exit__(self, *exception: object) -> None:
        pass

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')"
            if self.index is None
            else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


cpu = device("cpu")
