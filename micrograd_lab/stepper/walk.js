// The walk through a record: what its steps are, what its numbers are now, and what each step says.
//
// Position 0 is the start, then come the steps: forward, the seed (∂E/∂E = 1), backward, update.  At
// a position, the numbers of its step are already visible.
class Walk {
  constructor(rows, data) {
    Object.assign(this, data); // nodes, forms, names, result, parameters, guards, picture
    this.rows = rows;
    for (const node of this.nodes) {
      if (node.inputs) Object.assign(node, this.forms[node.form]);
      for (const part of ["data", "n"]) if (part in node) node[part] = Number(node[part]);
      node.slopes &&= node.slopes.map(Number);
    }
    this.drawn ??= this.nodes.map((_, i) => i); // the node of the picture that shows each node
    this.picture ??= this.nodes.map((node) => node.inputs ?? []); // the inputs of each of those
    this.shows = new Map(); // of a node of the picture, the node whose number it shows
    for (const [i, at] of this.drawn.entries()) this.shows.set(at, i);
    this.first = new Map(); // of a node, the first that reads it: the last to hand something on
    this.nodes.forEach((node, i) => {
      for (const x of node.inputs ?? []) if (!this.first.has(x)) this.first.set(x, i);
    });
    this.leaves = new Map(); // the numbers that were edited or learned
    this.losses = [];
    this.sample = -1; // the last that was chosen
    this.batch = false; // whether an update takes the mean over all samples
    this.steps = this.plan();
    this.compute();
  }

  plan() {
    const order = this.nodes.flatMap((node, i) => (node.inputs ? [i] : []));
    const group = (pass, nodes) => {
      const steps = [];
      for (const i of nodes) {
        const at = this.drawn[i];
        if (at < 0 || !this.picture[at].length) continue; // the picture lacks it, or has a leaf
        if (steps.at(-1)?.at !== at) steps.push({ pass, at, nodes: [] });
        steps.at(-1).nodes.push(i);
      }
      return steps;
    };
    const seed = { pass: "seed", at: this.drawn[this.result], nodes: [] };
    const few = this.parameters.length <= MAX_UPDATES;
    const moved = few ? this.parameters.map((i) => [i]) : [this.parameters];
    const updates = moved.map((nodes) => ({ pass: "update", at: this.drawn[nodes[0]], nodes }));
    return [
      { pass: "start", at: -1, nodes: [] },
      ...group("forward", order),
      seed,
      ...group("backward", order.reverse()),
      ...(this.asks && !this.asks.passes.includes("update") ? [] : updates),
    ];
  }

  // Everything that follows from the numbers of the leaves.
  compute() {
    const { rows, leaves } = this;
    this.now = forward(rows, this, leaves, (...at) => this.refusal(...at));
    const whole = this.now.failed ? null : backward(rows, this, this.now);
    this.back = new Map(whole?.events.map((event) => [event.node, event]));
    this.grads = whole?.grads ?? [];
    this.unfit = "";
    this.mean = this.batch && whole ? this.meanOf(this.samples.rows) : this.grads;
    this.left = this.guards.filter(([left, sign, right, held]) => {
      const [a, b] = [left, right].map((x) => (typeof x === "number" ? this.now.data[x] : +x));
      return { lt: a < b, le: a <= b, gt: a > b, ge: a >= b }[sign] !== held;
    });
  }

  // The mean of the gradients over all samples; `unfit` says which sample has none, and why.
  meanOf(rows) {
    const sums = this.nodes.map(() => 0);
    for (const [k, row] of rows.entries()) {
      const leaves = new Map(this.leaves);
      for (const [at, i] of this.samples.inputs.entries()) leaves.set(i, row[at]);
      const now = forward(this.rows, this, leaves, (...at) => this.refusal(...at));
      if (now.failed) {
        this.unfit = `sample ${k + 1}: ${now.failed.why}`;
        return sums.fill(Number.NaN);
      }
      const { grads } = backward(this.rows, this, now, null);
      for (const [i, grad] of grads.entries()) sums[i] += grad / rows.length;
    }
    return sums;
  }

  // What the line of losses shows: that of the record, or the mean over all samples.
  loss() {
    if (!this.samples) return this.now.data[this.result];
    const { length } = this.samples.rows;
    const losses = columns(this, samplesGiven(this.samples))[this.result];
    return spread(losses, length).reduce((sum, loss) => sum + loss / length, 0);
  }

  choose(sample) {
    const { inputs, rows } = this.samples;
    this.sample = (sample + rows.length) % rows.length;
    inputs.forEach((i, k) => {
      this.leaves.set(i, rows[this.sample][k]);
    });
    this.compute();
  }

  // Whether the numbers are those of the sample that was chosen; if they are those of another, that
  // is chosen.
  isSample() {
    const { inputs, rows } = this.samples;
    const fits = (row) => inputs.every((i, k) => this.now.data[i] === row?.[k]);
    if (!fits(rows[this.sample]) && rows.some(fits)) this.sample = rows.findIndex(fits);
    return fits(rows[this.sample]);
  }

  // Whether more is to be handed on to a node after what node i did.
  waits(i, to) {
    return this.first.get(to) < i;
  }

  // What is added to a parameter for each unit of its gradient, with its sign turned: η, or −η.
  get rate() {
    return -this.sign * this.eta;
  }

  set rate(rate) {
    [this.eta, this.sign] = [Math.abs(rate), -Math.sign(rate)];
  }

  // The new number of a parameter.
  updated(i) {
    return this.now.data[i] - this.rate * this.mean[i];
  }

  // One more update; false where the numbers end.
  again() {
    if (this.now.failed || !this.parameters.every((i) => Number.isFinite(this.updated(i))))
      return false;
    if (!this.losses.length) this.losses.push(this.loss());
    const learned = this.parameters.map((i) => [i, this.updated(i)]);
    for (const [i, x] of learned) this.leaves.set(i, x);
    if (this.samples && !this.batch) this.choose(this.sample + 1);
    else this.compute();
    this.losses.push(this.loss());
    return !this.now.failed;
  }

  set(leaf, x) {
    this.leaves.set(leaf, x);
    if (x === this.nodes[leaf].data) this.leaves.delete(leaf);
    this.losses = [];
    this.compute();
  }

  reset() {
    this.leaves.clear();
    this.losses = [];
    this.compute();
  }

  // For each text of the picture, by the id of its group and its class, from which position on it
  // has which content.
  texts() {
    const { data } = this.now;
    const texts = new Map();
    const put = (id, kind, position, text) => {
      const key = `#${id} text.${kind}`;
      if (!texts.has(key)) texts.set(key, []);
      texts.get(key).push([position, text]);
    };
    const shown = (i) => (data[i] === undefined ? "?" : this.write(i, data[i]));
    this.picture.forEach((inputs, at) => {
      if (!inputs.length && this.shows.has(at))
        put(`w${at}`, "value", 0, shown(this.shows.get(at)));
      inputs.forEach((from, k) => {
        const i = this.shows.get(from);
        if (i !== undefined && !this.picture[from].length) put(`e${at}_${k}`, "value", 0, shown(i)); // drawn again there
      });
    });
    this.steps.forEach(({ pass, at, nodes }, position) => {
      const several = at in this.several;
      if (pass === "forward" && !several)
        put(`w${at}`, "value", position, shown(this.shows.get(at)));
      if (pass === "seed") put(`w${at}`, "grad", position, "1");
      if (pass === "update" && this.back.size)
        for (const i of nodes) {
          const text = number(this.updated(i));
          put(`w${this.drawn[i]}`, "value", position, text);
        }
      if (pass !== "backward" || !this.back.size) return;
      for (const i of nodes)
        for (const { to, after } of this.back.get(i).edges) {
          const x = this.drawn[to];
          if (x >= 0 && x !== at && !(x in this.several))
            put(`w${x}`, "grad", position, number(after));
        }
      this.picture[at].forEach((_, k) => {
        put(`e${at}_${k}`, "grad", position, number(this.share(at, k)));
      });
    });
    return texts;
  }

  // What a node of the picture hands on to its input k.
  share(at, k) {
    const [sum, weights] = this.neurons?.[at] ?? [];
    if (weights) return k < weights.length ? this.now.data[weights[k]] * this.grads[sum] : 0;
    return this.back.get(this.shows.get(at))?.edges[k]?.contribution ?? 0;
  }

  write(i, x) {
    return this.nodes[i].inputs ? number(x) : asGiven(x);
  }

  // Why an operation is not defined, in the engine's words.
  refusal({ op, n, inputs: from }, row, inputs, happened) {
    if (row.take)
      return `the index ${this.names[from[0]]} is ${asGiven(inputs[0])}; give a whole number from 0 to ${inputs.length - 2}`;
    const at = inputs.map((x, k) => `${"xyz"[k]} = ${this.names[from[k]]} = ${asGiven(x)}`);
    if (n !== undefined) at.push(`n = ${asGiven(n)}`);
    const allowed = row.domain?.(ieee, ...three(inputs), n) ?? true;
    const needs = allowed ? "a result and slopes below 1.8e308" : escaped(row.needs);
    return `${escaped(op)} ${happened} at ${at.join(", ")}; it needs ${needs}`;
  }

  // z = w × x = 0.5 × 0.578 = 0.289, in parts.
  formula(i) {
    const node = this.nodes[i];
    const data = number(this.now.data[i]);
    if (node.set) return { symbols: data, numbers: data, data };
    return { ...this.filled(node.formula, node.letters, node), data };
  }

  // A template with the names, and with the numbers, of the inputs that its letters stand for.
  filled(template, letters, node, f) {
    const [symbols, numbers] = [{ ...f?.symbols }, { ...f?.numbers }];
    for (const [letter, k] of Object.entries(letters)) {
      const x = node.inputs[k];
      symbols[letter] = this.names[x];
      numbers[letter] = this.write(x, this.now.data[x]);
    }
    return { symbols: fill(template, symbols), numbers: fill(template, numbers) };
  }

  // ∂y/∂s = y × (1 − y) = 0.670 × (1 − 0.670) = 0.221 for input k of a node, in parts.
  derivative(i, k) {
    const node = this.nodes[i];
    const { local } = this.back.get(i).edges[k];
    const row = this.rows[node.op];
    if (!row || node.set) {
      const text = number(local);
      return { symbols: text, numbers: text, local: text };
    }
    const [which, positions] = partialOf(row, k, node.inputs.length);
    const [template, isLetter] = node.partials[which];
    const given = positions.filter((x) => x in node.inputs);
    const letters = Object.fromEntries(given.map((x, at) => ["xyz"[at], x]));
    const f = {
      symbols: { f: this.names[i], n: String(k - 1) },
      numbers: { f: number(this.now.data[i]), n: String(k - 1) },
    };
    const line = this.filled(template, letters, node, f);
    return { ...line, local: isLetter ? line.numbers : number(local) };
  }

  // The local derivative as a reader would compute it from the numbers shown.
  byHand(i, k) {
    const node = this.nodes[i];
    const row = this.rows[node.op];
    const { local } = this.back.get(i).edges[k];
    if (!row || node.set) return local;
    const short = (x) => Number(x.toPrecision(3));
    const inputs = node.inputs.map((x) => short(this.now.data[x]));
    const f = short(this.now.data[i]);
    const by = slope(row.byHand ?? row.partials, row, k, inputs, node.n, f, ieee);
    return Number.isFinite(by) ? by : local;
  }
}

const MAX_UPDATES = 30; // parameters with a step of their own

const escaped = (text) =>
  text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

// Where each chapter begins: at the first step of its pass, or of a node in it.
function places({ chapters, steps, nodes, names }) {
  return chapters.map(({ title, pass, node }) => {
    const parts = nodes[node]?.inputs?.filter((i) => names[i].startsWith("(")) ?? []; // products
    const begins = (step) =>
      (step.pass === pass || (pass === "backward" && step.pass === "seed")) &&
      (node === undefined ||
        [node, ...(pass === "forward" ? parts : [])].some((i) => step.nodes.includes(i)));
    return { title, at: Math.max(0, steps.findIndex(begins)) };
  });
}

// Where each pass begins.
function passes(steps) {
  const found = [];
  for (const [at, { pass }] of steps.entries()) {
    const title = { start: "start", forward: "forward", seed: "backward", update: "update" }[pass];
    if (title && found.at(-1)?.title !== title) found.push({ title, at });
  }
  return found.length > 2 ? found : [];
}

// The position of a node's step in the current pass; on a second click, in the other pass.  A
// leaf's are the start, and the step that completes its gradient.
function jump({ steps, nodes, drawn }, node, position) {
  const last = (test) => steps.findLastIndex(test);
  const forward = Math.max(
    0,
    last((step) => step.pass === "forward" && step.at === node),
  );
  let backward = last((step) => step.pass === "backward" && step.at === node);
  const reads = (step) =>
    step.pass === "backward" &&
    step.nodes.some((i) => nodes[i].inputs.some((x) => drawn[x] === node));
  if (backward < 0) backward = last(reads);
  const back = ["seed", "backward"].includes(steps[position].pass);
  if (position === forward) return backward;
  return position === backward || !back ? forward : backward;
}
