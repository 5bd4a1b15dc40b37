/* Where the boxes of a graph stand: in layers, each below all that it uses.

   The method of Sugiyama: layers by longest path, invisible vertices where an edge passes a layer,
   order within a layer by the neighbours' mean, then positions that keep their distance. */
"use strict";

const BOX = { width: 190, height: 70, gapX: 26, gapY: 34, passing: 26 };
const NEAR = 3;                   // layers: a tensor that is used farther below is repeated there
const MOST_PASSING = 20000;       // beyond so many an edge goes straight through

function layOut(graph) {
  if (graph.layout) return graph.layout;
  const items = new Map();
  for (const vertex of graph.vertices.values()) {
    items.set(vertex.key, { vertex, layer: 0, above: [], below: [], width: BOX.width, x: 0, inner: false });
  }
  for (const edge of graph.edges) {
    items.get(edge.from).below.push(items.get(edge.to));
    items.get(edge.to).above.push(items.get(edge.from));
  }
  setLayers([...items.values()]);
  for (const item of items.values()) item.inner = !item.aside;
  const all = [...items.values()];
  const ends = graph.edges.map((edge) => ({ from: items.get(edge.from), to: items.get(edge.to) }));
  for (const item of items.values()) if (item.vertex.kind === "tensor") repeat(item, ends, all);
  const routes = ends.map(({ from, to }) => passThrough(from, to, all));
  const layers = [];
  for (const item of all) (layers[item.layer] ??= []).push(item);
  orderLayers(layers);
  placeLayers(layers);
  return (graph.layout = finish(graph, all, routes, layers));
}

/* The longest path from above; what comes from outside, and what is made of one such tensor alone
   (the transpose of a weight), stands just above its first user. */
function setLayers(items) {
  const missing = new Map(items.map((item) => [item, item.above.length]));
  const ready = items.filter((item) => item.above.length === 0);
  for (let i = 0; i < ready.length; i++) {
    for (const user of ready[i].below) {
      user.layer = Math.max(user.layer, ready[i].layer + 1);
      missing.set(user, missing.get(user) - 1);
      if (missing.get(user) === 0) ready.push(user);
    }
  }
  for (const item of ready) {
    item.aside = item.above.length === 0 || (item.above.length === 1 && item.above[0].aside);
  }
  for (const item of ready.reverse()) {
    if (item.aside && item.below.length) item.layer = Math.min(...item.below.map((user) => user.layer)) - 1;
  }
}

/* A tensor from outside that is used in layers far apart, such as the weight of a recurrent
   network, stands above each of them. */
function repeat(item, ends, all) {
  const users = [...new Set(item.below)].sort((a, b) => a.layer - b.layer);
  if (users.length < 2 || users.at(-1).layer - item.layer <= NEAR) return;
  const copies = new Map();       // user -> where the tensor stands for it
  let copy = item;
  for (const user of users) {
    if (user.layer - copy.layer > NEAR) {
      copy = { ...item, layer: user.layer - 1, above: [], below: [] };
      all.push(copy);
    }
    copies.set(user, copy);
    if (copy !== item) copy.below.push(user);
  }
  item.below = users.filter((user) => copies.get(user) === item);
  for (const user of users) user.above = user.above.map((other) => (other === item ? copies.get(user) : other));
  for (const end of ends) if (end.from === item) end.from = copies.get(end.to);
}

/* Put invisible items on the layers that an edge passes; returns the items along the edge. */
function passThrough(from, to, all) {
  const route = [from];
  const count = to.layer - from.layer - 1;
  if (count > 0 && all.length < MOST_PASSING) {
    remove(from.below, to);
    remove(to.above, from);
    for (let layer = from.layer + 1; layer < to.layer; layer++) {
      const item = { vertex: null, layer, above: [route.at(-1)], below: [], width: BOX.passing, x: 0 };
      route.at(-1).below.push(item);
      route.push(item);
      all.push(item);
    }
    route.at(-1).below.push(to);
    to.above.push(route.at(-1));
  }
  return [...route, to];
}

function remove(list, item) { list.splice(list.indexOf(item), 1); }

/* The mean over neighbours. From operation to operation an edge weighs more: the way stays straight. */
function mean(item, others, value, otherwise) {
  let [sum, weights] = [0, 0];
  for (const other of others) {
    const weight = item.inner && other.inner ? 8 : 1;
    sum += weight * value(other);
    weights += weight;
  }
  return weights ? sum / weights : otherwise;
}

function orderLayers(layers) {
  const number = () => layers.forEach((layer) => layer.forEach((item, i) => { item.rank = i; }));
  number();
  for (let sweep = 0; sweep < 6; sweep++) {
    const down = sweep % 2 === 1;
    for (const layer of down ? layers : [...layers].reverse()) {
      for (const item of layer) item.wish = mean(item, down ? item.above : item.below, (other) => other.rank, item.rank);
      layer.sort((a, b) => a.wish - b.wish || a.rank - b.rank);
      layer.forEach((item, i) => { item.rank = i; });
    }
  }
}

function placeLayers(layers) {
  for (const layer of layers) {
    let x = 0;
    for (const item of layer) {
      item.x = x + item.width / 2;
      x += item.width + BOX.gapX;
    }
  }
  for (let sweep = 0; sweep < 8; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      for (const item of layer) item.wish = mean(item, down ? item.above : item.below, (other) => other.x, item.x);
      keepDistance(layer);
    }
  }
}

/* Move the items of a layer to where they wish, as far as their order and size allow: the
   operations first, so that tensors from outside stand beside their straight way. */
function keepDistance(layer) {
  const reach = [0];              // from the first item to each, side by side
  for (let i = 1; i < layer.length; i++) {
    reach.push(reach[i - 1] + (layer[i - 1].width + layer[i].width) / 2 + BOX.gapX);
  }
  const placed = [];
  for (const wanted of [true, false]) {
    layer.forEach((item, i) => {
      if (Boolean(item.inner) !== wanted) return;
      const at = placed.findIndex((other) => other > i);
      const [before, after] = at < 0 ? [placed.at(-1), undefined] : [placed[at - 1], placed[at]];
      const low = before === undefined ? -Infinity : layer[before].x + reach[i] - reach[before];
      const high = after === undefined ? Infinity : layer[after].x - (reach[after] - reach[i]);
      item.x = Math.max(low, Math.min(high, item.wish));
      placed.splice(at < 0 ? placed.length : at, 0, i);
    });
  }
}

/* Absolute places: boxes by key, edges with their points and the part of the page they cover. */
function finish(graph, all, routes, layers) {
  const left = Math.min(...all.map((item) => item.x - item.width / 2));
  const right = Math.max(...all.map((item) => item.x + item.width / 2));
  const step = BOX.height + BOX.gapY;
  const boxes = [];
  const places = new Map();       // vertex -> its boxes: more than one if it is repeated
  for (const item of all) {
    item.x -= left;
    item.y = item.layer * step + BOX.height / 2;
    if (!item.vertex) continue;
    const box = { vertex: item.vertex, x: item.x, y: item.y };
    boxes.push(box);
    push(places, item.vertex.key, box);
  }
  const edges = graph.edges.map((edge, i) => {
    const points = routes[i].map(({ x, y }) => ({ x, y }));
    points[0].y += BOX.height / 2;
    points.at(-1).y -= BOX.height / 2;
    spread(points, edge, graph);
    const xs = points.map((p) => p.x);
    return { edge, points, top: points[0].y, bottom: points.at(-1).y, left: Math.min(...xs), right: Math.max(...xs) };
  });
  return { boxes, places, edges, width: right - left, height: layers.length * step - BOX.gapY };
}

/* Several edges that arrive at one box arrive side by side. */
function spread(points, edge, graph) {
  if (!graph.arriving) {
    graph.arriving = new Map();
    for (const each of graph.edges) push(graph.arriving, each.to, each);
  }
  const group = graph.arriving.get(edge.to);
  points.at(-1).x += (group.indexOf(edge) - (group.length - 1) / 2) * Math.min(28, 150 / group.length);
}

/* The edge as the path of an SVG, from what is used down to what uses it. */
function curve(points) {
  let path = `M${round(points[0].x)} ${round(points[0].y)}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const middle = round((a.y + b.y) / 2);
    path += `C${round(a.x)} ${middle} ${round(b.x)} ${middle} ${round(b.x)} ${round(b.y)}`;
  }
  return path;
}

function round(number) { return Math.round(number * 10) / 10; }
