/* The picture of the graph: SVG, of which only what the window shows is drawn. */
"use strict";

const LETTERS = 25;               // so many fit into a box
const MARGIN = 36;                // around the picture
const SCALES = [0.3, 2];
const READABLE = 0.72;            // the least scale that the page chooses itself

class GraphView {
  constructor(svg, tape, timeline, graphs, choose) {
    Object.assign(this, { svg, tape, timeline, graphs, choose });
    this.camera = { x: 0, y: 0, scale: 1 };      // x, y: the middle of the window
    this.shown = null;                           // number of the graph
    this.step = 0;
    this.selected = null;
    this.moved = false;                          // whether the user has moved the camera
    this.size = { width: svg.clientWidth, height: svg.clientHeight };
    svg.addEventListener("click", (e) => this.clicked(e.target.closest("[data-key]")));
    svg.addEventListener("keydown", (e) => {
      if (e.key === "Enter" || e.key === " ") {
        e.preventDefault();
        e.stopPropagation();
        this.clicked(e.target.closest("[data-key]"));
      }
    });
    svg.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    this.listenToDrag();
    new ResizeObserver(() => this.resized()).observe(svg);
  }

  clicked(box) {
    if (box && !this.dragged) this.choose(box.dataset.key);
  }

  get graph() { return this.graphs.list[this.shown]; }

  /* Draw the graph of a step; the camera follows what runs. */
  show(step, selected) {
    this.step = step;
    this.selected = selected;
    const number = this.graphs.atStep[Math.max(step, 1) - 1];
    const event = step ? this.tape.event(step) : null;
    this.active = new Set(event ? this.activeKeys(event) : []);
    if (number !== this.shown) this.changeGraph(number);
    else this.follow();
    this.draw();
  }

  /* The boxes that a step is about. */
  activeKeys(event) {
    const key = this.graphs.activeVertex(event);
    if (key) return [key];
    if (event.kind === "step") return event.changes.map((c) => `t${c.tensor}`);
    return event.tensor ? [`t${event.tensor}`] : [];
  }

  /* The first graph is fitted to the window. Later ones mostly have its shape: the camera stays. */
  changeGraph(number) {
    const before = this.graph ? layOut(this.graph) : null;
    this.shown = number;
    if (!this.graph) return;
    const layout = layOut(this.graph);
    const same = before && before.width === layout.width && before.height === layout.height;
    if (same) this.follow();
    else this.fit();
  }

  resized() {
    const { clientWidth, clientHeight } = this.svg;
    this.size = { width: clientWidth, height: clientHeight };
    if (!clientWidth || !this.graph) return;
    if (this.moved) this.draw();
    else this.fit();
  }

  fit() {
    const { width, height } = layOut(this.graph);
    const scale = Math.min((this.size.width - MARGIN) / width, (this.size.height - MARGIN) / height);
    this.camera = { x: width / 2, y: height / 2, scale: Math.min(1, Math.max(READABLE, scale)) };
    this.moved = false;
    if (scale < READABLE) this.follow(true);
    this.draw();
  }


  /* Move the camera if what is active is not well inside of the window. */
  follow(centre = false) {
    const { places } = layOut(this.graph);
    const key = [...this.active ?? []].find((k) => places.has(k));
    if (!key) return;
    const distance = (box) => Math.hypot(box.x - this.camera.x, box.y - this.camera.y);
    const box = places.get(key).reduce((a, b) => (distance(b) < distance(a) ? b : a));
    const { width, height } = this.size;
    const roomX = width / 2 / this.camera.scale - BOX.width / 2 - 12;
    const roomY = height / 2 / this.camera.scale - BOX.height - 12;
    const far = Math.abs(box.x - this.camera.x) > roomX || Math.abs(box.y - this.camera.y) > roomY;
    if (centre || far) {
      const { width: right, height: bottom } = layOut(this.graph);
      const half = { x: (width - MARGIN) / 2 / this.camera.scale, y: (height - MARGIN) / 2 / this.camera.scale };
      this.camera.x = within(box.x, half.x, right - half.x);
      this.camera.y = within(box.y, half.y, bottom - half.y);
    }
  }

  zoom(factor) {
    const [least, most] = SCALES;
    this.moved = true;
    this.camera.scale = Math.min(most, Math.max(least, this.camera.scale * factor));
    this.draw();
  }

  wheel(e) {
    e.preventDefault();
    if (e.ctrlKey || e.metaKey) return this.zoom(Math.exp(-e.deltaY / 300));
    this.moved = true;
    this.camera.x += e.deltaX / this.camera.scale;
    this.camera.y += e.deltaY / this.camera.scale;
    this.draw();
  }

  listenToDrag() {
    const fingers = new Map();
    const { svg } = this;
    svg.addEventListener("pointerdown", (e) => {
      fingers.set(e.pointerId, e);
      this.dragged = false;
    });
    svg.addEventListener("pointermove", (e) => {
      const before = fingers.get(e.pointerId);
      if (!before) return;
      const [dx, dy] = [e.clientX - before.clientX, e.clientY - before.clientY];
      if (!this.dragged && Math.hypot(dx, dy) < 4) return;
      this.dragged = this.moved = true;
      if (fingers.size === 2) {
        const other = [...fingers.values()].find((f) => f.pointerId !== e.pointerId);
        const distance = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
        this.zoom(distance(e) / Math.max(1, distance(before)));
      } else {
        this.camera.x -= dx / this.camera.scale;
        this.camera.y -= dy / this.camera.scale;
        this.draw();
      }
      fingers.set(e.pointerId, e);
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      svg.addEventListener(end, (e) => fingers.delete(e.pointerId));
    }
  }

  draw() {
    if (!this.graph) {
      this.svg.innerHTML = `<text class="empty" x="50%" y="50%">no operation was recorded</text>`;
      return;
    }
    const focused = this.svg.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const { width, height } = this.size;
    const { x, y, scale } = this.camera;
    const [halfX, halfY] = [width / 2 / scale, height / 2 / scale];
    const seen = { left: x - halfX, right: x + halfX, top: y - halfY, bottom: y + halfY };
    const layout = layOut(this.graph);
    const flows = this.flows();
    const parts = [`<g transform="translate(${round(width / 2 - x * scale)} ${round(height / 2 - y * scale)}) scale(${scale})">`];
    const labels = [];
    for (const item of layout.edges) {
      if (item.right < seen.left || item.left > seen.right || item.bottom < seen.top || item.top > seen.bottom) continue;
      parts.push(this.edge(item, flows, labels));
    }
    for (const box of layout.boxes) {
      if (Math.abs(box.x - x) > halfX + BOX.width / 2 || Math.abs(box.y - y) > halfY + BOX.height / 2) continue;
      parts.push(this.box(box));
    }
    this.svg.innerHTML = `${parts.join("")}${labels.join("")}</g>`;
    if (focused) this.svg.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
  }

  /* Edge -> the gradient that goes along it at this step. */
  flows() {
    const event = this.step ? this.tape.event(this.step) : null;
    const found = new Map();
    if (event?.kind !== "run") return found;
    for (const d of event.deliveries) {
      if (d.value) found.set(`${d.to === "leaf" ? "t" : "n"}${d.id} n${event.node} ${d.input}`, d);
    }
    return found;
  }

  edge({ edge, points }, flows, labels) {
    const { step } = this;
    const flow = flows.get(`${edge.from} ${edge.to} ${edge.input}`);
    const user = this.graph.vertices.get(edge.to);
    const kinds = ["edge"];
    if (!edge.gradient) kinds.push("data");
    if (user.made > step) kinds.push("future");
    else if (flow) kinds.push("flow");
    else if (edge.gradient && this.ranInPass(user)) kinds.push("passed");
    else if (this.active.has(edge.to) && this.tape.phases[step - 1] !== "backward") kinds.push("used");
    if (flow) {
      const text = valueText(flow.value, 3);       // just below the box that the gradient goes to
      const [x, y, half] = [points[0].x, points[0].y + BOX.gapY / 2, text.length * 3.4 + 8];
      labels.push(`<g class="amount" transform="translate(${round(x)} ${round(y)})"><rect x="${-half}" y="-10" width="${half * 2}" height="20" rx="10"/><text y="4">${safe(text)}</text></g>`);
    }
    return `<path class="${kinds.join(" ")}" d="${curve(points)}"/>`;
  }

  /* Whether a node has run in the pass that runs now or ran last. */
  ranInPass(vertex) {
    if (!vertex.node) return false;
    const pass = this.timeline.passAt(this.step);
    return this.tape.node(vertex.node).ran.some((s) => s > pass && s <= this.step);
  }

  box({ vertex, x, y }) {
    const { kinds, head, badge, value, gradient, gone } = this.content(vertex);
    if (this.active.has(vertex.key)) kinds.push("active", this.tape.phases[this.step - 1]);
    if (vertex.key === this.selected) kinds.push("selected");
    const [left, top] = [round(x - BOX.width / 2), round(y - BOX.height / 2)];
    const letters = LETTERS - (vertex.kind === "tensor" ? 2 : 0);
    const line = (kind, dy, text) => text && `<text class="${kind}" x="10" y="${dy}">${safe(cut(text, letters))}</text>`;
    const label = [head, badge, value, gradient].filter(Boolean).join(", ");
    return `<g class="${kinds.join(" ")}" data-key="${vertex.key}" tabindex="0" role="button" aria-label="${safe(label)}" transform="translate(${left} ${top})">`
      + `<rect width="${BOX.width}" height="${BOX.height}" rx="${vertex.kind === "tensor" ? BOX.height / 2.6 : 8}"/>`
      + `<text class="head" x="10" y="19">${safe(cut(head, badge ? 18 : 27))}</text>`
      + (badge ? `<text class="badge" x="${BOX.width - 10}" y="19">${safe(badge)}</text>` : "")
      + line(gone ? "value gone" : "value", 41, value) + line("gradient", 61, gradient ?? "") + "</g>";
  }

  /* What a box says at this step. */
  content(vertex) {
    const { tape, timeline, step } = this;
    const kinds = ["box", vertex.kind];
    if (vertex.made > step) kinds.push("future");
    const info = vertex.tensor ? tape.tensor(vertex.tensor) : null;
    const name = info ? info.label : "";
    const value = info ? valueText(timeline.valueAt(info.id, step).value) : "";
    const gone = Boolean(info?.freed && step > info.freed);
    const more = vertex.tensors.length > 1 ? ` and ${vertex.tensors.length - 1} more` : "";
    const shown = !info ? "" : name === value ? value : `${name}${more} = ${value}`;
    const future = kinds.includes("future");
    if (vertex.kind === "tensor") return { kinds, value: shown, gone, ...this.outsideContent(info, kinds) };
    const head = vertex.node ? tape.nodeName(vertex.node) : vertex.event.op;
    if (!vertex.node) return { kinds, head, badge: "not recorded", value: future ? name : shown, gone };
    const state = this.nodeState(vertex.node);
    kinds.push(state.kind);
    return { kinds, head, badge: state.badge, value: future ? name : shown, gone, gradient: state.gradient };
  }

  outsideContent(info, kinds) {
    const { timeline, step } = this;
    if (!info.requires_grad) return { head: info.of && info.how !== "gradient" ? info.how : "data" };
    kinds.push("leaf");
    if (!info.is_leaf) return { head: "from before" };
    const arrived = timeline.arrivedAt(`l${info.id}`, step);
    const grad = timeline.gradAt(info.id, step);
    const waits = timeline.engineAt(step)?.counts.get(`l${info.id}`);
    const version = timeline.valueAt(info.id, step).version;
    const badge = waits > 0 ? `waits for ${waits}` : version ? `version ${version}` : "";
    const isNew = arrived && !this.accumulatedSince(info.id, arrived.step);
    if (isNew) return { head: "leaf", badge, gradient: `arrived ${valueText(arrived.total, 3)}` };
    return { head: "leaf", badge, gradient: grad === undefined ? "" : `.grad ${valueText(grad, 4)}` };
  }

  accumulatedSince(tensor, step) {
    const last = latest(this.timeline.grads.get(tensor), this.step);
    return Boolean(last && last.step >= step);
  }

  nodeState(number) {
    const { timeline, step } = this;
    const node = this.tape.node(number);
    const arrived = timeline.arrivedAt(`n${number}:0`, step);
    const engine = timeline.engineAt(step);
    const gradient = arrived?.total ? `grad ${valueText(arrived.total, 3)}` : "";
    const ran = this.ranInPass({ node: number });
    const freed = node.saved_freed && step >= node.saved_freed ? " freed" : "";
    if (ran) return { kind: `ran${freed}`, badge: freed ? "freed" : "ran", gradient };
    if (engine?.ready.includes(number)) return { kind: "ready", badge: "ready", gradient };
    const waits = engine?.counts.get(`n${number}`);
    if (waits > 0) return { kind: "waits", badge: `waits for ${waits}`, gradient };
    return { kind: `idle${freed}`, badge: freed ? "freed" : `#${node.sequence_nr}`, gradient: "" };
  }
}

/* A place between two bounds; in their middle where the picture is smaller than the window. */
function within(place, low, high) {
  return low > high ? (low + high) / 2 : Math.max(low, Math.min(high, place));
}

function cut(text, most) { return text.length > most ? `${text.slice(0, most - 1)}\u2026` : text; }
