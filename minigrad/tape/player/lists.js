/* Lists of which only the lines in view exist: the program's source, and the steps. */
"use strict";

class WindowedList {
  constructor(element, height, draw) {
    Object.assign(this, { element, height, draw, count: 0, active: -1 });
    this.inside = document.createElement("div");
    this.inside.className = "rows";
    element.append(this.inside);
    // Size and place are remembered: to ask for them after each change would lay the page out again.
    this.top = 0;
    this.room = element.clientHeight;
    element.addEventListener("scroll", () => {
      this.top = element.scrollTop;
      this.render();
    });
    new ResizeObserver(() => {
      this.room = element.clientHeight;
      this.reveal(this.active);
      this.render();
    }).observe(element);
  }

  /* Show `count` rows with one of them lit and in view. */
  show(count, active) {
    if (count !== this.count) this.inside.style.height = `${count * this.height}px`;
    Object.assign(this, { count, active });
    this.reveal(active);
    this.render();
  }

  /* Scroll as little as brings a row into view, with some rows around it; far away, to the middle. */
  reveal(row) {
    if (row < 0) return;
    const { height, room, top } = this;
    const around = Math.min(height * 3, room / 3);
    const [above, below] = [row * height - around, (row + 1) * height + around];
    if (above >= top && below <= top + room) return;
    const isFar = below < top || above > top + room;
    const wanted = isFar ? (row + 0.5) * height - room / 2 : above < top ? above : below - room;
    this.top = Math.max(0, Math.min(wanted, this.count * height - room));
    this.element.scrollTop = this.top;
  }

  render() {
    const { height, count, top, room } = this;
    const first = Math.max(0, Math.floor(top / height) - 4);
    const last = Math.min(count, Math.ceil((top + room) / height) + 4);
    const rows = [];
    for (let row = first; row < last; row++) rows.push(this.draw(row, row * height, row === this.active));
    this.inside.innerHTML = rows.join("");
  }
}

class SourceView {
  constructor(element, title, tape, jump) {
    Object.assign(this, { title, tape, file: -1, place: null });
    this.list = new WindowedList(element, 21, (row, top, lit) => this.row(row, top, lit));
    element.addEventListener("click", (e) => {
      const row = e.target.closest("[data-line]");
      if (row?.dataset.busy) jump(this.file, Number(row.dataset.line));
    });
    this.busy = tape.sources.map(() => new Set());
    for (const { source } of tape.events) if (source) this.busy[source[0]].add(source[1]);
  }

  show(event) {
    const source = event?.source ?? this.tape.events[0]?.source;
    if (!source) return;
    const [file, line, inFunction] = source;
    if (file !== this.file) {
      this.file = file;
      const { file: path, lines } = this.tape.sources[file];
      this.title.textContent = path.split(/[\\/]/).pop();
      this.title.title = path;
      this.lines = paint(lines);
    }
    this.phase = event?.phase ?? "";
    this.list.show(this.lines.length, event ? line - 1 : -1);
    return inFunction;
  }

  row(row, top, lit) {
    const busy = this.busy[this.file].has(row + 1);
    const mark = lit ? ` lit ${this.phase}` : "";
    return `<div class="code${mark}${busy ? " busy" : ""}" style="top:${top}px" data-line="${row + 1}"${busy ? ' data-busy="1"' : ""}${lit ? ' aria-current="true"' : ""}>`
      + `<span class="number">${row + 1}</span>${this.lines[row]}</div>`;
  }
}

const TOKENS = new RegExp([
  /(?<comment>#.*)/, /(?<string>[rbfu]{0,2}("""|'''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))/,
  /(?<keyword>\b(?:and|as|assert|class|def|del|elif|else|except|False|finally|for|from|if|import|in|is|lambda|None|not|or|pass|raise|return|True|try|while|with|yield)\b)/,
  /(?<digits>\b\d[\d._e]*\b)/,
].map((part) => part.source).join("|"), "g");

/* Lines of Python as HTML with comments, strings and keywords marked. */
function paint(lines) {
  let inside = null;              // the quotes of a text over several lines
  return lines.map((line) => {
    if (inside) {
      const end = line.indexOf(inside);
      if (end < 0) return `<span class="string">${safe(line)}</span>`;
      const quoted = line.slice(0, end + 3);
      inside = null;
      return `<span class="string">${safe(quoted)}</span>${paintPart(line.slice(end + 3), () => {})}`;
    }
    return paintPart(line, (quotes) => { inside = quotes; });
  });
}

function paintPart(line, open) {
  let html = "";
  let done = 0;
  for (const match of line.matchAll(TOKENS)) {
    if (match.index < done) continue;
    const kind = Object.keys(match.groups).find((key) => match.groups[key] !== undefined);
    let [text] = match;
    const quotes = text.slice(-3);
    if (kind === "string" && (quotes === '"""' || quotes === "'''") && text.length < 6) {
      const end = line.indexOf(quotes, match.index + text.length);
      text = line.slice(match.index, end < 0 ? undefined : end + 3);
      if (end < 0) open(quotes);
    }
    html += `${safe(line.slice(done, match.index))}<span class="${kind}">${safe(text)}</span>`;
    done = match.index + text.length;
  }
  return html + safe(line.slice(done));
}

class StepList {
  constructor(element, tape, narrator, jump) {
    Object.assign(this, { tape, narrator, found: new Set() });
    this.list = new WindowedList(element, 25, (row, top, lit) => this.row(row, top, lit));
    element.addEventListener("click", (e) => {
      const row = e.target.closest("[data-step]");
      if (row) jump(Number(row.dataset.step));
    });
  }

  show(step) { this.list.show(this.tape.last, step - 1); }

  mark(steps) {
    this.found = new Set(steps);
    this.list.render();
  }

  row(row, top, lit) {
    const event = this.tape.events[row];
    const kinds = ["step", event.phase, lit && "lit", this.found.has(row + 1) && "found"].filter(Boolean);
    return `<div class="${kinds.join(" ")}" style="top:${top}px" data-step="${row + 1}"${lit ? ' aria-current="step"' : ""}>`
      + `<span class="number">${row + 1}</span>${safe(this.narrator.line(event))}</div>`;
  }
}
