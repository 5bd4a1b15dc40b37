/* The ready queue and the dependency counts of the backward pass that runs. */
"use strict";

const MOST_CHIPS = 24;

class EngineView {
  constructor(element, tape, timeline) {
    Object.assign(this, { element, tape, timeline });
  }

  show(step) {
    const state = step ? this.timeline.engineAt(step) : null;
    const event = step ? this.tape.event(step) : null;
    this.element.closest("section").classList.toggle("idle", !state);
    if (!state) {
      this.element.innerHTML = `<p class="note">No backward pass is running at this step.</p>`;
      return;
    }
    const running = event.kind === "run" ? this.chip(event.node, "running", "runs now") : "";
    const ready = state.ready.map((n, i) => this.chip(n, "ready", i === 0 ? "next" : ""));
    const waiting = [...state.counts].filter(([key, count]) => count > 0 && key[0] === "n");
    const leaves = [...state.counts].filter(([key, count]) => count > 0 && key[0] === "l");
    const ids = waiting.map(([key]) => Number(key.slice(1)))
      .sort((a, b) => this.tape.node(b).sequence_nr - this.tape.node(a).sequence_nr);
    const chips = ids.slice(0, MOST_CHIPS).map((n) => this.chip(n, "waits", `waits for ${state.counts.get(`n${n}`)}`));
    const more = ids.length > MOST_CHIPS ? `<span class="note">and ${ids.length - MOST_CHIPS} more</span>` : "";
    const ends = leaves.slice(0, MOST_CHIPS).map(([key, count]) => this.leaf(Number(key.slice(1)), count));
    this.element.innerHTML = this.line("Ready queue", running + ready.slice(0, MOST_CHIPS).join("") || "empty")
      + this.line("Waiting", chips.join("") + more + ends.join("") || "none");
  }

  line(title, chips) { return `<div class="queue"><h3>${title}</h3><div class="chips">${chips}</div></div>`; }

  chip(number, kind, text) {
    const { sequence_nr: nr } = this.tape.node(number);
    return `<a href="#" class="chip ${kind}" data-show="n${number}" title="sequence number ${nr}"><span class="nr">#${nr}</span> ${safe(this.tape.nodeName(number))}${text ? ` <small>${text}</small>` : ""}</a>`;
  }

  leaf(id, count) {
    return `<a href="#" class="chip leaf" data-show="t${id}">${safe(this.tape.label(id))} <small>waits for ${count}</small></a>`;
  }
}
