"""The version, and which accelerators it was built for."""

__version__ = "0.1.0"
cuda: str | None = None
hip: str | None = None
debug = False
