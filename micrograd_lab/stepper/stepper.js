// Upgrades every picture of a stepper on this page to one that can be stepped through and changed.
//
// A notebook may run this script long after the page was loaded, more than once, and without saying
// where in the page it is, so it looks for all pictures that are not upgraded yet.  The upgrade is
// a shadow tree, which hides the picture; the page's styles and the ids of another stepper do not
// reach into it, and a saved copy of the page has the picture again.
const ICONS = {
  first: "M2 2h2.5v12H2zM14 2v12L5.5 8z",
  previous: "M12.5 2v12L3.5 8z",
  next: "M3.5 2v12l9-6z",
  last: "M11.5 2H14v12h-2.5zM2 2v12l8.5-6z",
  smaller: "M2 7h12v2H2z",
  larger: "M2 7h5V2h2v5h5v2H9v5H7V9H2z",
  full: "M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z",
  hide: "M2 2h12v12H2zM4 4v4h8V4z",
  print: "M4 1h8v4H4zM1 6h14v6h-3v-2H4v2H1zM5 11h6v4H5z",
};
const PACE = 900; // milliseconds from step to step while it plays
const RUN = 100; // updates of a run
const STRIDE = 2; // updates from one picture to the next
const FRAME = `
  <div class="stepper" role="group" tabindex="0">
    <div class="bar">
      ${button("first", "Home")}${button("previous", "←")}
      <button type="button" class="play" title="play (Space)">play</button>
      ${button("next", "→")}${button("last", "End")}
      <input type="range" class="slider" min="0" value="0" step="1" aria-label="step">
      <select class="pace" aria-label="speed"><option value="2">½×</option>
        <option value="1" selected>1×</option><option value="0.5">2×</option></select>
      <span class="where"></span>
    </div>
    <div class="head">
      <span class="chapters"></span>
      ${button("smaller", "−")}<button type="button" class="fit" title="fit (0)">fit</button>
      ${button("larger", "+")}${button("hide", "H")}${button("print", "P")}${button("full", "F")}
    </div>
    <div class="stage"></div>
    <div class="panel">
      <div class="told">
        <div class="alerts" aria-live="polite"></div>
        <div class="training tools">
          <label>η = <input type="text" class="eta" inputmode="decimal" autocomplete="off"></label>
          <span class="choice signs"><button type="button" value="-1">− descend</button
            ><button type="button" value="1">+ climb</button></span>
          <button type="button" class="again">again</button>
          <button type="button" class="epoch" title="an update for each sample in turn"></button>
          <button type="button" class="run">run ${RUN} times</button>
        </div>
        <div class="note"></div>
        <div class="text" role="status" aria-live="polite" aria-atomic="true"></div>
      </div>
      <div class="boundary" hidden></div>
      <div class="side">
        <div class="curve"></div>
        <div class="samples"><button type="button" class="before" aria-label="sample before">◀</button>
          <span class="sample"></span>
          <button type="button" class="after" aria-label="sample after">▶</button>
          <span class="choice batches"><button type="button" value="">this one</button
            ><button type="button" value="1">mean of all</button></span></div>
        <button type="button" class="reset">reset</button>
      </div>
    </div>
  </div>`;

function button(name, key) {
  const label = { full: "full screen", hide: "hide or show the text", print: "print every step" }[
    name
  ];
  return `<button type="button" class="${name}" title="${name} (${key})" aria-label="${
    label ?? (/er$/.test(name) ? name : `${name} step`)
  }"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg></button>`;
}

function upgrade(host, rows) {
  const img = host.querySelector("img");
  const data = JSON.parse(host.querySelector("script[type='application/json']").textContent);
  if (!data.forms.every(({ op }) => op === undefined || op in rows)) return; // another script's
  const walk = new Walk(rows, data);
  const { steps } = walk;
  const frame = document.createElement("template");
  frame.innerHTML = FRAME;
  const root = frame.content.querySelector(".stepper");
  const find = (name) => root.querySelector(`.${name}`);
  const names = ["stage", "panel", "text", "alerts", "slider", "where", "play", "tools", "eta"];
  const [stage, panel, text, alert, slider, where, play, tools, eta] = names.map(find);
  root.setAttribute("aria-label", img.alt);
  slider.max = steps.length - 1;
  const learns = !walk.asks && steps.some(({ pass }) => pass === "update");
  find("samples").hidden = !walk.samples;

  const solved = new Map(); // quiz: position -> whether it was right at the first try
  const alone = () => host.matches("body > .micrograd-stepper:only-of-type");
  let position = 0;
  let timer = 0;
  let saving = 0; // the address, a little later: it takes a browser longer than a step
  let picture = null;

  function go(to) {
    position = Math.max(0, Math.min(steps.length - 1, to));
    const step = steps[position];
    const asked = isAsked(walk, step) && !solved.has(position);
    const changed = picture.show(asked ? position - 1 : position);
    picture.light(step);
    slider.value = position;
    where.textContent = `${position} / ${steps.length - 1} · ${step.pass}`;
    slider.setAttribute("aria-valuetext", where.textContent);
    text.setAttribute("aria-live", timer ? "off" : "polite");
    const active = root.getRootNode().activeElement;
    if (asked) {
      ask(text, walk, step, answered);
      if (active && active !== slider) text.querySelector("input").focus({ preventScroll: true });
    } else text.innerHTML = describe(walk, position) + score();
    const warned = alerts(walk, `${plural(changed, "number")} follow${changed === 1 ? "s" : ""}`);
    if (alert.innerHTML !== warned) alert.innerHTML = warned;
    panel.style.minHeight = `${Math.min(300, Math.max(panel.offsetHeight, 104))}px`;
    const begun = [...find("chapters").children].filter(({ value }) => value <= position);
    for (const chapter of find("chapters").children)
      chapter.classList.toggle("here", chapter === begun.at(-1));
    find("note").innerHTML = walk.chapters[begun.length - 1]?.note ?? "";
    update();
    clearTimeout(saving);
    if (alone()) saving = setTimeout(remember, 100);
  }

  function answered(atFirst) {
    solved.set(position, atFirst);
    go(position);
    find("next").focus();
  }

  function score() {
    if (!solved.size) return "";
    const right = [...solved.values()].filter(Boolean).length;
    const asked = steps.filter((step) => isAsked(walk, step)).length;
    return `<div class="quiet">${right} of ${asked} steps right at the first try</div>`;
  }

  // The tools of training, as they stand.
  function update() {
    tools.hidden = !learns || (steps[position].pass !== "update" && !walk.losses.length);
    find("reset").hidden = !walk.leaves.size;
    const active = root.getRootNode().activeElement;
    if (eta !== active) eta.value = String(walk.eta);
    for (const choice of find("signs").children)
      choice.classList.toggle("here", Number(choice.value) === walk.sign);
    for (const choice of find("batches").children)
      choice.classList.toggle("here", Boolean(choice.value) === walk.batch);
    find("epoch").hidden = !walk.samples || walk.batch;
    if (walk.samples) {
      const { length } = walk.samples.rows;
      find("sample").textContent = walk.isSample()
        ? `sample ${walk.sample + 1} of ${length}`
        : `none of ${plural(length, "sample")}`;
      find("epoch").textContent = `epoch (${plural(length, "update")})`;
    }
    find("curve").innerHTML = curve(walk);
    showPlane();
  }

  function edit(i, x) {
    walk.set(i, x);
    go(position);
  }

  function learn(times) {
    playing(false);
    if (steps[position].pass !== "update") position = steps.length - 1;
    let left = times;
    const turn = () => {
      const start = performance.now();
      let going = true;
      const rest = Math.max(0, left - STRIDE);
      for (; left > rest && going && performance.now() - start < 12; left--) going = walk.again();
      go(position);
      if (!going) alert.innerHTML += ended(walk);
      else if (left && host.isConnected) requestAnimationFrame(turn);
    };
    turn();
  }

  function playing(on) {
    clearInterval(timer);
    timer = 0;
    if (on) {
      if (position === steps.length - 1) go(0);
      timer = setInterval(
        () => {
          if (!host.isConnected) return playing(false);
          go(position + 1);
          if (position === steps.length - 1 || panel.querySelector(".quiz")) playing(false);
        },
        PACE * Number(find("pace").value),
      );
    }
    play.textContent = timer ? "pause" : "play";
    play.title = `${play.textContent} (Space)`;
  }

  function zoom(by) {
    picture.scale(by ? picture.zoom * by : 0);
    picture.intoView(picture.lit[0]);
  }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.();
  }

  // Every step on a page of its own, for the printer.
  function print() {
    const here = position;
    const sheets = steps.map((_, at) => {
      go(at);
      return `<section class="sheet"><div class="stage">${picture.svg.outerHTML}</div>
        <div class="panel"><div>${text.innerHTML}</div></div></section>`;
    });
    go(here);
    const paper = document.createElement("iframe");
    paper.hidden = true;
    paper.srcdoc = `<style>${style.textContent.replaceAll(":host", ":root")}</style>${sheets.join("")}`;
    paper.addEventListener("load", () => {
      paper.contentWindow.addEventListener("afterprint", () => paper.remove());
      paper.contentWindow.print();
    });
    root.append(paper);
  }

  const move = (to) => () => {
    playing(false);
    go(to());
  };
  const acts = {
    first: move(() => 0),
    previous: move(() => position - 1),
    next: move(() => position + 1),
    last: move(() => steps.length - 1),
    smaller: () => zoom(0.8),
    larger: () => zoom(1.25),
    fit: () => zoom(0),
    full,
    print,
    hide: () => root.classList.toggle("bare"),
    play: () => playing(!timer),
    again: () => learn(1),
    run: () => learn(RUN),
    epoch() {
      if (walk.sample < 0) walk.choose(0);
      learn(walk.samples.rows.length);
    },
    reset() {
      walk.reset();
      go(position);
    },
    before() {
      walk.choose(Math.max(walk.sample, 0) - 1);
      go(position);
    },
    after() {
      walk.choose(walk.sample + 1);
      go(position);
    },
  };
  const keys = {
    Home: acts.first,
    End: acts.last,
    ArrowLeft: acts.previous,
    ArrowUp: acts.previous,
    ArrowRight: acts.next,
    ArrowDown: acts.next,
    " ": acts.play,
    "-": acts.smaller,
    "+": acts.larger,
    0: acts.fit,
    f: acts.full,
    h: acts.hide,
    p: print,
  };
  for (const [name, act] of Object.entries(acts)) find(name).addEventListener("click", act);
  slider.addEventListener(
    "input",
    move(() => Number(slider.value)),
  );
  find("pace").addEventListener("change", () => timer && playing(true));
  let before = walk.eta; // typing
  eta.addEventListener("focus", () => {
    before = walk.eta;
  });
  eta.addEventListener("input", () => {
    const typed = parse(eta.value);
    const wrong = !(typed > 0 && Number.isFinite(typed));
    eta.setAttribute("aria-invalid", wrong);
    walk.eta = wrong ? before : typed;
    go(position);
  });
  eta.keys = { Enter: acts.again };
  find("signs").addEventListener("click", ({ target }) => {
    walk.sign = Number(target.value) || walk.sign;
    go(position);
  });
  find("batches").addEventListener("click", ({ target }) => {
    if (target.value === undefined) return;
    walk.batch = Boolean(target.value);
    walk.compute();
    go(position);
  });

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
    if ((event.key === " " && target.matches("button")) || target.matches("select")) return;
    const act = typing ? target.keys?.[event.key] : (touched(target, event.key) ?? keys[event.key]);
    if (!act) return;
    event.preventDefault();
    act();
  }
  root.addEventListener("focusin", () => window.addEventListener("keydown", key, true));
  const leave = () => window.removeEventListener("keydown", key, true);
  root.addEventListener("focusout", leave);
  root.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("button, input, select, label, .leaf"))
      root.focus({ preventScroll: true });
  });

  const style = host.querySelector("style").cloneNode(true);
  host.attachShadow({ mode: "open" }).append(style, root);
  picture = new Picture(stage, inlined(img.src), walk);
  const touch = touchable(picture, edit);
  const showPlane = plane(find("boundary"), walk, (sample) => {
    walk.choose(sample);
    go(position);
  });

  // What a key does to the leaf or the node that has the focus in the picture.
  function touched(target, key) {
    if (target.matches(".node, .wire:not(.leaf)") && key === "Enter")
      return move(() => jump(walk, Number(target.id.slice(1)), position));
    if (!target.matches(".leaf")) return null;
    const i = touch.leafOf(target);
    const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[key];
    if (by) return () => edit(i, moved(walk.now.data[i], by));
    return key === "Enter" ? () => touch.type(i, target.querySelector("text.value")) : null;
  }

  picture.svg.addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    if (node) move(() => jump(walk, Number(node.id.slice(1)), position))();
  });

  const chapters = find("chapters");
  for (const { title, at } of walk.chapters.length ? places(walk) : passes(steps)) {
    const chapter = document.createElement("button");
    Object.assign(chapter, { type: "button", value: at, innerHTML: title });
    chapter.addEventListener(
      "click",
      move(() => at),
    );
    chapters.append(chapter);
  }

  // The state in the address, so that a link shows the same numbers at the same step.
  function remember() {
    const state = new URLSearchParams({ step: position });
    for (const [i, x] of walk.leaves) state.set(plain(walk.names[i]), x);
    if (walk.rate !== `${walk.eta},${walk.sign}`) state.set("η", -walk.sign * walk.eta);
    try {
      if (position || walk.leaves.size || location.hash)
        history.replaceState(history.state, "", `#${state}`);
    } catch {} // a frame has no address
  }
  if (alone()) {
    const state = new URLSearchParams(location.hash.slice(1));
    walk.nodes.forEach((node, i) => {
      const x = Number(state.get(plain(walk.names[i])) || NaN);
      if (!node.inputs && Number.isFinite(x)) walk.set(i, x);
    });
    const rate = Number(state.get("η"));
    if (rate) [walk.eta, walk.sign] = [Math.abs(rate), -Math.sign(rate)];
    position = Number.parseInt(state.get("step"), 10) || 0;
  }
  go(position);
}

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

// Text has no size before it is seen: on a later slide, or in a tab behind.
function whenSeen(host, act) {
  if (host.offsetWidth) return act();
  new ResizeObserver((_, observer) => {
    if (!host.offsetWidth) return;
    observer.disconnect();
    act();
  }).observe(host);
}

function start(rows) {
  join(rows);
  for (const host of document.querySelectorAll(".micrograd-stepper")) {
    try {
      if (!host.shadowRoot) whenSeen(host, () => host.shadowRoot || upgrade(host, rows));
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
}
