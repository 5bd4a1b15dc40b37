/* The graph in pieces that hang together, such as one iteration of a training loop.

   A vertex is an operation with its result ("n7": node 7; "o12": the operation of step 12, which
   left no node), or a tensor that comes from outside ("t3"): a leaf, or a constant. An edge goes
   from what is used to what uses it; where `gradient` is set a gradient comes back along it. */
"use strict";

class Graphs {
  constructor(tape) {
    this.tape = tape;
    this.calls = this.readCalls();
    const group = groupNodes(tape.nodes);
    const graphOf = this.assign(group);
    this.list = [];
    const numbers = new Map();
    for (const [key, name] of graphOf) {
      if (!numbers.has(name)) {
        numbers.set(name, this.list.length);
        this.list.push({ vertices: new Map(), edges: [], layout: null });
      }
      graphOf.set(key, numbers.get(name));
    }
    this.graphOf = graphOf;
    this.fill();
    this.atStep = this.followSteps();
  }

  /* For each operation: its vertex and, for each input, the vertex that made it. */
  readCalls() {
    const maker = new Map();      // tensor -> vertex
    for (const info of this.tape.tensors) {
      if (info.how === "given" && info.node) maker.set(info.id, `n${info.node}`);
    }
    const calls = [];
    for (const event of this.tape.events) {
      if (event.kind !== "op") continue;
      const key = event.node ? `n${event.node}` : `o${event.step}`;
      const inputs = event.inputs.filter((a) => a.tensor)
        .map((a) => ({ input: a.name, tensor: a.tensor, from: maker.get(a.tensor) }));
      calls.push({ key, event, inputs });
      if (event.in_place && !event.node) continue;   // a leaf or constant stays what it is
      event.outputs.forEach((t) => maker.set(t, key));
    }
    this.maker = maker;
    return calls;
  }

  /* The vertex of a tensor ("t5") is the operation that made it, if there was one. */
  vertexOf(key) {
    return key?.startsWith("t") ? this.maker.get(Number(key.slice(1))) ?? key : key;
  }

  /* Vertex -> a name of its graph. An operation without a node joins the graph that alone uses it. */
  assign(group) {
    const graphOf = new Map();
    const users = new Map();
    for (const node of this.tape.nodes) graphOf.set(`n${node.id}`, `n${group(node.id)}`);
    for (const { key, inputs } of [...this.calls].reverse()) {
      if (!graphOf.has(key)) {
        const names = users.get(key);
        graphOf.set(key, names?.size === 1 ? [...names][0] : key);
      }
      for (const { from } of inputs) {
        if (!users.has(from)) users.set(from, new Set());
        users.get(from).add(graphOf.get(key));
      }
    }
    return graphOf;
  }

  graph(key) { return this.list[this.graphOf.get(key)]; }

  fill() {
    const { tape } = this;
    for (const { key, event } of this.calls) {
      const vertex = { key, kind: event.node ? "node" : "op", node: event.node, event,
        tensor: event.outputs[0], tensors: event.outputs, made: event.step };
      this.graph(key).vertices.set(key, vertex);
    }
    for (const node of tape.nodes) {
      const key = `n${node.id}`;
      const { vertices } = this.graph(key);
      if (!vertices.has(key)) {
        vertices.set(key, { key, kind: "node", node: node.id, tensors: [], made: node.made });
      }
    }
    for (const { key, event, inputs } of this.calls) {
      const graph = this.graph(key);
      for (const { input, tensor, from } of inputs) {
        const inside = from !== undefined && this.graphOf.get(from) === this.graphOf.get(key);
        this.connect(graph, inside ? from : this.outside(graph, tensor), key, input, false);
      }
      if (event.node) this.connectNode(graph, tape.node(event.node));
    }
    const called = new Set(this.calls.map(({ key }) => key));
    for (const node of tape.nodes) {
      if (!called.has(`n${node.id}`)) this.connectNode(this.graph(`n${node.id}`), node);
    }
  }

  connectNode(graph, node) {
    for (const edge of node.edges) {
      if (!edge) continue;
      const from = edge.to === "leaf" ? this.outside(graph, edge.id) : `n${edge.id}`;
      this.connect(graph, from, `n${node.id}`, edge.input, true, edge.output_nr);
    }
  }

  /* The vertex of a tensor that this graph did not make. */
  outside(graph, tensor) {
    const key = `t${tensor}`;
    const info = this.tape.tensor(tensor);
    const made = info.how === "given" ? info.made : info.made + 1;
    if (!graph.vertices.has(key)) graph.vertices.set(key, { key, kind: "tensor", tensor, tensors: [tensor], made });
    return key;
  }

  connect(graph, from, to, input, gradient, output = 0) {
    graph.index ??= new Map();
    const name = `${from} ${to} ${input}`;
    const known = graph.index.get(name);
    if (known) {
      known.gradient ||= gradient;
      return;
    }
    const edge = { from, to, input, gradient, output };
    graph.index.set(name, edge);
    graph.edges.push(edge);
  }

  /* Which graph belongs to each step: that of what runs, else the one before, else the first. */
  followSteps() {
    let now = null;
    const found = this.tape.events.map((event) => {
      const key = this.activeVertex(event);
      if (key !== null && this.graphOf.has(key)) now = this.graphOf.get(key);
      return now;
    });
    const first = found.find((number) => number !== null) ?? null;
    return found.map((number) => number ?? first);
  }

  activeVertex(event) {
    if (event.kind === "op") return event.node ? `n${event.node}` : `o${event.step}`;
    if (event.kind === "run") return `n${event.node}`;
    if (event.kind === "backward" && event.roots.length && event.roots[0].to === "node") return `n${event.roots[0].id}`;
    return null;
  }
}

/* Node -> a representative of all nodes that it is connected with. */
function groupNodes(nodes) {
  const parent = nodes.map((_, i) => i + 1);
  parent.unshift(0);
  const find = (id) => {
    while (parent[id] !== id) {
      parent[id] = parent[parent[id]];
      id = parent[id];
    }
    return id;
  };
  for (const node of nodes) {
    for (const edge of node.edges) if (edge?.to === "node") parent[find(node.id)] = find(edge.id);
  }
  return find;
}
