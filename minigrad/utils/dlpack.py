"""DLPack by functions: the memory of a tensor for another library, and the other way round."""

from ..ops import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
