// The engine's arithmetic: forward by the rows of the table, back by the chain rule.
//
// The rows are written from the table in ops.py, one entry each:
//   value(m, x, y, z, n)          what it computes; `sum(m, x, y)` is one term of a sum instead
//   partials[k](m, x, y, z, n, f) its local derivatives; `byHand` as a book has them, if different
//   domain(m, x, y, z, n)         whether the numbers are allowed, in words `needs`
// Their functions come from `m`: those of `strict` refuse what Python's math module refuses, those
// of `ieee` give infinity or NaN.
const ieee = {
  div: (x, y) => x / y,
  mod: (x, y) => x - y * Math.floor(x / y),
  // biome-ignore lint/complexity/useMathMinMax: at NaN it is Python's max, not JavaScript's
  max: (x, y) => (y > x ? y : x),
  pow(x, y) {
    if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1; // as C and Python have it
    return x ** y;
  },
  erf: (x) => (Math.abs(x) < 2 ? series(x) : x < 0 ? erfc(-x) - 1 : 1 - erfc(x)),
  erfc,
};
for (const name of ["exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "atan", "tanh"])
  ieee[name] = Math[name];
ieee.abs = Math.abs;

const strict = { ...ieee };
for (const name of [
  "div",
  "mod",
  "pow",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "sin",
  "cos",
  "tan",
]) {
  strict[name] = (...at) => {
    const f = ieee[name](...at);
    if (Number.isFinite(f)) return f;
    const overflows = /exp/.test(name) || (name === "pow" && at[0] !== 0 && !Number.isNaN(f));
    if (name === "div" || name === "mod" ? at[1] === 0 : at.every(Number.isFinite))
      throw new RangeError(overflows ? "overflows" : "is undefined");
    return f;
  };
}

// The error function by its series, all terms of one sign, where the complement needs no digits.
function series(x) {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

// Its complement, by the continued fraction of Laplace from 2 on.
function erfc(x) {
  if (!(x >= 2)) return x <= -2 ? 2 - erfc(-x) : 1 - series(x);
  let tail = 0;
  for (let k = 120; k; k--) tail = k / 2 / (x + tail);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail);
}

// The functions of one input in the table may be called by other rows.
function join(rows) {
  for (const [name, row] of Object.entries(rows))
    for (const m of [strict, ieee]) if (row.value?.length === 2) m[name] ??= (x) => row.value(m, x);
}

// Which partial belongs to input i of so many, and which inputs its letters x and y stand for.
function partialOf(row, i, count) {
  if (row.value) return [i, [0, 1, 2]];
  const pairs = row.partials.length === 3 ? count >> 1 : 0;
  if (i < 2 * pairs) return [Math.floor(i / pairs), [i % pairs, (i % pairs) + pairs]];
  return [i ? row.partials.length - 1 : 0, [pairs ? i : 0]];
}

// What a row computes from the numbers of its inputs.
function outcomeOf(row, inputs, n, m) {
  if (row.value) return row.value(m, inputs[0], inputs[1], inputs[2], n);
  const count = inputs.length;
  if (!row.sum) {
    if (inputs.slice(1)[inputs[0]] === undefined) throw new RangeError("has no such index");
    return inputs[1 + inputs[0]];
  }
  let f = 0;
  const pairs = row.partials.length === 3 ? count >> 1 : count;
  for (let k = 0; k < pairs; k++) f += row.sum(m, inputs[k], inputs[k + pairs]);
  if (count % 2 && pairs < count) f += inputs[count - 1];
  return f;
}

// The same, and a slope for each input.
function apply(row, inputs, n, m) {
  const f = outcomeOf(row, inputs, n, m);
  const slopes = inputs.map((_, i) => slope(row.partials, row, i, inputs, n, f, m));
  return { f, slopes };
}

function slope(partials, row, i, inputs, n, f, m) {
  const [which, letters] = partialOf(row, i, inputs.length);
  return partials[which](m, ...three(letters.map((k) => inputs[k])), row.take ? i - 1 : n, f);
}

function three([x, y, z]) {
  return [x, y, z];
}

// The forward pass: a number for each node, and its slopes, as far as they are defined.  At the
// first node that is not, `failed` says why, in the engine's words.
function forward(rows, { nodes, ieee: lenient }, leaves, say) {
  const [data, slopes, touched] = [[], [], []];
  let failed = null;
  for (const [i, node] of nodes.entries()) {
    const { inputs: from } = node;
    if (!from) {
      data.push(leaves.get(i) ?? node.data);
      slopes.push([]);
      touched.push(data[i] !== node.data);
      continue;
    }
    const inputs = from.map((k) => data[k]);
    touched.push(from.some((k) => touched[k]));
    const [now, why] = inputs.includes(undefined) ? [] : outcome(rows[node.op], node, inputs);
    data.push(node.set && now ? node.data : now?.f); // set by hand, it keeps its number
    slopes.push(now?.slopes ?? []);
    if (why) failed ??= { node: i, why };
  }
  return { data, slopes, failed };

  // What a node computes, or else why it cannot.
  function outcome(row, node, inputs) {
    if (!row) {
      const now = { f: node.data, slopes: node.slopes }; // the program's own, without a formula
      return touched.at(-1) ? [undefined, node.refuses] : [now];
    }
    try {
      return [apply(row, inputs, node.n, lenient ? ieee : strict)];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (row.take || inputs.every(Number.isFinite))
        return [undefined, say(node, row, inputs, error.message)];
      return [apply(row, inputs, node.n, ieee)];
    }
  }
}

// The backward pass, from the result: a gradient for each node, and what every node hands on, in
// the order in which it does, unless `told` is null.
function backward(rows, { nodes, result }, { data, slopes }, told = []) {
  const grads = new Array(nodes.length).fill(0);
  grads[result] = 1;
  for (let i = result; i >= 0; i--) {
    const { inputs: from, op } = nodes[i];
    if (!from) continue;
    const upstream = grads[i];
    const gate = rows[op]?.gate;
    const edges = [];
    for (const [k, local] of slopes[i].entries()) {
      const to = from[k]; // the program's own may hand nothing on
      const contribution = local || !gate ? local * upstream : 0; // shut, it stops infinity too
      const before = grads[to];
      grads[to] += contribution;
      if (told) edges.push({ to, local, contribution, before, after: grads[to] });
    }
    told?.push({ node: i, upstream, data: data[i], edges });
  }
  return { grads, events: told };
}
