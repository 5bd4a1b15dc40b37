/* Formulas with names and with numbers put in.

   Python sends each formula in the names of the row (`grad * input`); `mathematics` is the better
   one where there is one. A name stands for `grad`, the gradient that came in, or for what the
   node saved. */
"use strict";

const SYMBOLS = {
  add: "+", sub: "-", mul: "*", true_divide: "/", matmul: "@", mm: "@", pow_number: "**",
  pow_tensor: "**", gt: ">", lt: "<", ge: ">=", le: "<=", eq: "==", ne: "!=",
};

/* Replace the names of an expression; attributes (`input.T`) and other words stay. */
function replaceNames(text, replacement) {
  return text.replace(/xp\./g, "").replace(/(?<![\w.'])[A-Za-z_]\w*/g, (name) => replacement(name) ?? name);
}

/* name -> {label, value or text} for what a node's formula may use, at a step. */
function meaning(tape, timeline, event) {
  const node = tape.node(event.node);
  const found = { grad: { label: "grad", value: event.incoming[0] } };
  event.incoming.forEach((value, i) => { found[`grad${i}`] ??= { label: `grad${i}`, value }; });
  for (const saved of node.saved) {
    if (found[saved.name]) continue;
    found[saved.name] = saved.tensor
      ? { label: tape.label(saved.tensor), value: timeline.valueAt(saved.tensor, event.step).value }
      : { label: saved.text, text: saved.text };
  }
  return found;
}

function formulaOf(event, delivery) {
  return event.formulas.find((f) => f.input === delivery.input)
    ?? event.formulas.find((f) => f.input === "tensors" || f.input.split(", ").includes(delivery.input));
}

/* The lines that lead from a formula to the gradient which went out (HTML). */
function formulaBlock(tape, timeline, event, delivery, withRow = false) {
  const result = safe(valueText(delivery.unsummed ?? delivery.value));
  const summed = delivery.unsummed
    ? `<br><span class="note">summed to shape ${safe(shapeText(delivery.value))}, since it was broadcast:</span> <b>${safe(valueText(delivery.value))}</b>` : "";
  const formula = formulaOf(event, delivery);
  if (!formula) return `<code class="formula"><b>${result}</b>${summed}</code>`;
  const names = meaning(tape, timeline, event);
  const text = formula.mathematics ?? formula.text;
  const named = replaceNames(text, (n) => names[n] && (names[n].label));
  const numbers = replaceNames(text, (n) => names[n] && (names[n].text ?? valueText(names[n].value)));
  const own = formula.mathematics && withRow ? `<span class="note">in the row: ${safe(formula.text)}</span>` : "";
  const lines = [named, numbers].filter((line, i, all) => all.indexOf(line) === i);
  const written = lines.map(safe).join("<br>= ");
  const same = numbers === valueText(delivery.unsummed ?? delivery.value);
  const notes = [unnamed(tape, timeline, event, text), own].filter(Boolean).join("<br>");
  return `<code class="formula">${written}${same ? "" : `<br>= <b>${result}</b>`}${summed}</code>${notes}`;
}

/* What the tensors without a name are: "t7 = hypothesis - y_train". */
function unnamed(tape, timeline, event, text) {
  const notes = [];
  for (const { name, tensor } of tape.node(event.node).saved) {
    const made = tensor && !tape.tensor(tensor).name && timeline.madeBy.get(tensor);
    if (made && new RegExp(`\\b${name}\\b`).test(text)) notes.push(`${tape.label(tensor)} = ${callText(tape, made)}`);
  }
  return notes.length ? `<span class="note">${safe(notes.join(", "))}</span>` : "";
}

/* A call with the names of its inputs: "hypothesis - y_train", "mean(t8)". */
function callText(tape, event) {
  const inputs = event.inputs.map((a) => (a.tensor ? tape.label(a.tensor) : a.text));
  const symbol = SYMBOLS[event.op];
  if (symbol && inputs.length === 2) return `${inputs[0]} ${symbol}${event.in_place ? "=" : ""} ${inputs[1]}`;
  return `${event.op}${event.in_place ? "_" : ""}(${inputs.join(", ")})`;
}

/* A call with its numbers: "[1, 2, 3] * [0] = [0, 0, 0]". */
function forwardNumbers(tape, timeline, event) {
  const before = event.step - (event.in_place ? 2 : 1);   // the write itself is a step of its own
  const shown = event.inputs.map((a) => (a.tensor ? valueText(timeline.valueAt(a.tensor, before).value) : a.text));
  const after = event.outputs.map((t, i) => valueText(event.values[i] ?? timeline.valueAt(t, event.step).value)).join(", ");
  const symbol = SYMBOLS[event.op];
  const call = symbol && shown.length === 2 ? `${shown[0]} ${symbol} ${shown[1]}` : `${event.op}(${shown.join(", ")})`;
  return `${safe(call)} = <b>${safe(after)}</b>`;
}

/* The runs of a pass through which the gradient of a leaf came, in their order. */
function wayOfGradient(tape, accumulate) {
  const wanted = new Set([`l${accumulate.tensor}`]);
  const way = [];
  for (let step = accumulate.step - 1; step > accumulate.backward; step--) {
    const event = tape.event(step);
    if (event.kind !== "run" || event.backward !== accumulate.backward) continue;
    const deliveries = event.deliveries.filter((d) => d.value && wanted.has(place(d)));
    if (deliveries.length === 0) continue;
    wanted.add(`n${event.node}`);
    way.push({ event, deliveries });
  }
  return way.reverse();
}
