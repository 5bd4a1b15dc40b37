/* Numbers, values and steps as text. Whatever comes from the program passes `safe`. */
"use strict";

function safe(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/* A number in about six characters, as the table in Python prints it. */
function short(number) {
  if (typeof number === "boolean") return number ? "True" : "False";
  if (typeof number !== "number" || Number.isInteger(number)) return String(number);
  const size = Math.abs(number);
  if (size >= 1e-4 && size < 1e6) return String(Number(number.toPrecision(4)));
  return number.toExponential(3).replace(/\.?0+e/, "e");
}

/* The first elements of a value: "4.667", "[1, 2, 3]". */
function valueText(value, most = 6) {
  if (!value) return "None";
  if (value.shape.length === 0) return short(value.numbers[0]);
  const shown = value.numbers.slice(0, most).map(short).join(", ");
  return `[${shown}${value.count > most ? ", \u2026" : ""}]`;
}

function shapeText(value) {
  return value.shape.length ? `(${value.shape.join(", ")}${value.shape.length === 1 ? "," : ""})` : "()";
}

/* Links that the page understands: to a step, and to a tensor or node. */
function stepLink(step, text = `step ${step}`) {
  return `<a class="link" href="#step=${step}">${text}</a>`;
}
function vertexLink(key, text) {
  return `<a class="link" href="#" data-show="${key}">${safe(text)}</a>`;
}

class Narrator {
  constructor(tape, timeline) {
    this.tape = tape;
    this.timeline = timeline;
  }

  /* One line for the list of steps. */
  line(event) {
    const { tape } = this;
    switch (event.kind) {
      case "op": return this.callText(event);
      case "created": return this.createdText(event);
      case "write": return `${tape.label(event.tensor)} changed in place`;
      case "grad": return `${tape.label(event.tensor)}.grad = ${valueText(event.value, 3)}`;
      case "backward": return "backward begins";
      case "run": return `${tape.nodeName(event.node)} runs`;
      case "accumulate": return `${tape.label(event.tensor)}.grad = ${valueText(event.after, 3)}`;
      case "backward_end": return event.error ? "backward failed" : "backward is done";
      default: return `${event.optimizer} step`;
    }
  }

  callText(event) {
    const call = callText(this.tape, event);
    return event.in_place ? call : `${event.outputs.map((t) => this.tape.label(t)).join(", ")} = ${call}`;
  }

  createdText(event) {
    const name = this.tape.label(event.tensor);
    if (!event.of) return `${name} = ${valueText(this.tape.tensor(event.tensor).value, 3)}`;
    return `${name} = ${this.tape.label(event.of)}.${event.how === "detach" ? "detach()" : "data"}`;
  }

  /* What happens at a step, in sentences (HTML). */
  story(event) {
    return this[`story_${event.kind}`](event).filter(Boolean).map((text) => `<p>${text}</p>`).join("");
  }

  name(tensor) { return `<b>${vertexLink(`t${tensor}`, this.tape.label(tensor))}</b>`; }
  nodeLink(node) { return `<b>${vertexLink(`n${node}`, this.tape.nodeName(node))}</b>`; }
  amount(value, kind = "value") { return `<code class="${kind}">${safe(valueText(value))}</code>`; }

  story_op(event) {
    const { tape } = this;
    const made = event.outputs.map((t, i) => `${this.name(t)} = ${this.amount(event.values[i] ?? this.now(t, event))}`);
    const said = [`<code>${safe(this.callText(event))}</code>`, `${event.in_place ? "Now " : ""}${made.join("<br>")}`];
    said.push(`With the numbers: <code class="formula">${forwardNumbers(tape, this.timeline, event)}</code>`);
    if (!event.node) return [...said, `Not recorded in the graph: ${WHY_NOT[event.recorded] ?? safe(event.recorded)}.`];
    const saved = tape.node(event.node).saved.map((s) => (s.tensor ? this.name(s.tensor) : `${safe(s.name)} ${safe(s.text)}`));
    return [...said, `It leaves the node ${this.nodeLink(event.node)}, which saves ${saved.join(", ") || "nothing"} for backward.`];
  }

  now(tensor, event) { return this.timeline.valueAt(tensor, event.step).value; }

  story_created(event) {
    const info = this.tape.tensor(event.tensor);
    if (event.of) {
      return [`${this.name(event.tensor)} uses the memory of ${this.name(event.of)}, but is outside of the graph: no gradient passes.`];
    }
    return [`${this.name(event.tensor)} = ${this.amount(info.value)}`,
      info.requires_grad ? "A leaf that requires a gradient: backward will fill its <code>.grad</code>." : "Data: it requires no gradient."];
  }

  story_write(event) {
    const users = (this.timeline.savedBy.get(event.tensor) ?? []).filter((n) => this.isWaitingFor(n, event));
    return [`${this.name(event.tensor)} is changed in place: ${this.amount(event.value)} (version ${event.version}).`,
      users.length && `<span class="warning">${users.map((n) => this.nodeLink(n)).join(", ")} saved an older version: running it backward raises an error.</span>`];
  }

  isWaitingFor(number, event) {
    const node = this.tape.node(number);
    const saved = node.saved.find((s) => s.tensor === event.tensor);
    return node.made < event.step - 1 && !(node.saved_freed <= event.step) && saved.version < event.version;
  }

  story_grad(event) {
    const what = `<b>${safe(this.tape.label(event.tensor))}.grad</b>`;
    return [event.value ? `${what} is set to ${this.amount(event.value, "gradient")}.`
      : `${what} is forgotten (None), so that the next backward begins anew instead of adding to it.`];
  }

  story_backward(event) {
    const roots = event.roots.map((d) => `${this.amount(d.value, "gradient")} goes to ${this.target(d)}`);
    const { length } = event.waiting;
    return [`A backward pass begins: ${roots.join(", ")}.`,
      `${length} ${length === 1 ? "node was" : "nodes were"} found. Each waits until all gradients that it expects have arrived; of those that are ready the newest (highest sequence number) runs first.`,
      event.keep_graph && "The graph is kept (retain_graph).", event.create_graph && "The pass is recorded itself (create_graph).",
      event.only_inputs && "Only gradients of given inputs are wanted."];
  }

  target(d) { return d.to === "leaf" ? `the leaf ${this.name(d.id)}` : this.nodeLink(d.id); }

  story_run(event) {
    const incoming = event.incoming.map((v) => this.amount(v, "gradient")).join(", ");
    const said = [`${this.nodeLink(event.node)} runs on <code>grad</code> = ${incoming}.`];
    for (const d of event.deliveries) said.push(this.delivery(event, d));
    if (event.freed?.length) said.push(`What it had saved is freed: ${[...new Set(event.freed)].map(safe).join(", ")}.`);
    return said;
  }

  delivery(event, d) {
    if (!d.value) return `No gradient for <code>${safe(d.input)}</code>.`;
    const added = d.added ? `<br><span class="adds">added to what had arrived there: ${this.amount(d.total, "gradient")}</span>` : "";
    return `Gradient for <code>${safe(d.input)}</code>, to ${this.target(d)}:${formulaBlock(this.tape, this.timeline, event, d, true)}${added}`;
  }

  story_accumulate(event) {
    const name = `${this.name(event.tensor)}<b>.grad</b>`;
    if (!event.before) return [`All gradients of ${this.name(event.tensor)} have arrived: ${name} = ${this.amount(event.after, "gradient")}`];
    return [`${name} had ${this.amount(event.before, "gradient")} from before, and gradients add up:`,
      `<code class="formula">${safe(valueText(event.before))} + ${safe(valueText(event.gradient))} = <b>${safe(valueText(event.after))}</b></code>`];
  }

  story_backward_end(event) {
    return [event.error ? `<span class="warning">The pass failed:</span><br>${safe(event.error)}` : "The backward pass is done: nothing is ready any more."];
  }

  story_step(event) {
    const options = Object.entries(event.options).filter(([, v]) => v).map(([k, v]) => `${safe(k)} = ${safe(short(v))}`);
    const plain = event.optimizer === "SGD" && !event.options.momentum && !event.options.weight_decay;
    const changes = event.changes.map((c) => {
      const why = plain && c.gradient
        ? `<code class="formula">${safe(valueText(c.before))} - ${safe(short(event.options.lr))} * ${safe(valueText(c.gradient))} = <b>${safe(valueText(c.after))}</b></code>`
        : `<code class="formula">${safe(valueText(c.before))} \u2192 <b>${safe(valueText(c.after))}</b></code>`;
      return `${this.name(c.tensor)}: ${why}`;
    });
    return [`${safe(event.optimizer)} moves the parameters (${options.join(", ")}).`, ...changes];
  }
}

const WHY_NOT = {
  "no_grad": "it runs under no_grad",
  "inference mode": "it runs in inference mode",
  "not differentiable": "it has no gradient",
  "no input requires grad": "none of its inputs requires a gradient",
};
