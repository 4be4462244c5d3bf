// The quiz: asks for the numbers of a step, and says which factor is wrong.
const BOX = '<input type="text" inputmode="decimal" autocomplete="off">';

// Whether a step is asked about: its pass is, one of the values in it is, and it is not trivial,
// which a gradient handed on unchanged is.
function isAsked(walk, step) {
  const { asks, now, back } = walk;
  if (!asks?.passes.includes(step.pass) || now.failed) return false;
  const edges = step.pass === "backward" ? step.nodes.flatMap((i) => back.get(i).edges) : [];
  const touched = [...step.nodes, ...edges.map(({ to }) => to)];
  if (asks.nodes.length && !touched.some((i) => asks.nodes.includes(i))) return false;
  return step.pass !== "backward" || asks.trivial || edges.some((edge) => !isTrivial(walk, edge));
}

function isTrivial({ asks }, { local }) {
  return !asks.trivial && Math.abs(local) === 1;
}

// Asks in the panel; `answered` receives whether all was right at the first try, `show` leads to
// the answer.
function ask(panel, walk, step, answered) {
  const questions = step.nodes.flatMap((i) => QUESTIONS[step.pass](walk, i));
  panel.innerHTML = `<div class="quiz">
    ${caption(`${step.pass}: ${HINTS[step.pass]}, and press Enter`)}
    ${step.pass === "backward" ? known(walk, step.nodes[0]) : ""}
    ${questions.map(({ html }) => line(`${html}<div class="verdict"></div>`)).join("")}
    ${line('<button type="button">check</button> <button type="button">show me</button>')}</div>`;
  const [check, show] = panel.querySelectorAll("button");
  const verdicts = [...panel.querySelectorAll(".verdict")];
  const inputs = [...panel.querySelectorAll("input")];
  let tries = 0;
  const mark = () => {
    tries += 1;
    const typed = [...inputs];
    const done = questions.map(({ names, judge }, k) => {
      const boxes = typed.splice(0, names.length);
      const verdict = judge(...boxes.map((input) => parse(input.value)));
      for (const [i, input] of boxes.entries()) colour(input, verdict.right[i]);
      colour(verdicts[k], verdict.done);
      verdicts[k].innerHTML = verdict.says;
      return verdict.done;
    });
    if (done.every(Boolean)) answered(tries === 1);
  };
  check.addEventListener("click", mark);
  show.addEventListener("click", () => answered(false));
  const leave = () => panel.closest(".stepper").focus({ preventScroll: true });
  const names = questions.flatMap((question) => question.names);
  for (const [i, input] of inputs.entries()) {
    input.keys = { Enter: mark, Escape: leave };
    input.setAttribute("aria-label", plain(names[i]));
  }
}

const HINTS = {
  forward: "compute the value",
  backward: "fill in local derivatives and gradients, or the gradients alone",
  update: "fill in the new number",
};

const QUESTIONS = {
  forward(walk, i) {
    const { symbols, numbers } = walk.formula(i);
    const own = walk.names[i] === `(${symbols})` ? symbols : walk.names[i];
    const html = `${equation(math(own), math(symbols), value(numbers))} = ${BOX}`;
    return [{ html, names: [own], judge: judgeNumber(walk.now.data[i]) }];
  },

  backward(walk, i) {
    const { edges, upstream } = walk.back.get(i);
    const [of, name] = [walk.names[walk.result], walk.names[i]];
    const slopes = edges.map((edge, k) => ({
      ...edge,
      exact: edge.local,
      byHand: walk.byHand(i, k),
    }));
    return slopes.flatMap((edge) => {
      if (isTrivial(walk, edge)) return [];
      const input = walk.names[edge.to];
      const [local, target] = [slopeOf(name, input), slopeOf(of, input)];
      const before = edge.before ? `${grad(number(edge.before))} + ` : "";
      const product = math(`${slopeOf(of, name)} × ${local}`);
      const say = {
        up: math(slopeOf(of, name)),
        d: (e) => math(slopeOf(name, walk.names[e.to])),
      };
      const judge = (typed, gradient) =>
        judgeEdge({ upstream, slopes, edge, say }, typed, gradient);
      if (i === walk.result)
        // there the local derivative is the gradient
        return {
          html: `${math(target)} = ${before}${BOX}`,
          names: [target],
          judge(gradient) {
            const { right, ...rest } = judge(null, gradient);
            return { right: [right[1]], ...rest };
          },
        };
      return {
        html: `${math(local)} = ${BOX} ${math(target)} = ${before}${product} = ${BOX}`,
        names: [local, target],
        judge,
      };
    });
  },

  update(walk, i) {
    const html = `${learning(walk, i)} = ${BOX}`;
    return [{ html, names: [walk.names[i]], judge: judgeNumber(walk.updated(i), 0.006) }];
  },
};

// What is known at a backward step: the gradient that it hands on, and the formula.
function known(walk, i) {
  const [of, name] = [walk.names[walk.result], walk.names[i]];
  const upstream = equation(math(slopeOf(of, name)), grad(number(walk.back.get(i).upstream)));
  return line(`${upstream}, ${equality(walk, i)}`);
}

function colour(element, right) {
  element.classList.toggle("right", right === true);
  element.classList.toggle("wrong", right === false);
  if (element.tagName === "INPUT") element.setAttribute("aria-invalid", right === false);
}

// Whether a typed number is right, allowing for numbers of three digits on the way.
const near = (typed, exact, scale = 0) =>
  Math.abs(typed - exact) <= 0.015 * Math.max(Math.abs(exact), Math.abs(scale));

const LIKE = "a number looks like 0.0728 or 7.28e-2";

function judgeNumber(exact, share = 0.015) {
  return (typed) => {
    if (typed === null) return { right: [null], done: false, says: "type the number" };
    const done = Math.abs(typed - exact) <= share * Math.abs(exact);
    const wrong = near(typed, -exact) ? "the sign is wrong" : "compute it from the numbers shown";
    return { right: [done], done, says: Number.isNaN(typed) ? LIKE : done ? "right" : wrong };
  };
}

// Judges a gradient and, if there is one, a local derivative, and says which factor is wrong.
function judgeEdge({ upstream, slopes, edge, say: { up, d } }, local, gradient) {
  const { exact, byHand, before, contribution, after } = edge;
  const scale = Math.max(Math.abs(before), Math.abs(contribution));
  const right = [
    local === null ? null : near(local, exact) || near(local, byHand),
    gradient === null
      ? null
      : near(gradient, after, scale) || near(gradient, before + upstream * byHand, scale),
  ];
  const used = local ?? (gradient - before) / upstream; // the apparent local derivative
  const other = slopes.find((e) => e.to !== edge.to && near(used, e.exact));
  const says = [
    // the first true one
    [[local, gradient].some(Number.isNaN), () => LIKE],
    [right[0] !== false && right[1], () => "right"],
    [local === null && gradient === null, () => "type the gradient, or both numbers"],
    [
      right[0] === false && near(used, -exact),
      () => `the local derivative ${d(edge)} has the wrong sign`,
    ],
    [
      right[0] === false && other,
      () => `the local derivative is wrong: that is ${d(other)}, not ${d(edge)}`,
    ],
    [right[0] === false, () => `the local derivative ${d(edge)} is wrong`],
    [gradient === null, () => `the local derivative is right; now multiply it by ${up}`],
    [
      before && near(gradient, contribution),
      () => `that is what this step adds; ${grad(number(before))} was there before`,
    ],
    [near(gradient, exact), () => `the upstream gradient ${up} is missing`],
    [near(gradient, upstream), () => `the local derivative ${d(edge)} is missing`],
    [near(gradient, upstream + exact), () => "the factors are multiplied, not added"],
    [near(gradient, -after), () => "the sign is wrong"],
    [
      right[0],
      () => `the local derivative is right; the other factor is ${up} = ${grad(number(upstream))}`,
    ],
    [other, () => `the local derivative is wrong: you took ${d(other)} for ${d(edge)}`],
    [true, () => `a factor is wrong: ${up} = ${grad(number(upstream))}, so look at ${d(edge)}`],
  ].find(([holds]) => holds)[1]();
  return { right, says, done: right[0] !== false && right[1] === true };
}
