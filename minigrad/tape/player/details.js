/* The selected tensor or node at the right: what it is and has at this step, and who holds it. */
"use strict";

const MOST_LINKS = 14;

class Details {
  constructor(element, tape, timeline, graphs, narrator) {
    Object.assign(this, { element, tape, timeline, graphs, narrator });
  }

  show(key, step) {
    if (!key) {
      this.element.innerHTML = `<p class="note">Select a box of the graph.</p>`;
      return;
    }
    const [kind, number] = [key[0], Number(key.slice(1))];
    if (kind === "t") this.element.innerHTML = this.tensor(number, step);
    else if (kind === "n") this.element.innerHTML = this.results(this.timeline.opOf.get(number), step) + this.node(number, step);
    else this.element.innerHTML = this.results(this.tape.event(number), step);
  }

  results(event, step) { return event ? event.outputs.slice(0, 3).map((t) => this.tensor(t, step)).join("") : ""; }

  // --- a tensor ---

  tensor(id, step) {
    const info = this.tape.tensor(id);
    const state = this.timeline.valueAt(id, step);
    const exists = step > info.made || info.how === "given";
    const facts = exists ? [
      ["Value", this.grid(state.value) + this.statistics(state.value)],
      ...this.gradient(info, step),
      ["Version", this.version(info, step)],
      [info.is_leaf ? "A leaf" : "Not a leaf", this.leaf(info)],
      ["Held by", this.holders(info, step)],
    ] : [["Value", `<span class="note">not made yet</span>`]];
    facts.push(["Made", this.made(info)], ["Steps", this.steps(`t${id}`, step)]);
    const kind = `${state.value.dtype} ${shapeText(state.value)}`;
    return `<h3>${safe(info.label)} <small>${safe(kind)}</small></h3>${this.list(facts)}${this.why(info, step)}`;
  }

  list(facts) { return `<dl>${facts.map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}</dl>`; }

  /* A table of the first numbers; rows as in the last dimension. */
  grid(value, kind = "") {
    if (!value) return "None";
    const { shape, numbers } = value;
    if (!shape.length) return `<code class="value ${kind}">${safe(short(numbers[0]))}</code>`;
    const columns = Math.min(shape.at(-1) || 1, 8);
    const rows = [];
    for (let i = 0; i < numbers.length && rows.length < 8; i += shape.at(-1)) {
      const row = numbers.slice(i, i + columns).map((n) => `<td>${safe(short(n))}</td>`).join("");
      rows.push(`<tr>${row}${shape.at(-1) > columns ? "<td>\u2026</td>" : ""}</tr>`);
    }
    const all = value.count <= rows.length * columns;
    return `<table class="grid ${kind}">${rows.join("")}</table>${all ? "" : `<span class="note">${value.count} numbers</span>`}`;
  }

  statistics(value) {
    if (!value || value.mean === null) return "";
    return `<span class="note">from ${safe(short(value.low))} to ${safe(short(value.high))}, mean ${safe(short(value.mean))}</span>`;
  }

  gradient(info, step) {
    if (!info.requires_grad) return [["Gradient", "None will arrive: it does not require one."]];
    const own = this.timeline.gradAt(info.id, step);
    if (info.is_leaf) {
      const last = latest(this.timeline.grads.get(info.id), step);
      const since = last ? ` <span class="note">since ${stepLink(last.step)}</span>` : "";
      return [[".grad", own ? this.grid(own, "gradient") + since : `None${since}`]];
    }
    const arrived = info.node ? this.timeline.arrivedAt(`n${info.node}:${info.output_nr}`, step) : undefined;
    const facts = [];
    if (arrived) facts.push(["Gradient", `${this.grid(arrived.total, "gradient")}<span class="note">arrived at ${stepLink(arrived.step)}</span>`]);
    if (own) facts.push([".grad", this.grid(own, "gradient")]);
    else facts.push([".grad", `None <span class="note">a gradient passes on and is not kept: this is no leaf</span>`]);
    return facts;
  }

  version(info, step) {
    const changes = this.timeline.values.get(info.id).filter((v) => v.step > info.made && v.step <= step);
    const { version } = this.timeline.valueAt(info.id, step);
    const shown = changes.slice(-6).map((c) => stepLink(c.step));
    return `${version ?? "not counted"}${shown.length ? ` <span class="note">changed in place at ${shown.join(", ")}</span>` : ""}`;
  }

  leaf(info) {
    if (!info.is_leaf) return info.node ? `${vertexLink(`n${info.node}`, this.tape.nodeName(info.node))} is its <code>grad_fn</code>` : "it has a <code>grad_fn</code>";
    if (info.requires_grad) return "no operation made it, and <code>requires_grad</code> is set: its gradient is kept in <code>.grad</code>";
    if (info.of && info.how === "gradient") return `it is the gradient of ${vertexLink(`t${info.of}`, this.tape.label(info.of))}`;
    if (info.of) return `taken out of the graph from ${vertexLink(`t${info.of}`, this.tape.label(info.of))}`;
    return "it requires no gradient";
  }

  holders(info, step) {
    const holders = [];
    if (info.name && !(info.freed && step > info.freed)) holders.push(`the variable <code>${safe(info.name)}</code>`);
    for (const number of this.timeline.savedBy.get(info.id) ?? []) {
      const node = this.tape.node(number);
      const gone = Math.min(node.saved_freed ?? Infinity, node.freed ?? Infinity);
      if (node.made < step && step < gone) holders.push(`${vertexLink(`n${number}`, this.tape.nodeName(number))}, for backward`);
    }
    const { shares } = info;
    const lives = (t) => this.tape.tensor(t).made < step && !(this.tape.tensor(t).freed < step);
    const sharers = [...(shares ? [shares] : []), ...(this.timeline.sharers.get(info.id) ?? [])].filter(lives);
    const memory = sharers.slice(0, 6).map((t) => vertexLink(`t${t}`, this.tape.label(t)));
    const shared = memory.length ? `<br><span class="note">same memory: ${memory.join(", ")}</span>` : "";
    if (info.freed && step > info.freed) {
      const kept = holders.length ? `; its numbers are kept by ${holders.join(", ")}` : "";
      return `<span class="note">the Tensor is gone since ${stepLink(info.freed)}${kept}</span>${shared}`;
    }
    return `${holders.join("<br>") || "no variable that was seen"}${shared}`;
  }

  made(info) {
    const place = this.tape.place(info.source);
    const first = info.how === "given" ? "before the recording saw it" : stepLink(info.made + 1);
    return `${first}${place ? ` <span class="note">line ${place.line}: <code>${safe(place.text)}</code></span>` : ""}`;
  }

  /* Links to the steps around this one that touched something. */
  steps(key, step) {
    const all = this.timeline.touches.get(key) ?? [];
    const at = all.findIndex((s) => s >= step);
    const from = Math.max(0, (at < 0 ? all.length : at) - MOST_LINKS / 2);
    const links = all.slice(from, from + MOST_LINKS).map((s) => (s === step ? `<b>${s}</b>` : stepLink(s, s)));
    const rest = all.length > links.length ? ` <span class="note">of ${all.length}</span>` : "";
    return links.join(" ") + rest || "none";
  }

  /* The way of a leaf's gradient through the pass, with the numbers of each formula. */
  why(info, step) {
    if (!info.is_leaf || !info.requires_grad || !this.timeline.gradAt(info.id, step)) return "";
    const last = latest(this.timeline.grads.get(info.id), step);
    const event = this.tape.event(last.step);
    if (event.kind !== "accumulate") return "";
    const way = wayOfGradient(this.tape, event);
    const shown = way.length > 12 ? [...way.slice(0, 2), null, ...way.slice(-9)] : way;
    const items = shown.map((stop) => (stop ? this.stop(stop) : `<li class="note">\u2026 ${way.length - 11} more</li>`));
    const before = event.before ? `<li>added to what <code>.grad</code> had before: <code class="formula">${safe(valueText(event.before))} + ${safe(valueText(event.gradient))} = <b>${safe(valueText(event.after))}</b></code></li>` : "";
    return `<details class="why" open><summary>Why ${safe(info.label)}.grad is ${safe(valueText(event.after))}</summary>`
      + `<ol>${items.join("")}${before}</ol></details>`;
  }

  stop({ event, deliveries }) {
    const formulas = deliveries.map((d) => `${formulaBlock(this.tape, this.timeline, event, d)}${d.added ? `<span class="note">added to what had arrived: ${safe(valueText(d.total))}</span>` : ""}`);
    return `<li>${vertexLink(`n${event.node}`, this.tape.nodeName(event.node))} ${stepLink(event.step)} <span class="note">grad of ${deliveries.map((d) => safe(d.input)).join(", ")}</span>${formulas.join("")}</li>`;
  }

  // --- a node ---

  node(number, step) {
    const node = this.tape.node(number);
    const edges = node.edges.map((edge) => (edge ? this.edge(edge) : "None"));
    const place = this.tape.place(node.source);
    const facts = [
      ["Order", `sequence number ${node.sequence_nr}`],
      ["next_functions", edges.join("<br>") || "none"],
      ["Saved", this.saved(node, step)],
      ["Ran", node.ran.map((s) => stepLink(s)).join(", ") || "never"],
      ["Made", `${place ? `line ${place.line}: <code>${safe(place.text)}</code>` : "before the recording"}`],
      ["Steps", this.steps(`n${number}`, step)],
    ];
    const run = node.ran.findLast((s) => s <= step) ?? node.ran[0];
    return `<h3>${safe(node.name)} <small>node</small></h3>${this.list(facts)}${run ? this.formulas(this.tape.event(run), step) : ""}`;
  }

  edge(edge) {
    const [key, text] = edge.to === "leaf" ? [`t${edge.id}`, `AccumulateGrad of ${this.tape.label(edge.id)}`] : [`n${edge.id}`, this.tape.nodeName(edge.id)];
    return `${vertexLink(key, text)}${edge.output_nr ? ` (output ${edge.output_nr})` : ""} <span class="note">for ${safe(edge.input)}</span>`;
  }

  saved(node, step) {
    const freed = node.saved_freed && step >= node.saved_freed;
    const items = node.saved.map((s) => {
      const version = s.version !== undefined ? ` <span class="note">version ${s.version}</span>` : "";
      return `<span class="${freed && s.version !== undefined ? "gone" : ""}"><code>${safe(s.name)}</code> = ${s.tensor ? vertexLink(`t${s.tensor}`, this.tape.label(s.tensor)) : safe(s.text)}</span>${version}`;
    });
    return (items.join("<br>") || "nothing") + (freed ? `<br><span class="note">freed at ${stepLink(node.saved_freed)}: a second backward would fail</span>` : "");
  }

  formulas(event, step) {
    const when = event.step > step ? `as it will run at ${stepLink(event.step)}` : `as it ran at ${stepLink(event.step)}`;
    const blocks = event.deliveries.map((d) => this.narrator.delivery(event, d)).join("</p><p>");
    return `<details class="why" open><summary>Formula, ${when}</summary><p>${blocks}</p></details>`;
  }
}
