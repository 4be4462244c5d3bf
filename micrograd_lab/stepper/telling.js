// What the panel says: each step in symbols and in numbers, as HTML.
const MAX_LINES = 17; // of one operation: a neuron with eight inputs
const MAX_UPDATED = 6; // parameters whose update is written out

const math = (html) => `<span class="math">${html}</span>`;
const value = (html) => `<span class="value">${html}</span>`;
const grad = (html) => `<span class="grad">${html}</span>`;
const quiet = (html) => `<span class="quiet">${html}</span>`;
const factor = (html) => (/^[-−]/.test(html) ? `(${html})` : html);
const slopeOf = (of, wrt) =>
  `<span class="frac"><span>∂${of}</span><span class="spoken">/</span><span>∂${wrt}</span></span>`;
const caption = (text) => `<div class="caption">${text}</div>`;
const line = (html) => `<div class="line">${html}</div>`;
const equation = (...parts) => [...new Set(parts)].join(" = ");
const plural = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;

const CAPTIONS = {
  start: () => "start: inputs and parameters",
  forward: () => "forward: the operation is applied to its inputs",
  seed: (of) => `backward begins: how fast does ${math(of)} change with itself?`,
  backward: () => "backward: upstream gradient × local derivative",
  update: (_, { sign }) => `update: a step ${sign < 0 ? "against" : "along"} the gradient`,
};

// The text of the panel at a position.
function describe(walk, position) {
  const step = walk.steps[position];
  const of = walk.names[walk.result];
  const tell = { forward: computed, backward: contributions, update: learned }[step.pass];
  const lines = {
    start: () => line(quiet("→ computes the values one by one, then their gradients")),
    seed: () => line(equation(math(slopeOf(of, of)), grad("1"))),
  }[step.pass];
  let text = caption(CAPTIONS[step.pass](of, walk));
  if (step.at in walk.several && step.pass !== "update")
    text += line(quiet(`${walk.several[step.at]}, each in the same way`));
  else if (lines) text += lines();
  else if (walk.now.failed && step.pass !== "forward")
    text += line(quiet("as soon as every number is defined again"));
  else {
    const few = step.pass === "update" ? step.nodes.slice(0, MAX_UPDATED) : step.nodes;
    text += few.map((i) => tell(walk, i)).join("");
    if (few.length < step.nodes.length)
      text += line(quiet(`and ${step.nodes.length - few.length} more in the same way`));
  }
  return text;
}

// z = w × x = 0.5 × 0.578 = 0.289
function computed(walk, i) {
  return line(walk.now.data[i] === undefined ? quiet("not computed") : equality(walk, i));
}

function equality(walk, i) {
  const { symbols, numbers, data } = walk.formula(i);
  const own = walk.names[i] === `(${symbols})` ? symbols : walk.names[i]; // without a name
  const formula = symbols === data ? [] : [math(symbols), value(numbers)];
  return equation(math(own), ...formula, value(data));
}

// ∂E/∂w ← ∂E/∂(w × z) × ∂(w × z)/∂w = 0.126 × 0.578 = 0.0728, for each input
function contributions(walk, i) {
  const { edges, upstream } = walk.back.get(i);
  const of = walk.names[walk.result];
  const name = walk.names[i];
  const most = walk.asks ? edges.length : MAX_LINES;
  const lines = edges.slice(0, most).map((edge, k) => {
    const input = walk.names[edge.to];
    const local = walk.derivative(i, k);
    const rule = `${slopeOf(of, input)} ← ${slopeOf(of, name)} × ${slopeOf(name, input)}`;
    const product = `${grad(number(upstream))} × ${value(factor(local.local))}`;
    const sum = `${quiet("adds to")} ${grad(number(edge.before))} → ${grad(number(edge.after))}`;
    const more = walk.waits(i, edge.to) ? quiet("(more is to come)") : "";
    return line(`${equation(math(rule), product, grad(number(edge.contribution)))}
      ${edge.before ? sum : ""} ${more}
      <span class="aside">${quiet("with")} ${derived(local, slopeOf(name, input))}</span>`);
  });
  if (edges.length > most)
    lines.push(line(quiet(`and ${edges.length - most} more in the same way`)));
  return lines.join("");
}

// ∂y/∂s = y × (1 − y) = 0.670 × (1 − 0.670) = 0.221
function derived({ symbols, numbers, local }, name) {
  const formula = symbols === numbers ? [] : [math(symbols)];
  return equation(math(name), ...formula, value(numbers), value(local));
}

// w ← w − η ∂E/∂w = 0.4 − 0.5 × 0.0686 = 0.366
function learned(walk, i) {
  return line(equation(learning(walk, i), value(number(walk.updated(i)))));
}

function learning(walk, i) {
  const w = walk.names[i];
  const sign = walk.sign < 0 ? "−" : "+";
  const slope = slopeOf(walk.names[walk.result], w);
  const mean = walk.batch ? `${quiet("mean of")} ` : "";
  const rule = `${math(`${w} ← ${w} ${sign} η`)} ${mean}${math(slope)}`;
  const numbers = `${value(asGiven(walk.now.data[i]))} ${sign} ${asGiven(walk.eta)} × ${grad(
    factor(number(walk.mean[i])),
  )}`;
  return equation(rule, numbers);
}

// What is out of the ordinary: an operation that is undefined, another branch, what was changed.
function alerts(walk, counted) {
  const alert = (html) => `<div class="alert" role="alert">${html}</div>`;
  let text = walk.now.failed ? alert(walk.now.failed.why) : "";
  if (walk.unfit) text += alert(walk.unfit);
  for (const [, , , , told] of walk.left)
    text += alert(`${told}: what follows is still the recorded branch`);
  const changed = [...walk.leaves].filter(([i, x]) => x !== walk.nodes[i].data);
  if (changed.length === 1) {
    const [i, x] = changed[0];
    const [from, to] = [walk.nodes[i].data, x].map((n) => value(asGiven(n)));
    text += line(quiet(`changed ${math(walk.names[i])} from ${from} to ${to}: ${counted}`));
  } else if (changed.length)
    text += line(quiet(`${plural(changed.length, "number")} changed: ${counted}`));
  return text;
}

function plain(html) {
  const element = document.createElement("template");
  element.innerHTML = html;
  return element.content.textContent;
}

// The losses so far as a line, from the first to the last.
function curve({ losses, names, result, samples }) {
  if (losses.length < 2) return "";
  const what = samples
    ? `mean ${math(names[result])} ${quiet(`over ${plural(samples.rows.length, "sample")}`)}`
    : math(names[result]);
  const finite = losses.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const points = losses.map((loss, k) => {
    const x = (300 * k) / (losses.length - 1);
    const y = 70 - (60 * (Math.min(loss, high) - low)) / (high - low || 1);
    return `${x.toFixed(1)},${Number.isFinite(y) ? y.toFixed(1) : 0}`;
  });
  const [first, now] = [losses[0], losses.at(-1)].map((x) => value(number(x)));
  return `<div>${what} ${quiet(`after ${plural(losses.length - 1, "update")}`)} ${first} → ${now}</div>
    <svg viewBox="-4 0 308 80" role="img" aria-label="the loss after each update">
    <path class="axis" d="M0 74H300"/><polyline points="${points.join(" ")}"/>
    <circle cx="${points.at(-1).split(",")[0]}" cy="${points.at(-1).split(",")[1]}" r="4"/></svg>`;
}

// Why training stopped before its end.
function ended(walk) {
  if (walk.unfit) return "";
  const why = walk.now.failed ? "" : "the next numbers would not be finite; ";
  return `<div class="alert">${why}η = ${asGiven(walk.eta)} is too large: reset, and try a smaller one</div>`;
}
