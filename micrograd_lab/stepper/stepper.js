// Upgrades every picture of a stepper on this page to one that can be stepped through.
//
// A notebook may run this script long after the page was loaded, more than once, and without saying
// where in the page it is, so it looks for all pictures that are not upgraded yet.  The upgrade is
// a shadow tree, which hides the picture; the page's styles and the ids of another stepper do not
// reach into it, and a saved copy of the page has the picture again.
//
// Position 0 is the start, then come the steps from Python: forward, the seed (∂E/∂E = 1),
// backward.  At a position, the numbers of its step are already visible.
(() => {
  const ICONS = {
    first: "M2 2h2.5v12H2zM14 2v12L5.5 8z",
    previous: "M12.5 2v12L3.5 8z",
    next: "M3.5 2v12l9-6z",
    last: "M11.5 2H14v12h-2.5zM2 2v12l8.5-6z",
  };
  const FRAME = `
    <div class="stepper" role="group" tabindex="0">
      <div class="stage"></div>
      <div class="bar">
        ${button("first", "Home")}${button("previous", "←")}
        <button type="button" class="play" title="play (Space)">play</button>
        ${button("next", "→")}${button("last", "End")}
        <input type="range" min="0" value="0" step="1" aria-label="step">
        <span class="where"></span>
      </div>
      <div class="panel" role="status" aria-live="polite" aria-atomic="true"></div>
    </div>`;
  const PACE = 900; // milliseconds from step to step while it plays

  function button(name, key) {
    return `<button type="button" class="${name}" title="${name} (${key})" aria-label="${name} step">
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg></button>`;
  }

  function upgrade(host) {
    const img = host.querySelector("img");
    const data = JSON.parse(host.querySelector("script[type='application/json']").textContent);
    const { steps, quiz } = data;
    const svg = picture(img.src);
    const frame = document.createElement("template");
    frame.innerHTML = FRAME;
    const root = frame.content.querySelector(".stepper");
    const [stage, panel, slider, where, play] = [
      ".stage",
      ".panel",
      "input",
      ".where",
      ".play",
    ].map((name) => root.querySelector(name));
    root.setAttribute("aria-label", img.alt);
    stage.append(svg);
    slider.max = steps.length - 1;

    const numbers = timeline(svg, steps);
    const solved = new Map(); // quiz: position -> whether it was right at the first try
    let position = 0;
    let timer = 0;
    let lit = [];

    function go(to) {
      position = Math.max(0, Math.min(steps.length - 1, to));
      const step = steps[position];
      const back = step.pass !== "forward";
      const asked = quiz && step.pass === "backward" && !solved.has(position);
      for (const number of numbers) number.show(asked ? position - 1 : position);
      for (const element of lit) element.classList.remove("now", "lit", "forward", "backward");
      lit = parts(svg, step);
      const [node, ...wires] = lit;
      node?.classList.add("now");
      for (const wire of wires) wire.classList.add("lit", back ? "backward" : "forward");
      intoView(stage, node);
      slider.value = position;
      where.textContent = `${position} / ${steps.length - 1} · ${step.pass}`;
      slider.setAttribute("aria-valuetext", where.textContent);
      panel.setAttribute("aria-live", timer ? "off" : "polite");
      const active = root.getRootNode().activeElement;
      if (asked) {
        const forward = steps.find(({ at }) => at === step.at);
        ask(panel, step.events[0], forward.events[0], data, answered);
        if (active && active !== slider)
          panel.querySelector("input").focus({ preventScroll: true });
      } else panel.innerHTML = describe(step, data) + score();
      panel.style.minHeight = `${Math.min(300, Math.max(panel.offsetHeight, 104))}px`;
    }

    function answered(atFirst) {
      solved.set(position, atFirst);
      go(position);
      root.querySelector(".next").focus();
    }

    function score() {
      if (!quiz || !solved.size) return "";
      const right = [...solved.values()].filter(Boolean).length;
      const asked = steps.filter((step) => step.pass === "backward").length;
      return `<div class="quiet">${right} of ${asked} steps right at the first try</div>`;
    }

    function playing(on) {
      clearInterval(timer);
      timer = 0;
      if (on) {
        if (position === steps.length - 1) go(0);
        timer = setInterval(() => {
          if (!host.isConnected) return playing(false);
          go(position + 1);
          if (position === steps.length - 1 || panel.querySelector(".quiz")) playing(false);
        }, PACE);
      }
      play.textContent = timer ? "pause" : "play";
      play.title = `${play.textContent} (Space)`;
    }

    const move = (to) => () => {
      playing(false);
      go(to());
    };
    const first = move(() => 0);
    const previous = move(() => position - 1);
    const next = move(() => position + 1);
    const last = move(() => steps.length - 1);
    const keys = {
      Home: first,
      End: last,
      ArrowLeft: previous,
      ArrowUp: previous,
      ArrowRight: next,
      ArrowDown: next,
      " ": () => playing(!timer),
    };
    for (const [name, act] of Object.entries({ first, previous, next, last })) {
      root.querySelector(`.${name}`).addEventListener("click", act);
    }
    play.addEventListener("click", () => playing(!timer));
    slider.addEventListener(
      "input",
      move(() => Number(slider.value)),
    );

    // A notebook listens for keys on the whole document: 'j' selects the next cell.  So while the
    // focus is here, the stepper sees keys first, on the window, and the page never does.
    function key(event) {
      const path = event.composedPath();
      if (!path.includes(root)) return leave(); // an output that was replaced while it had the focus
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      if (modified || event.key === "Tab" || (event.key === "Enter" && event.shiftKey)) return;
      const [target] = path;
      const typing = target.matches("[type='text']");
      if (event.key === "Escape" && !typing) return;
      event.stopImmediatePropagation();
      if (event.key === " " && target.matches("button")) return;
      const act = typing ? target.keys[event.key] : keys[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    }
    root.addEventListener("focusin", () => window.addEventListener("keydown", key, true));
    const leave = () => window.removeEventListener("keydown", key, true);
    root.addEventListener("focusout", leave);
    root.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("button, input")) root.focus({ preventScroll: true });
    });

    svg.addEventListener("click", (event) => {
      const node = event.target.closest(".node");
      if (node) move(() => jump(steps, Number(node.id.slice(1)), position))();
    });

    const style = host.querySelector("style").cloneNode(true);
    host.attachShadow({ mode: "open" }).append(style, root);
    go(0);
  }

  // The SVG inside the address of the picture, as part of this page.
  function picture(address) {
    const bytes = Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0));
    const text = new TextDecoder().decode(bytes);
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    const svg = document.importNode(parsed.documentElement, true);
    const [width, height] = ["width", "height"].map(
      (side) => parseFloat(svg.getAttribute(side)) * (4 / 3),
    );
    svg.style.width = `clamp(${(10 / 12) * width}px, 100%, ${width}px)`;
    svg.style.maxWidth = "none";
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    svg.style.aspectRatio = `${width} / ${height}`;
    svg.setAttribute("aria-hidden", "true"); // screen readers have the panel
    return svg;
  }

  // Every number in the picture, with its texts and the positions from which they show.
  function timeline(svg, steps) {
    const numbers = new Map();
    const at = (id, kind, position, text) => {
      const element = svg.querySelector(`#${id} text.${kind}`);
      if (!element) return;
      if (!numbers.has(element)) numbers.set(element, []);
      numbers.get(element).push([position, text ?? element.textContent]);
    };
    const computed = new Set(
      steps.filter((step) => step.pass === "forward").map((step) => step.at),
    );
    svg.querySelectorAll(".wire").forEach((wire) => {
      if (!computed.has(Number(wire.id.slice(1)))) at(wire.id, "value", 0);
    });
    steps.forEach((step, position) => {
      if (step.pass === "forward") at(`w${step.at}`, "value", position);
      for (const [wire, text] of step.grads ?? []) at(`w${wire}`, "grad", position, text);
      if (step.pass === "backward")
        for (const k of step.wires.keys()) at(`e${step.at}_${k}`, "grad", position);
    });
    return [...numbers].map(([element, changes]) => {
      let shown = null;
      return {
        show(position) {
          const text = changes.filter(([from]) => from <= position).at(-1)?.[1] ?? "";
          if (text === shown) return;
          shown = text;
          element.classList.toggle("later", !text);
          if (text && text !== element.textContent) write(element, text);
        },
      };
    });
  }

  // Replaces a number by another, centred at the same point.
  function write(element, text) {
    if (!element.style.textAnchor) {
      const { x, width } = element.getBBox();
      element.setAttribute("x", x + width / 2);
      element.style.textAnchor = "middle";
    }
    element.textContent = text;
  }

  // The elements that light up at a step: its node, the wire out of it, and the wires into it.
  function parts(svg, step) {
    if (step.pass === "start") return [];
    const ids = [`n${step.at}`, `w${step.at}`];
    for (const [k, wire] of (step.wires ?? []).entries()) ids.push(`w${wire}`, `e${step.at}_${k}`);
    return ids.map((id) => svg.querySelector(`#${id}`)).filter(Boolean);
  }

  // Scrolls the picture, never the page.
  function intoView(stage, node) {
    if (!node) return stage.scrollTo(0, 0);
    const [box, view] = [node.getBoundingClientRect(), stage.getBoundingClientRect()];
    const left = (box.left + box.right - view.left - view.right) / 2;
    const top = (box.top + box.bottom - view.top - view.bottom) / 2;
    if (Math.abs(left) > 0.3 * view.width || Math.abs(top) > 0.3 * view.height) {
      stage.scrollBy(left, top);
    }
  }

  // The position of a node's step in the current pass; on a second click, in the other pass.  A
  // leaf's are the start, and the step that completes its gradient.
  function jump(steps, node, position) {
    const last = (test) => steps.findLastIndex(test);
    const forward = Math.max(
      0,
      last((step) => step.pass === "forward" && step.at === node),
    );
    let backward = last((step) => step.pass === "backward" && step.at === node);
    if (backward < 0) backward = last((step) => step.grads?.some(([wire]) => wire === node));
    const back = ["seed", "backward"].includes(steps[position].pass);
    if (position === forward) return backward;
    return position === backward || !back ? forward : backward;
  }

  const math = (html) => `<span class="math">${html}</span>`;
  const value = (html) => `<span class="value">${html}</span>`;
  const grad = (html) => `<span class="grad">${html}</span>`;
  const quiet = (html) => `<span class="quiet">${html}</span>`;
  const factor = (html) => (/^[-−]/.test(html) ? `(${html})` : html);
  const slope = (of, wrt) =>
    `<span class="frac"><span>∂${of}</span><span class="spoken">/</span><span>∂${wrt}</span></span>`;
  const caption = (text) => `<div class="caption">${text}</div>`;
  const line = (html) => `<div class="line">${html}</div>`;
  const equation = (...parts) => [...new Set(parts)].join(" = ");

  // The text of the panel for a step.
  function describe(step, { names, result }) {
    const of = names[result];
    const captions = {
      start: "start: inputs and parameters",
      forward: "forward: the operation is applied to its inputs",
      seed: `backward begins: how fast does ${math(of)} change with itself?`,
      backward: "backward: upstream gradient × local derivative",
    };
    const lines = {
      start: () => line(quiet("→ computes the values one by one, then their gradients")),
      forward: (event) => line(computed(event, names[event.node])),
      seed: () => line(equation(math(slope(of, of)), grad("1"))),
      backward: (event) => contributions(event, names, of),
    };
    const several = step.several ? line(quiet(`${step.several}, each in the same way`)) : "";
    return (
      caption(captions[step.pass]) +
      several +
      (step.events ?? [step]).map(lines[step.pass]).join("")
    );
  }

  // ∂E/∂w ← ∂E/∂(w × z) × ∂(w × z)/∂w = 0.126 × 0.578 = 0.0728, for each input
  function contributions(event, names, of) {
    const name = names[event.node];
    const lines = event.edges.map((edge) => {
      const input = names[edge.to];
      const rule = `${slope(of, input)} ← ${slope(of, name)} × ${slope(name, input)}`;
      const product = `${grad(event.grad)} × ${value(factor(edge.local))}`;
      const sum = `${quiet("adds to")} ${grad(edge.before)} → ${grad(edge.after)}`;
      return line(`${equation(math(rule), product, grad(edge.contribution))}
        ${edge.exact[1] ? sum : ""}
        <span class="aside">${quiet("with")} ${derivative(edge, slope(name, input))}</span>`);
    });
    if (event.more) lines.push(line(quiet(`and ${event.more} more in the same way`)));
    return lines.join("");
  }

  // z = w × x = 0.5 × 0.578 = 0.289
  function computed(event, name) {
    const own = name === `(${event.symbols})` ? event.symbols : name; // a product without a name
    const formula = event.symbols === event.data ? [] : [math(event.symbols), value(event.numbers)];
    return equation(math(own), ...formula, value(event.data)); // set by hand, it has no formula
  }

  // ∂y/∂s = y × (1 − y) = 0.670 × (1 − 0.670) = 0.221
  function derivative(edge, name) {
    const formula = edge.symbols === edge.numbers ? [] : [math(edge.symbols)];
    return equation(math(name), ...formula, value(edge.numbers), value(edge.local));
  }

  // Asks for the numbers of a backward step in the panel; `answered` receives whether all were
  // right on the first try.
  function ask(panel, event, forward, { names, result }, answered) {
    const [of, name] = [names[result], names[event.node]];
    const box = '<input type="text" inputmode="decimal" autocomplete="off">';
    panel.innerHTML = `<div class="quiz">
      ${caption("backward: fill in local derivatives and gradients, or the gradients alone, and press Enter")}
      ${line(`${equation(math(slope(of, name)), grad(event.grad))}, ${computed(forward, name)}`)}
      ${event.edges
        .map((edge) => {
          const input = names[edge.to];
          const before = edge.exact[1] ? `${grad(edge.before)} + ` : "";
          const product = math(`${slope(of, name)} × ${slope(name, input)}`);
          return line(`${math(slope(name, input))} = ${box}
          ${math(slope(of, input))} = ${before}${product} = ${box}
          <div class="verdict"></div>`);
        })
        .join("")}
      ${line('<button type="button">check</button> <button type="button">show</button>')}</div>`;
    const [check, show] = panel.querySelectorAll("button");
    const verdicts = [...panel.querySelectorAll(".verdict")];
    const inputs = [...panel.querySelectorAll("input")];
    let tries = 0;
    const mark = () => {
      tries += 1;
      const done = event.edges.map((edge, k) => {
        const typed = inputs.slice(2 * k, 2 * k + 2);
        const verdict = judge(event, edge, ...typed.map((input) => parse(input.value)));
        for (const [i, input] of typed.entries()) colour(input, verdict.right[i]);
        colour(verdicts[k], verdict.done);
        verdicts[k].innerHTML = verdict.say(math(slope(of, name)), (e) =>
          math(slope(name, names[e.to])),
        );
        return verdict.done;
      });
      if (done.every(Boolean)) answered(tries === 1);
    };
    check.addEventListener("click", mark);
    show.addEventListener("click", () => answered(false));
    const leave = () => panel.closest(".stepper").focus({ preventScroll: true });
    inputs.forEach((input, i) => {
      const { to } = event.edges[i >> 1];
      input.keys = { Enter: mark, Escape: leave };
      input.setAttribute(
        "aria-label",
        plain(i % 2 ? slope(of, names[to]) : slope(name, names[to])),
      );
    });
  }

  function plain(html) {
    const element = document.createElement("template");
    element.innerHTML = html;
    return element.content.textContent;
  }

  function colour(element, right) {
    element.classList.toggle("right", right === true);
    element.classList.toggle("wrong", right === false);
    if (element.tagName === "INPUT") element.setAttribute("aria-invalid", right === false);
  }

  // The number in a typed text: 0.0728, −0,0728, 7.28·10⁻², 1/4; NaN if there is none, null if empty.
  function parse(text) {
    const superscript = (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻".indexOf(sign);
    const plain = text
      .replace(/\s/g, "")
      .replace(/[−–]/g, "-")
      .replace(",", ".")
      .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]/g, (sign) => "0123456789-"[superscript(sign)])
      .replace(/[·×*]10\^?/, "e");
    if (plain === "") return null;
    const [top, bottom] = plain.split("/");
    return Number(top || NaN) / Number(bottom ?? 1);
  }

  // Whether a typed number is right, allowing for numbers of three digits on the way.
  const near = (typed, exact, scale = 0) =>
    Math.abs(typed - exact) <= 0.015 * Math.max(Math.abs(exact), Math.abs(scale));

  // Judges a gradient and, if there is one, a local derivative, and says which factor is wrong.
  function judge(event, edge, local, gradient) {
    const [exact, before, contribution, after] = edge.exact.map((x) => x ?? NaN);
    const [upstream, byHand] = [event.exact ?? NaN, edge.byHand ?? NaN];
    const scale = Math.max(Math.abs(before), Math.abs(contribution));
    const right = [
      local === null ? null : near(local, exact) || near(local, byHand),
      gradient === null
        ? null
        : near(gradient, after, scale) || near(gradient, before + upstream * byHand, scale),
    ];
    const used = local ?? (gradient - before) / upstream; // the apparent local derivative
    const other = event.edges.find((e) => e.to !== edge.to && near(used, e.exact[0] ?? NaN));
    const says = [
      // the first true one; `up` and `d` write the upstream gradient and a slope
      [[local, gradient].some(Number.isNaN), () => "a number looks like 0.0728 or 7.28e-2"],
      [right[0] !== false && right[1], () => "right"],
      [local === null && gradient === null, () => "type the gradient, or both numbers"],
      [
        right[0] === false && near(used, -exact),
        (_, d) => `the local derivative ${d(edge)} has the wrong sign`,
      ],
      [
        right[0] === false && other,
        (_, d) => `the local derivative is wrong: that is ${d(other)}, not ${d(edge)}`,
      ],
      [right[0] === false, (_, d) => `the local derivative ${d(edge)} is wrong`],
      [gradient === null, (up) => `the local derivative is right; now multiply it by ${up}`],
      [
        before && near(gradient, contribution),
        () => `that is what this step adds; ${grad(edge.before)} was there before`,
      ],
      [near(gradient, exact), (up) => `the upstream gradient ${up} is missing`],
      [near(gradient, upstream), (_, d) => `the local derivative ${d(edge)} is missing`],
      [near(gradient, upstream + exact), () => "the factors are multiplied, not added"],
      [near(gradient, -after), () => "the sign is wrong"],
      [
        right[0],
        (up) => `the local derivative is right; the other factor is ${up} = ${grad(event.grad)}`,
      ],
      [other, (_, d) => `the local derivative is wrong: you took ${d(other)} for ${d(edge)}`],
      [true, (up, d) => `a factor is wrong: ${up} = ${grad(event.grad)}, so look at ${d(edge)}`],
    ];
    const say = says.find(([holds]) => holds)[1];
    return { right, say, done: right[0] !== false && right[1] === true };
  }

  for (const host of document.querySelectorAll(".micrograd-stepper")) {
    try {
      if (!host.shadowRoot) upgrade(host);
    } catch (error) {
      console.error("the picture stays as it is:", error);
    }
  }

  // A frame of its own, as in marimo, is as high as its content.
  const frame = window.frameElement;
  if (frame?.classList.contains("micrograd-stepper-frame")) {
    const fit = () => (frame.style.height = `${document.documentElement.offsetHeight + 24}px`);
    new ResizeObserver(fit).observe(document.body);
  }
})();
