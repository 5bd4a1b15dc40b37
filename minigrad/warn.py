"""Warnings that name the line of the program that causes them.

`warnings.warn` wants to know how many calls lie between the two, which differs from one way to a
function to the other. Here the calls of the package itself are left out, however many they are.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings

_OURS = (os.path.dirname(os.path.abspath(__file__)) + os.sep, contextlib.__file__)


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warns as `warnings.warn` does, at the innermost line of code outside of the package."""
    frame = here = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_OURS):
        if frame.f_back is None:  # a thread of the package's own
            frame = here
            break
        frame = frame.f_back
    names = frame.f_globals
    registry = names.setdefault("__warningregistry__", {})  # what was shown once
    path, module = frame.f_code.co_filename, names.get("__name__", "<string>")
    warnings.warn_explicit(text, category, path, frame.f_lineno, module, registry)
