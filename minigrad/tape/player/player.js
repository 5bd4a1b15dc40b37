/* Puts the parts together: one step is selected, and all parts show it. */
"use strict";

class Player {
  constructor() {
    const tape = new Tape(document.getElementById("tape").textContent);
    const timeline = new Timeline(tape);
    const graphs = new Graphs(tape);
    const narrator = new Narrator(tape, timeline);
    Object.assign(this, { tape, timeline, graphs, narrator, step: 0, pinned: null, timer: null });
    const jump = (step) => this.go(step);
    this.source = new SourceView(byId("source-lines"), byId("file"), tape, (file, line) => this.goToLine(file, line));
    this.steps = new StepList(byId("step-rows"), tape, narrator, jump);
    this.graph = new GraphView(byId("graph"), tape, timeline, graphs, (key) => this.select(key));
    this.engine = new EngineView(byId("engine"), tape, timeline);
    this.fit = new FitView(byId("fit"), tape, timeline);
    this.details = new Details(byId("details"), tape, timeline, graphs, narrator);
    this.listen();
    document.title = `${byId("file").textContent || "tape"} \u2013 minigrad tape`;
    this.go(this.stepOfAddress() ?? Math.min(1, tape.last));
    document.title = `${byId("file").textContent || "tape"} \u2013 minigrad tape`;
    this.drawStrip();
  }

  // --- the step ---

  go(step, fromAddress = false) {
    const { tape } = this;
    this.step = Math.max(Math.min(1, tape.last), Math.min(tape.last, step || 0));
    const event = this.step ? tape.event(this.step) : null;
    const slider = byId("slider");
    slider.value = this.step;
    slider.setAttribute("aria-valuetext", event ? `step ${this.step} of ${tape.last}: ${this.narrator.line(event)}` : "no steps");
    byId("number").value = this.step;
    byId("phase").textContent = event ? event.phase : "";
    document.body.dataset.phase = event ? event.phase : "";
    this.source.show(event);
    this.steps.show(this.step);
    this.engine.show(this.step);
    this.fit.show(this.step);
    this.showNow(event);
    this.showSelected();
    if (!fromAddress) this.writeAddress();
  }

  showNow(event) {
    if (!event) {
      byId("now").innerHTML = "<p>Nothing was recorded.</p>";
      return;
    }
    const place = this.tape.place(event.source);
    const where = place ? `<p class="note">${safe(place.name)}:${place.line} <code>${safe(place.text)}</code></p>` : "";
    byId("now").innerHTML = this.narrator.story(event) + where;
  }

  /* What is pinned is shown, else what the step is about. */
  showSelected() {
    const event = this.step ? this.tape.event(this.step) : null;
    const key = this.pinned ?? (event ? this.subject(event) : null);
    byId("follow").hidden = this.pinned === null;
    this.graph.show(this.step, this.graphs.vertexOf(key));
    this.details.show(key, this.step);
  }

  subject(event) {
    if (event.kind === "step") return event.changes.length ? `t${event.changes[0].tensor}` : null;
    return event.tensor ? `t${event.tensor}` : this.graphs.activeVertex(event);
  }

  select(key) {
    this.pinned = key;
    this.showSelected();
  }

  goToLine(file, line) {
    const isThere = ({ source }) => source && source[0] === file && source[1] === line;
    const after = this.tape.events.find((e) => e.step > this.step && isThere(e));
    this.go((after ?? this.tape.events.find(isThere)).step);
  }

  /* To where the next (or this) phase begins: forward, backward, update. */
  goToPhase(direction) {
    const { phases, last } = this.tape;
    let step = this.step;
    if (direction > 0) {
      while (step < last && phases[step] === phases[this.step - 1]) step++;
      return this.go(Math.min(last, step + 1));
    }
    step = Math.max(1, step - 1);
    while (step > 1 && phases[step - 2] === phases[step - 1]) step--;
    return this.go(step);
  }

  play() {
    const button = byId("play");
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    } else {
      if (this.step === this.tape.last) this.go(1);
      this.timer = setInterval(() => {
        if (this.step >= this.tape.last) this.play();
        else this.go(this.step + 1);
      }, 900 / Number(byId("speed").value));
    }
    button.textContent = this.timer ? "\u25AE\u25AE" : "\u25B6";
    button.setAttribute("aria-label", this.timer ? "Pause" : "Play");
  }

  // --- the address ---

  stepOfAddress() {
    const found = /step=(\d+)/.exec(location.hash);
    return found ? Number(found[1]) : null;
  }

  writeAddress() {
    try {
      window.history.replaceState(null, "", `#step=${this.step}`);
    } catch { /* a page inside a notebook may have no address */ }
  }

  // --- search ---

  search(query) {
    this.found = this.tape.search(query);
    this.steps.mark(this.found);
    this.drawStrip();
    const { length } = this.found;
    byId("hits").textContent = query.trim() ? (length ? `${length} ${length === 1 ? "step" : "steps"}` : "nothing found") : "";
    if (length) this.go(this.found.find((s) => s >= this.step) ?? this.found[0]);
  }

  nextFound(direction) {
    if (!this.found?.length) return;
    const after = direction > 0 ? this.found.find((s) => s > this.step) : this.found.findLast((s) => s < this.step);
    this.go(after ?? this.found.at(direction > 0 ? 0 : -1));
  }

  // --- listening ---

  listen() {
    const slider = byId("slider");
    slider.max = this.tape.last;
    slider.min = Math.min(1, this.tape.last);
    slider.addEventListener("input", () => this.go(Number(slider.value)));
    byId("number").addEventListener("change", (e) => this.go(Number(e.target.value)));
    byId("last").textContent = this.tape.last;
    const buttons = {
      first: () => this.go(1), back: () => this.go(this.step - 1), play: () => this.play(),
      forward: () => this.go(this.step + 1), end: () => this.go(this.tape.last),
      "phase-back": () => this.goToPhase(-1), "phase-on": () => this.goToPhase(1),
      follow: () => this.select(null), theme: () => this.switchTheme(), help: () => byId("keys").showModal(),
      "zoom-in": () => this.graph.zoom(1.25), "zoom-out": () => this.graph.zoom(0.8), fit: () => this.graph.fit(),
    };
    for (const [id, act] of Object.entries(buttons)) {
      document.querySelector(`[data-act="${id}"]`).addEventListener("click", act);
    }
    byId("speed").addEventListener("change", () => { if (this.timer) { this.play(); this.play(); } });
    byId("search").addEventListener("input", (e) => this.search(e.target.value));
    byId("search").addEventListener("keydown", (e) => this.searchKey(e));
    document.addEventListener("keydown", (e) => this.key(e));
    document.addEventListener("click", (e) => this.link(e));
    window.addEventListener("hashchange", () => this.go(this.stepOfAddress() ?? this.step, true));
    new ResizeObserver(() => this.drawStrip()).observe(byId("strip"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  searchKey(e) {
    if (e.key === "Enter") this.nextFound(e.shiftKey ? -1 : 1);
    else if (e.key === "Escape") {
      e.target.value = "";
      this.search("");
      e.target.blur();
    } else return;
    e.preventDefault();
  }

  key(e) {
    const typing = e.target.closest?.("input:not([type=range]), select, textarea, dialog");
    if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
    const acts = {
      ArrowRight: () => this.go(this.step + 1), ArrowLeft: () => this.go(this.step - 1),
      PageDown: () => this.goToPhase(1), PageUp: () => this.goToPhase(-1),
      Home: () => this.go(1), End: () => this.go(this.tape.last),
      n: () => this.nextFound(1), N: () => this.nextFound(-1),
      "/": () => byId("search").focus(), "?": () => byId("keys").showModal(), Escape: () => this.select(null),
    };
    const act = e.key === " " && !e.target.closest?.("button, a, summary") ? () => this.play() : acts[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  link(e) {
    const link = e.target.closest("a[data-show], a[href^='#step=']");
    if (!link) return;
    e.preventDefault();
    if (link.dataset.show) this.select(link.dataset.show);
    else this.go(Number(link.getAttribute("href").slice(6)));
  }

  switchTheme() {
    const dark = getComputedStyle(document.body).getPropertyValue("--dark").trim() === "1";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    this.repaint();
  }

  repaint() {
    this.drawStrip();
    this.fit.show(this.step);
  }

  /* The phases of the whole tape above the slider, and marks where the search found something. */
  drawStrip() {
    const canvas = byId("strip");
    const width = canvas.clientWidth || 300;
    const style = getComputedStyle(document.body);
    canvas.width = width;
    canvas.height = 10;
    const context = canvas.getContext("2d");
    const at = (step) => ((step - 1) / this.tape.last) * width;
    for (let x = 0; x < width; x++) {
      const phase = this.tape.phases[Math.floor((x / width) * this.tape.last)];
      context.fillStyle = style.getPropertyValue(`--${phase}`);
      context.fillRect(x, 3, 1, 4);
    }
    context.fillStyle = style.getPropertyValue("--text");
    for (const step of this.found ?? []) context.fillRect(at(step), 0, Math.max(1.5, width / this.tape.last), 10);
  }
}

function byId(id) { return document.getElementById(id); }

const player = new Player();
