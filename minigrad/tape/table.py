"""A tape as text: under each line of the program the steps that it caused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from .events import Value

WIDTH = 140  # a longer line is cut


def table(tape: Any) -> str:
    """One line per event, under the line of source that it belongs to."""
    lines: list[str] = []
    before = None
    for event in tape.events:
        source = event.source
        place = None if source is None else (source.file, source.line)
        if place != before and source is not None:
            lines.append(f"{os.path.basename(source.file)}:{source.line}  {source.text.strip()}")
        before = place
        for i, text in enumerate(LINES[event.kind](tape, event)):
            lines.append(_cut(f"{'' if i else event.step:>6}  {text}"))
    return "\n".join(lines) if lines else "(nothing was recorded)"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def _value(value: Value | None) -> str:
    return "None" if value is None else str(value)


def _shape(value: Value | None) -> str:
    return "" if value is None or not value.shape else f" {value.shape}"


def _op(tape: Any, event: Any) -> Iterator[str]:
    inputs = ", ".join(a.text if a.tensor is None else tape.label(a.tensor) for a in event.inputs)
    results = zip(event.outputs, event.values, strict=True)
    made = ", ".join(f"{tape.label(t)}{_shape(v)} {_value(v)}" for t, v in results)
    call = f"{event.op}{'_' if event.in_place else ''}({inputs})"
    yield call if event.in_place else f"{call} = {made}"
    if event.node is None:
        yield f"  not recorded: {event.recorded}"
        return
    node = tape.nodes[event.node - 1]
    saved = ", ".join(
        f"{s.name}={tape.label(s.tensor) if s.tensor else s.text}" for s in node.saved
    )
    yield f"  {node.name}; saves {saved or 'nothing'}"


def _created(tape: Any, event: Any) -> Iterator[str]:
    name, info = tape.label(event.tensor), tape.tensors[event.tensor - 1]
    if event.of is not None:
        how = "detach()" if event.how == "detach" else "data"
        yield f"{name} = {tape.label(event.of)}.{how}: same memory, outside of the graph"
    else:
        grad = ", requires_grad" if info.requires_grad else ""
        yield f"{name}{_shape(info.value)} = {info.value}{grad}"


def _write(tape: Any, event: Any) -> Iterator[str]:
    value = event.value
    yield (f"{tape.label(event.tensor)}{_shape(value)} is now {_value(value)} "
           f"(changed in place, version {event.version})")  # fmt: skip


def _grad(tape: Any, event: Any) -> Iterator[str]:
    yield f"{tape.label(event.tensor)}.grad = {_value(event.value)}"


def _target(tape: Any, delivery: Any) -> str:
    if delivery.to == "leaf":
        return f"AccumulateGrad of {tape.label(delivery.id)}"
    output = f" (output {delivery.output_nr})" if delivery.output_nr else ""
    return f"{tape.nodes[delivery.id - 1].name}{output}"


def _deliveries(tape: Any, deliveries: Any, formulas: Any) -> Iterator[str]:
    for d in deliveries:
        formula = formulas.get(d.input) or formulas.get("tensors")
        how = f" = {formula}" if formula else ""
        if d.value is None:
            yield f"  to {_target(tape, d)}: no gradient"
            continue
        added = f", added to what was there: {_value(d.total)}" if d.added else ""
        how += f", summed to {d.value.shape}" if d.summed else ""
        yield f"  grad of {d.input}{how} = {_value(d.value)} to {_target(tape, d)}{added}"


def _backward(tape: Any, event: Any) -> Iterator[str]:
    kept = "; keeps the graph" if event.keep_graph else ""
    recorded = "; is recorded itself (create_graph)" if event.create_graph else ""
    yield f"backward begins{kept}{recorded}"
    for d in event.roots:
        yield f"  gradient {_value(d.value)} to {_target(tape, d)}"


def _run(tape: Any, event: Any) -> Iterator[str]:
    node = tape.nodes[event.node - 1]
    incoming = ", ".join(map(_value, event.incoming))
    yield f"{node.name} runs on grad = {incoming}"
    yield from _deliveries(tape, event.deliveries, {f.input: f.applied for f in event.formulas})
    if event.freed:
        yield f"  frees {', '.join(dict.fromkeys(event.freed))}"


def _accumulate(tape: Any, event: Any) -> Iterator[str]:
    name, gradient = f"{tape.label(event.tensor)}.grad", _value(event.gradient)
    if event.before is None:
        yield f"{name} = {gradient}"
    else:
        yield f"{name} = {_value(event.before)} + {gradient} = {_value(event.after)}"


def _backward_end(tape: Any, event: Any) -> Iterator[str]:
    if event.error is not None:
        yield f"backward failed: {event.error.splitlines()[0]}"
    else:
        yield "backward is done"


def _step(tape: Any, event: Any) -> Iterator[str]:
    options = ", ".join(f"{k}={v}" for k, v in event.options.items() if v)
    yield f"{event.optimizer} step ({options})"
    for c in event.changes:
        yield f"  {tape.label(c.tensor)}: {_value(c.before)} -> {_value(c.after)}"


LINES = {
    "op": _op, "created": _created, "write": _write, "grad": _grad, "backward": _backward,
    "run": _run, "accumulate": _accumulate, "backward_end": _backward_end, "step": _step,
}  # fmt: skip
