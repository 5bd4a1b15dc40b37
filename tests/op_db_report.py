"""What became of the samples of one entry of the operator database, and how a failure is told."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from op_db_checks import trace
from op_db_compare import Mismatch
from op_db_differences import DIFFERENCES, Difference
from op_db_translate import Absent, Outside


@dataclass
class Report:
    """What became of the samples of one entry."""

    name: str
    bounded: bool  # whether only some samples are run
    passed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    outside: int = 0  # samples with complex numbers and the like
    first: dict[str, str] = field(default_factory=dict)  # per check, the first failure
    met: set[Difference] = field(default_factory=set)
    seconds: float = 0.0

    @property
    def differences(self) -> list[Difference]:
        return [d for d in DIFFERENCES if self.name in d.entries]

    def stale(self) -> list[Difference]:
        """Known differences of this entry that did not show."""
        return [d for d in self.differences if d not in self.met and not (d.rare and self.bounded)]

    def note(self, check: str, sample: Any, call: Callable[[], None]) -> None:
        """Run one comparison and write down how it ended."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call()
        except Outside:
            self.outside += 1
        except Exception as error:
            known = [d for d in self.differences if d.covers(check, sample)]
            self.met.update(known)
            (self.known if known else self.failed)[check] += 1
            if not known:
                self.first.setdefault(check, _story(sample, error))
        else:
            self.passed[check] += 1

    def lacks(self, check: str, name: str) -> None:
        """Note, once, that a variant does not exist."""
        if any(d.covers(check, None) for d in self.differences):
            self.met.update(d for d in self.differences if d.covers(check, None))
            self.known[check] += 1
        elif f"{check} {name}" not in self.first:
            self.failed[check] += 1
            self.first[f"{check} {name}"] = f"minigrad has no {name}"

    def text(self) -> str:
        lines = [
            f"{self.name}: {sum(self.passed.values())} passed, {sum(self.failed.values())} failed"
        ]
        return "\n".join(
            [
                *lines,
                *(
                    f"--- {c} ({self.failed[c.split()[0]]} failed)\n{t}"
                    for c, t in self.first.items()
                ),
            ]
        )


def _story(sample: Any, error: Exception) -> str:
    if isinstance(error, Mismatch):
        text = str(error)
    else:
        text = f"minigrad has no {error}" if isinstance(error, Absent) else trace(error)
    return f"{text.rstrip()}\nsample: {describe(sample)}"


def describe(sample: Any) -> str:
    """The arguments of a sample, small Tensors with their numbers."""

    def one(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            kind = f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
            strides = "" if value.is_contiguous() else f" strides {value.stride()}"
            numbers = f" {value.tolist()}" if value.numel() <= 12 else ""
            return f"<{kind}{strides}{numbers}>"
        if isinstance(value, (list, tuple)):
            return f"[{', '.join(map(one, value))}]"
        return repr(value)

    words = [
        one(sample.input),
        *map(one, sample.args),
        *(f"{k}={one(v)}" for k, v in sample.kwargs.items()),
    ]
    return f"({', '.join(words)})"
