/* The data of the page: what Python recorded, unpacked, with the answers that need no step.

   An event's `step` is its position, from 1; tensors and nodes have ids from 1. See
   minigrad/tape/events.py for every field. A field that is missing is false or None. */
"use strict";

class Tape {
  constructor(text) {
    let pool = [];
    const data = JSON.parse(text, (key, item) => {
      if (key === "pool") pool = item.map(withDefaults);
      return item !== null && typeof item === "object" && item.v !== undefined ? pool[item.v] : item;
    });
    this.events = data.events;
    this.tensors = data.tensors;
    this.nodes = data.nodes;
    this.sources = data.sources.map(({ file, text }) => ({ file, lines: text.split("\n") }));
    this.fits = data.fits;
    this.last = this.events.length;
    this.phases = this.events.map((event) => this.phaseOf(event));
    this.events.forEach((event, i) => { event.phase = this.phases[i]; });
  }

  event(step) { return this.events[step - 1]; }
  tensor(id) { return this.tensors[id - 1]; }
  node(id) { return this.nodes[id - 1]; }
  label(id) { return this.tensor(id).label; }

  /* "forward", "backward" or "update": what the program is busy with. */
  phaseOf(event) {
    if (event.in_backward || ["backward", "run", "accumulate", "backward_end"].includes(event.kind)) {
      return "backward";
    }
    if (event.kind === "step" || event.kind === "grad") return "update";
    if (event.kind === "write") return this.isParameter(event.tensor) ? "update" : "forward";
    if (event.kind === "op" && event.node === undefined) {
      const usesGradient = event.inputs.some((a) => a.tensor && this.tensor(a.tensor).how === "gradient");
      if (usesGradient || (event.in_place && this.isParameter(event.outputs[0]))) return "update";
    }
    return "forward";
  }

  isParameter(id) {
    const info = this.tensor(id);
    return Boolean(info.is_leaf && info.requires_grad);
  }

  /* Where a step happened: {file, line, text}, or null. */
  place(source) {
    if (!source) return null;
    const [file, line, inFunction] = source;
    const { file: path, lines } = this.sources[file];
    return { file, line, inFunction, name: path.split(/[\\/]/).pop(), text: (lines[line - 1] ?? "").trim() };
  }

  /* The node's name without its C++ namespace. */
  nodeName(id) { return this.node(id).name.split("::").pop(); }

  /* Names that a step touched, for the search: "W", "W.grad", "MulBackward0", "mul", "line 23". */
  touched(event) {
    const names = new Set();
    const tensor = (id) => names.add(this.label(id));
    const gradient = (id) => names.add(`${this.label(id)}.grad`);
    const place = this.place(event.source);
    if (place) names.add(`line ${place.line}`);
    if (event.kind === "op") {
      names.add(event.op);
      event.inputs.forEach((a) => a.tensor && tensor(a.tensor));
      event.outputs.forEach(tensor);
      if (event.node) names.add(this.nodeName(event.node));
    } else if (event.kind === "run") {
      names.add(this.nodeName(event.node));
    } else if (event.kind === "accumulate") {
      names.add("AccumulateGrad");
      gradient(event.tensor);
    } else if (event.kind === "grad") {
      gradient(event.tensor);
    } else if (event.kind === "step") {
      names.add(event.optimizer);
      event.changes.forEach((c) => { tensor(c.tensor); gradient(c.tensor); });
    } else if (event.tensor) {
      tensor(event.tensor);
    }
    for (const d of event.deliveries ?? event.roots ?? []) {
      if (d.to === "leaf" && d.value) gradient(d.id);
    }
    return names;
  }

  /* The steps that touched what is searched for: exact names first, else names that contain it. */
  search(query) {
    const wanted = query.trim().toLowerCase();
    if (!wanted) return [];
    this.names ??= this.events.map((event) => [...this.touched(event)].map((n) => n.toLowerCase()));
    const steps = (matches) => this.events.filter((_, i) => this.names[i].some(matches)).map((e) => e.step);
    const exact = steps((name) => name === wanted);
    return exact.length ? exact : steps((name) => name.includes(wanted));
  }
}

function withDefaults(value) {
  return { low: null, high: null, mean: null, ...value };
}
