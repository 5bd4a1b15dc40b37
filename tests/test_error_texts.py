"""The same mistake raises the same exception, in the words that people search for."""

import pytest
from oracle import LIBRARIES, Raised, _run
from wrong_calls import CALLS, DIFFERENT_TEXT

REWORDED = {call for calls in DIFFERENT_TEXT.values() for call in calls}
EVERY = [(kind, call) for kind, calls in CALLS.items() for call in calls.strip().splitlines()]


@pytest.mark.parametrize(("kind", "call"), EVERY, ids=[call for _, call in EVERY])
def test_wrong_call(kind: str, call: str) -> None:
    theirs, ours = (_run(library, call, {})[0] for library in LIBRARIES)
    assert isinstance(theirs, Raised), f"PyTorch returns {theirs!r}"
    assert isinstance(ours, Raised), f"returns {ours!r}; PyTorch raises {theirs.kind}"
    assert (ours.kind, bool(ours.text)) == (theirs.kind, True)
    listing = "invalid combination of arguments" in theirs.text  # of C++ signatures
    if call in REWORDED:
        assert ours.text != theirs.text, "the text is the same now: take it off the list"
    elif not listing:
        assert ours.text == theirs.text.partition("\nException raised from")[0]


def test_there_are_many_and_each_is_there_once() -> None:
    calls = [call for _, call in EVERY]
    assert len(calls) == len(set(calls)) >= 300
    assert set(calls) >= REWORDED


@pytest.mark.parametrize(
    "call",
    [
        "x.sum(axis=0)", "x.mean(axis=1, keepdims=True)", "x.max(axis=0)", "torch.cat([x, x], axis=1)",
        "torch.stack([x, x], axis=1)", "x.softmax(axis=0)", "x.unsqueeze(axis=1)", "x.squeeze(axis=0)",
        "x.std(axis=0, keepdims=True)", "x.argmax(axis=1)", "x.all(axis=0)", "x.cumsum(axis=0)",
        "x.sort(axis=0)", "torch.amax(x, axis=(0, 1), keepdims=True)", "x.logsumexp(axis=0)",
        "x.quantile(0.5, axis=0)", "x.median(axis=1)", "x.prod(axis=0)", "torch.diff(x, axis=0)",
        "x.var(axis=0)", "x.topk(1, axis=0)", "x.unbind(axis=1)", "x.norm(axis=0)", "x.sum(axes=0)",
        "x.mean(axis=2)", "torch.sum(x, axis=0, out=torch.empty(0))",
    ],
)  # fmt: skip
def test_numpy_names_of_arguments(call: str) -> None:
    from oracle import compare

    program = f"x = torch.arange(6.0).reshape(2, 3)\n{call}"
    theirs, ours = (_run(library, program, {})[0] for library in LIBRARIES)
    if isinstance(theirs, Raised):
        assert isinstance(ours, Raised)
        assert ours.kind == theirs.kind
    else:
        compare(theirs, ours, 1, call)
