/* What was true at a step: values, versions, gradients, counts. Built once, asked for any step. */
"use strict";

class Timeline {
  constructor(tape) {
    this.tape = tape;
    this.values = new Map();      // tensor -> [{step, value, version}], oldest first
    this.grads = new Map();       // tensor -> [{step, value}]: its `.grad`
    this.arrivals = new Map();    // "n3:0" or "l5" -> [{step, total, value, added, pass}]
    this.touches = new Map();     // "t5" or "n3" -> steps
    this.savedBy = new Map();     // tensor -> nodes that keep it
    this.sharers = new Map();     // tensor -> tensors that use its memory
    this.retained = new Map();    // tensor -> the tensor in its `.grad`
    this.opOf = new Map();        // node -> the event of the op that made it
    this.madeBy = new Map();      // tensor -> the event of the op that made it
    for (const info of tape.tensors) {
      push(this.values, info.id, { step: info.made, value: info.value, version: info.version ?? null });
      if (info.shares) push(this.sharers, info.shares, info.id);
    }
    for (const node of tape.nodes) {
      for (const saved of node.saved) if (saved.tensor) push(this.savedBy, saved.tensor, node.id);
    }
    tape.events.forEach((event) => this.read(event));
    this.cursor = { pass: 0, step: 0, counts: new Map() };
  }

  read(event) {
    const { step } = event;
    const touch = (key) => {
      if (this.touches.get(key)?.at(-1) !== step) push(this.touches, key, step);
    };
    if (event.kind === "op") {
      event.inputs.forEach((a) => a.tensor && touch(`t${a.tensor}`));
      event.outputs.forEach((t) => touch(`t${t}`));
      if (!event.in_place) event.outputs.forEach((t) => this.madeBy.set(t, event));
      if (event.node) {
        touch(`n${event.node}`);
        this.opOf.set(event.node, event);
      }
    } else if (event.kind === "write") {
      touch(`t${event.tensor}`);
      push(this.values, event.tensor, { step, value: event.value, version: event.version });
    } else if (event.kind === "step") {
      for (const c of event.changes) {
        touch(`t${c.tensor}`);
        push(this.values, c.tensor, { step, value: c.after, version: c.version ?? null, before: c.before });
      }
    } else if (event.kind === "accumulate") {
      touch(`t${event.tensor}`);
      push(this.grads, event.tensor, { step, value: event.after });
    } else if (event.kind === "grad") {
      touch(`t${event.tensor}`);
      push(this.grads, event.tensor, { step, value: event.value ?? null });
    } else if (event.kind === "created") {
      touch(`t${event.tensor}`);
      if (event.of) touch(`t${event.of}`);
    } else if (event.kind === "run") {
      touch(`n${event.node}`);
    }
    const pass = event.kind === "backward" ? step : event.backward;
    for (const d of event.deliveries ?? event.roots ?? []) {
      push(this.arrivals, target(d), { step, value: d.value, total: d.total, added: d.added, pass, by: event.node });
      if (d.to === "leaf") touch(`t${d.id}`);
    }
  }

  /* The state {value, version, step} of a tensor's memory at a step. */
  valueAt(tensor, step) { return latest(this.values.get(tensor), step) ?? this.values.get(tensor)[0]; }

  /* `.grad` at a step: a value, null once it was forgotten, undefined if there never was one. */
  gradAt(tensor, step) { return latest(this.grads.get(tensor), step)?.value; }

  /* What had arrived at an output of a node, or at a leaf, in the pass that ran last. */
  arrivedAt(key, step) {
    const found = latest(this.arrivals.get(key), step);
    return found && found.pass === this.passAt(step) ? found : undefined;
  }

  /* All gradients that arrived there in one pass, up to a step. */
  arrivalsIn(key, pass, step) {
    return (this.arrivals.get(key) ?? []).filter((a) => a.pass === pass && a.step <= step);
  }

  /* The step at which the last backward pass before `step` began; 0 without one. */
  passAt(step) {
    this.starts ??= this.tape.events.filter((e) => e.kind === "backward");
    return latest(this.starts, step)?.step ?? 0;
  }

  isRunning(step) {
    const pass = this.passAt(step);
    this.ends ??= new Map(this.tape.events.filter((e) => e.kind === "backward_end").map((e) => [e.backward, e.step]));
    return pass > 0 && step < (this.ends.get(pass) ?? Infinity);
  }

  /* The ready queue and the dependency counts of the pass that runs at `step`; null between passes. */
  engineAt(step) {
    if (!this.isRunning(step)) return null;
    const pass = this.passAt(step);
    if (this.cursor.pass !== pass || this.cursor.step > step) {
      const start = this.tape.event(pass);
      const counts = new Map(start.waiting.map((w) => [place(w), w.count]));
      start.roots.forEach((d) => counts.set(place(d), counts.get(place(d)) - 1));
      this.cursor = { pass, step: pass, counts, ready: start.ready };
    }
    const { counts } = this.cursor;
    for (let s = this.cursor.step + 1; s <= step; s++) {
      const event = this.tape.event(s);
      if (event.kind !== "run" || event.backward !== pass) continue;
      counts.delete(`n${event.node}`);
      event.deliveries.forEach((d) => counts.set(place(d), counts.get(place(d)) - 1));
      this.cursor.ready = event.ready;
    }
    this.cursor.step = step;
    return { pass, counts, ready: this.cursor.ready };
  }
}

/* Where a gradient goes: a node's output or a leaf, and the node or leaf alone. */
function target(d) { return d.to === "leaf" ? `l${d.id}` : `n${d.id}:${d.output_nr}`; }
function place(d) { return (d.to === "leaf" ? "l" : "n") + d.id; }

function push(map, key, item) {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

/* The last item of a list sorted by step that is not after `step`. */
function latest(list, step) {
  let low = 0;
  let high = list ? list.length : 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].step <= step) low = middle + 1;
    else high = middle;
  }
  return low ? list[low - 1] : undefined;
}
