/* A regression's fitted curve, and its loss as a surface over two parameters (or a curve over one).

   Python found that prediction = offset + basis @ parameters (minigrad/tape/fit.py), so
   that the mean squared error is a quadratic form: theta' A theta + 2 b' theta + c. */
"use strict";

const PLOT = { width: 300, height: 150, left: 38, right: 10, top: 6, bottom: 26 };
const BANDS = 14;                 // colours of the surface
const CELLS = [66, 42];
const MOST_ON_PATH = 400;

class FitView {
  constructor(section, tape, timeline) {
    Object.assign(this, { section, timeline });
    this.fits = tape.fits.map((fit) => this.prepare(fit, tape));
    section.hidden = this.fits.length === 0;
    this.curve = section.querySelector("#curve");
    this.surface = section.querySelector("#surface");
    this.canvas = section.querySelector("canvas");
    this.caption = section.querySelector("#loss");
  }

  /* Names, the quadratic form, and the way that the parameters went. */
  prepare(fit, tape) {
    const names = fit.tensors.flatMap((t) => {
      const { count } = tape.tensor(t).value;
      const label = tape.label(t).split(".").slice(-2).join(".");
      return Array.from({ length: count }, (_, i) => (count > 1 ? `${label}[${i}]` : label));
    });
    const n = fit.x.length;
    const rest = fit.y.map((y, i) => fit.offset[i] - y);
    const product = (f, g) => fit.x.reduce((sum, _, i) => sum + f(i) * g(i), 0) / n;
    const A = names.map((_, j) => names.map((_, k) => product((i) => fit.basis[i][j], (i) => fit.basis[i][k])));
    const b = names.map((_, j) => product((i) => fit.basis[i][j], (i) => rest[i]));
    const form = { A, b, c: product((i) => rest[i], (i) => rest[i]) };
    const steps = [...new Set(fit.tensors.flatMap((t) => this.timeline.values.get(t).map((v) => v.step)))];
    steps.sort((a, z) => a - z);
    const every = Math.ceil(steps.length / MOST_ON_PATH);
    const kept = steps.filter((_, i) => i % every === 0 || i === steps.length - 1);
    const path = kept.map((step) => ({ step, theta: this.theta(fit, step) }));
    return { ...fit, names, form, path, ...this.choose(names, path, best(form)) };
  }

  theta(fit, step) {
    return fit.tensors.flatMap((t) => this.timeline.valueAt(t, step).value.numbers.map(Number));
  }

  /* The two parameters that moved most, and the part of their plane to show. */
  choose(names, path, optimum) {
    const ranges = names.map((_, k) => {
      const numbers = path.map((p) => p.theta[k]).filter(Number.isFinite);
      if (path.length < 3 || Number.isFinite(optimum[k])) numbers.push(optimum[k]);
      return [Math.min(...numbers), Math.max(...numbers)];
    });
    const order = names.map((_, k) => k).sort((a, z) => (ranges[z][1] - ranges[z][0]) - (ranges[a][1] - ranges[a][0]));
    const shown = order.slice(0, 2).sort((a, z) => a - z);
    const widest = Math.max(...shown.map((k) => ranges[k][1] - ranges[k][0])) || 1;
    const spans = shown.map((k) => {
      const [low, high] = ranges[k];
      const room = Math.max((high - low) * 0.25, widest * 0.2);
      return [low - room, high + room];
    });
    return { shown, spans };
  }

  show(step) {
    if (!this.fits.length) return;
    const fit = this.fits.findLast((f) => f.first <= step) ?? this.fits[0];
    const theta = this.theta(fit, step);
    const predicted = fit.x.map((_, i) => fit.offset[i] + dot(fit.basis[i], theta));
    const values = fit.names.map((name, k) => `${safe(name)} = <b>${safe(short(theta[k]))}</b>`).join(", ");
    this.caption.innerHTML = `${values}; mean squared error over ${fit.x.length} points: <b class="loss">${safe(short(loss(fit.form, theta)))}</b>`;
    this.drawCurve(fit, predicted);
    if (fit.shown.length === 1) this.drawLine(fit, theta);
    else this.drawSurface(fit, theta);
  }

  drawCurve(fit, predicted) {
    const all = [...fit.y, ...predicted].filter(Number.isFinite);
    const frame = new Frame(room(fit.x), room([...fit.y, ...(Math.max(...all.map(Math.abs)) < 1e4 ? predicted : [])]));
    const points = fit.x.map((x, i) => `<circle class="point" r="3" cx="${frame.x(x)}" cy="${frame.y(fit.y[i])}"/>`);
    const errors = fit.x.length > 40 ? "" : fit.x.map((x, i) =>
      `<line class="error" x1="${frame.x(x)}" x2="${frame.x(x)}" y1="${frame.y(fit.y[i])}" y2="${frame.y(predicted[i])}"/>`).join("");
    const way = fit.x.map((x, i) => `${frame.x(x)},${frame.y(predicted[i])}`).join(" ");
    this.curve.innerHTML = `${frame.axes("x", "y")}${frame.inside(`${errors}<polyline class="fitted" points="${way}"/>${points.join("")}`)}`;
  }

  drawLine(fit, theta) {
    const [low, high] = fit.spans[0];
    const grid = Array.from({ length: 61 }, (_, i) => low + ((high - low) * i) / 60);
    const heights = grid.map((t) => loss(fit.form, [t]));
    const frame = new Frame(fit.spans[0], room(heights));
    const way = grid.map((t, i) => `${frame.x(t)},${frame.y(heights[i])}`).join(" ");
    this.canvas.hidden = true;
    this.surface.innerHTML = `${frame.axes(fit.names[0], "loss")}${frame.inside(`<polyline class="fitted" points="${way}"/>`
      + `<circle class="here" r="5" cx="${frame.x(theta[0])}" cy="${frame.y(loss(fit.form, theta))}"/>`)}`;
  }

  drawSurface(fit, theta) {
    const [j, k] = fit.shown;
    const frame = new Frame(...fit.spans);
    this.canvas.hidden = false;
    this.paint(fit, theta);
    const way = fit.path.map((p) => `${frame.x(p.theta[j])},${frame.y(p.theta[k])}`).join(" ");
    this.surface.innerHTML = `${frame.axes(fit.names[j], fit.names[k])}${frame.inside(`<polyline class="way" points="${way}"/>`
      + `<circle class="here" r="5" cx="${frame.x(theta[j])}" cy="${frame.y(theta[k])}"/>`)}`;
  }

  /* The surface as bands of colour between levels of the loss. */
  paint(fit, theta) {
    const dark = getComputedStyle(this.section).getPropertyValue("--dark").trim() === "1";
    const fixed = theta.map((t, i) => (fit.shown.includes(i) ? 0 : t));
    const key = JSON.stringify([fit.first, fixed, dark]);
    if (key === this.painted) return;
    this.painted = key;
    const [columns, rows] = CELLS;
    const heights = [];
    const [[left, right], [low, high]] = fit.spans;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        fixed[fit.shown[0]] = left + ((right - left) * (column + 0.5)) / columns;
        fixed[fit.shown[1]] = high - ((high - low) * (row + 0.5)) / rows;
        heights.push(loss(fit.form, fixed));
      }
    }
    const least = Math.min(...heights);
    const scale = (height) => Math.sqrt(Math.sqrt(height - least));
    const most = scale(Math.max(...heights)) || 1;
    this.canvas.width = columns;
    this.canvas.height = rows;
    const context = this.canvas.getContext("2d");
    heights.forEach((height, i) => {
      const level = Math.round((BANDS * scale(height)) / most) / BANDS;
      context.fillStyle = dark ? `hsl(215 45% ${46 - 34 * level}%)` : `hsl(212 65% ${62 + 35 * level}%)`;
      context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
    });
  }
}

class Frame {
  constructor([left, right], [low, high]) { Object.assign(this, { left, right, low, high }); }

  x(value) {
    return round(PLOT.left + ((value - this.left) / (this.right - this.left)) * (PLOT.width - PLOT.left - PLOT.right));
  }

  y(value) {
    const place = (this.high - value) / (this.high - this.low);
    return round(PLOT.top + Math.min(20, Math.max(-20, place)) * (PLOT.height - PLOT.top - PLOT.bottom));
  }

  /* What is drawn inside of the frame; the rest of it is cut off. */
  inside(content) {
    const { left, top, bottom, right, width, height } = PLOT;
    const size = [width - left - right, height - top - bottom];
    return `<svg x="${left}" y="${top}" width="${size[0]}" height="${size[1]}" viewBox="${left} ${top} ${size[0]} ${size[1]}">${content}</svg>`;
  }

  axes(name, other) {
    const { left, top, bottom, right, width, height } = PLOT;
    const ends = (value, x, y, anchor) => `<text class="tick" x="${x}" y="${y}" text-anchor="${anchor}">${safe(short(Number(value.toPrecision(2))))}</text>`;
    return `<rect class="frame" x="${left}" y="${top}" width="${width - left - right}" height="${height - top - bottom}"/>`
      + ends(this.left, left, height - 12, "start") + ends(this.right, width - right, height - 12, "end")
      + ends(this.low, left - 5, height - bottom, "end") + ends(this.high, left - 5, top + 9, "end")
      + `<text class="axis" x="${(left + width - right) / 2}" y="${height - 10}" text-anchor="middle">${safe(name)}</text>`
      + `<text class="axis" transform="translate(12 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${safe(other)}</text>`;
  }
}

/* The least and the greatest number, with some room around. */
function room(numbers) {
  const finite = numbers.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const more = (high - low) * 0.08 || 1;
  return [low - more, high + more];
}

function dot(a, b) { return a.reduce((sum, number, i) => sum + number * b[i], 0); }

function loss({ A, b, c }, theta) {
  return Math.max(0, dot(theta, A.map((row) => dot(row, theta))) + 2 * dot(b, theta) + c);
}

/* The parameters with the least loss: A theta = -b by elimination; not a number where A is singular. */
function best({ A, b }) {
  const rows = A.map((row, i) => [...row, -b[i]]);
  const size = rows.length;
  for (let i = 0; i < size; i++) {
    const pivot = rows.slice(i).reduce((at, row, k) => (Math.abs(row[i]) > Math.abs(rows[at][i]) ? i + k : at), i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    if (Math.abs(rows[i][i]) < 1e-12) return rows.map(() => NaN);
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = rows[k][i] / rows[i][i];
      rows[k] = rows[k].map((number, c) => number - factor * rows[i][c]);
    }
  }
  return rows.map((row, i) => row[size] / row[i]);
}
