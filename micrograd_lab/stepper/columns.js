// Many samples at once: the numbers of every node as a column, by the same rows of the table.

// The forward pass with a column of numbers in place of some leaves, which `given` has by node.  What
// depends on none of them stays one number; an undefined operation gives NaN.
function columns({ rows, nodes, now, leaves }, given) {
  const [{ length }] = given.values();
  const data = [];
  for (const [i, node] of nodes.entries()) {
    const { inputs: from } = node;
    const moves = from?.some((x) => typeof data[x] === "object") && !node.set;
    if (moves) data.push(column(rows[node.op], node, data, length));
    else data.push(given.get(i) ?? (from ? now.data[i] : (leaves.get(i) ?? node.data)));
  }
  return data;
}

function column(row, { inputs: from, n }, data, length) {
  const result = new Float64Array(length).fill(Number.NaN);
  if (!row) return result; // the program's own, without a formula
  const inputs = from.map((x) => data[x]);
  const moving = [...inputs.keys()].filter((k) => typeof inputs[k] === "object");
  const at = [...inputs];
  for (let k = 0; k < length; k++) {
    for (const i of moving) at[i] = inputs[i][k];
    try {
      result[k] = outcomeOf(row, at, n, ieee);
    } catch {} // an index that there is not
  }
  return result;
}

// A number for each of so many samples, of a node that may be the same for all.
function spread(data, length) {
  return typeof data === "object" ? data : new Float64Array(length).fill(data);
}

// The samples' numbers by the leaf that they set.
function samplesGiven({ inputs, rows }) {
  return new Map(inputs.map((i, k) => [i, Float64Array.from(rows, (row) => row[k])]));
}
