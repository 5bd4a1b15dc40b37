"""Each entry of PyTorch's optimizer database: see `optim_db.py`, which prints the counts."""

import pytest
from optim_db import DIFFERENCES, LEFT_OUT, entries, present, run

import minigrad


@pytest.mark.parametrize("name", present())
def test_entry(name):
    report = run(name)
    assert not report.failed, "\n".join(report.failed)
    assert {"steps", "text", "resume", "reload", "schedule", "error"} <= set(report.passed)
    stale = [d for d in DIFFERENCES if d.entry == name and not report.known[d.check]]
    assert not stale, "no longer differs"


@pytest.mark.parametrize("name", LEFT_OUT)
def test_left_out(name):
    assert name in entries()
    with pytest.raises(NotImplementedError, match="minigrad"):
        getattr(minigrad.optim, name)([minigrad.ones(2, 2, requires_grad=True)])
