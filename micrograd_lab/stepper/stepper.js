// Upgrades every picture of a stepper on this page to one that can be stepped through and changed.
//
// A notebook may run this script long after the page was loaded, more than once, and without saying
// where in the page it is, so it looks for all pictures that are not upgraded yet.  The upgrade is
// a shadow tree, which hides the picture; the page's styles and the ids of another stepper do not
// reach into it, and a saved copy of the page has the picture again.
const PACE = 900; // milliseconds from step to step while it plays
const STRIDE = 2; // updates from one picture to the next

function start(rows) {
  join(rows);
  for (const host of document.querySelectorAll(".micrograd-stepper"))
    if (!host.shadowRoot) whenSeen(host, () => upgrade(host, rows));

  // A frame of its own, as in marimo, is as high as its content.
  const frame = window.frameElement;
  if (frame?.classList.contains("micrograd-stepper-frame")) {
    const fit = () => (frame.style.height = `${document.documentElement.offsetHeight + 24}px`);
    new ResizeObserver(fit).observe(document.body);
  }
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

function upgrade(host, rows) {
  if (host.shadowRoot) return;
  try {
    const record = host.querySelector("script[type='application/json']").textContent;
    const data = JSON.parse(record);
    if (data.forms.every(({ op }) => op === undefined || op in rows))
      // or another script has it
      new Stepper(host, new Walk(rows, data));
  } catch (error) {
    console.error("the picture stays as it is:", error);
  }
}

class Stepper {
  constructor(host, walk) {
    const frame = document.createElement("template");
    frame.innerHTML = FRAME;
    this.host = host;
    this.walk = walk;
    this.rate = walk.rate; // as recorded
    this.spelled = walk.names.map(plain);
    this.root = frame.content.querySelector(".stepper");
    this.solved = new Map(); // quiz: position -> whether it was right at the first try
    this.position = 0;
    this.timer = 0; // while it plays
    this.turn = 0; // the next picture of a training
    this.saving = 0; // the address, a little later: it takes a browser longer than a step
    const img = host.querySelector("img");
    this.root.setAttribute("aria-label", img.alt);
    this.style = host.querySelector("style").cloneNode(true);
    host.attachShadow({ mode: "open" }).append(this.style, this.root);
    this.picture = new Picture(this.part("stage"), inlined(img.src), walk);
    this.touch = touchable(this.picture, (i, x) => {
      cancelAnimationFrame(this.turn);
      this.play(false);
      this.change(() => walk.set(i, x));
    });
    this.plane = plane(this.part("boundary"), walk, (k) => this.change(() => walk.choose(k)));
    this.furnish();
    this.listen();
    this.hearKeys();
    this.recall();
    this.go(this.position);
    window.addEventListener("hashchange", () => this.isAlone() && this.change(() => this.recall()));
    window.addEventListener("resize", () => this.picture.intoView(this.picture.lit[0]));
  }

  part(name) {
    return this.root.querySelector(`.${name}`);
  }

  get last() {
    return this.walk.steps.length - 1;
  }

  get step() {
    return this.walk.steps[this.position];
  }

  // What stands in the frame from the beginning.
  furnish() {
    const { walk } = this;
    this.part("slider").max = this.last;
    this.part("samples").hidden = !walk.samples;
    for (const { title, at } of walk.chapters.length ? places(walk) : passes(walk.steps)) {
      const chapter = document.createElement("button");
      Object.assign(chapter, { type: "button", value: at, innerHTML: title });
      chapter.addEventListener("click", () => this.move(at));
      this.part("chapters").append(chapter);
    }
  }

  // Show the picture and the text of a position.
  go(to) {
    this.position = Math.max(0, Math.min(this.last, to));
    const { walk, step, picture, position } = this;
    const asked = isAsked(walk, step) && !this.solved.has(position);
    const changed = picture.show(asked ? position - 1 : position);
    picture.light(step);
    this.tell(asked);
    const warned = alerts(walk, `${plural(changed, "number")} follow${changed === 1 ? "s" : ""}`);
    if (this.part("alerts").innerHTML !== warned) this.part("alerts").innerHTML = warned;
    const panel = this.part("panel");
    panel.style.minHeight = `${Math.min(300, Math.max(panel.offsetHeight, 104))}px`;
    this.mark();
    this.tools();
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.remember(), 100);
  }

  // The text of the step, or a question about it.
  tell(asked) {
    const text = this.part("text");
    text.setAttribute("aria-live", this.timer ? "off" : "polite");
    if (!asked) {
      text.innerHTML = describe(this.walk, this.position) + this.score();
      return;
    }
    ask(text, this.walk, this.step, (atFirst) => {
      this.solved.set(this.position, atFirst);
      this.go(this.position);
      this.part("next").focus();
    });
    const { activeElement } = this.root.getRootNode();
    if (activeElement && !activeElement.matches(".slider, .edit, .leaf"))
      text.querySelector("input").focus({ preventScroll: true });
  }

  score() {
    if (!this.solved.size) return "";
    const right = [...this.solved.values()].filter(Boolean).length;
    const asked = this.walk.steps.filter((step) => isAsked(this.walk, step)).length;
    return `<div class="quiet">${right} of ${asked} steps right at the first try</div>`;
  }

  // Where in the walk this is: the slider, its words, the chapter.
  mark() {
    const [slider, where] = [this.part("slider"), this.part("where")];
    slider.value = this.position;
    where.textContent = `${this.position} / ${this.last} · ${this.step.pass}`;
    slider.setAttribute("aria-valuetext", where.textContent);
    const chapters = [...this.part("chapters").children];
    const begun = chapters.map(({ value }) => Number(value)).filter((at) => at <= this.position);
    const here = chapters.findLastIndex(({ value }) => Number(value) === Math.max(...begun));
    for (const [k, chapter] of chapters.entries()) chapter.classList.toggle("here", k === here);
    this.part("chapters").scrollLeft = (chapters[here]?.offsetLeft ?? 0) - 24; // one row on a phone
    this.part("note").innerHTML = this.walk.chapters[here]?.note ?? "";
  }

  // The tools of training, as they stand.
  tools() {
    const { walk } = this;
    const learns = !walk.asks && walk.steps.some(({ pass }) => pass === "update");
    this.part("tools").hidden = !learns || (this.step.pass !== "update" && !walk.losses.length);
    this.part("reset").hidden = !walk.leaves.size && walk.rate === this.rate;
    const eta = this.part("eta");
    if (eta !== this.root.getRootNode().activeElement) eta.value = String(walk.eta);
    for (const choice of this.part("signs").children)
      choice.classList.toggle("here", Number(choice.value) === walk.sign);
    for (const choice of this.part("batches").children)
      choice.classList.toggle("here", Boolean(choice.value) === walk.batch);
    this.part("epoch").hidden = !walk.samples || walk.batch;
    if (walk.samples) {
      const { length } = walk.samples.rows;
      this.part("sample").textContent = walk.isSample()
        ? `sample ${walk.sample + 1} of ${length}`
        : `none of ${plural(length, "sample")}`;
      this.part("epoch").textContent = `epoch (${plural(length, "update")})`;
    }
    this.part("curve").innerHTML = curve(walk);
    this.plane();
  }

  // Go to a position, no longer playing.
  move(to) {
    this.play(false);
    this.go(to);
  }

  // Change the numbers, and show what follows.
  change(act) {
    act();
    this.go(this.position);
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = 0;
    if (on) {
      if (this.position === this.last) this.go(0);
      const next = () => {
        if (!this.host.isConnected) return this.play(false);
        this.go(this.position + 1);
        if (this.position === this.last || this.part("quiz")) this.play(false);
      };
      this.timer = setInterval(next, PACE * Number(this.part("pace").value));
    }
    const button = this.part("play");
    button.textContent = this.timer ? "pause" : "play";
    button.title = `${button.textContent} (Space)`;
  }

  // So many updates, each of which is seen, or as many as a picture has time for.
  learn(times) {
    this.play(false);
    cancelAnimationFrame(this.turn);
    if (this.step.pass !== "update") this.position = this.last;
    let left = times;
    const turn = () => {
      const start = performance.now();
      const rest = Math.max(0, left - STRIDE);
      let going = true;
      for (; left > rest && going && performance.now() - start < 12; left--)
        going = this.walk.again();
      this.go(this.position);
      if (!going) this.part("alerts").innerHTML += ended(this.walk);
      else if (left && this.host.isConnected) this.turn = requestAnimationFrame(turn);
    };
    turn();
  }

  zoom(by) {
    this.picture.scale(by ? this.picture.zoom * by : 0);
    this.picture.intoView(this.picture.lit[0]);
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  // Every step on a page of its own, for the printer.
  print() {
    const here = this.position;
    const sheets = this.walk.steps.map((_, at) => {
      this.go(at);
      return `<section class="sheet"><div class="stage">${this.picture.svg.outerHTML}</div>
        <div class="panel"><div>${this.part("text").innerHTML}</div></div></section>`;
    });
    this.go(here);
    const paper = document.createElement("iframe");
    paper.hidden = true;
    const style = this.style.textContent.replaceAll(":host", ":root");
    paper.srcdoc = `<style>${style}</style>${sheets.join("")}`;
    paper.addEventListener("load", () => {
      paper.contentWindow.addEventListener("afterprint", () => paper.remove());
      paper.contentWindow.print();
    });
    this.root.append(paper);
  }

  // What each button does, by its class.
  acts = {
    first: () => this.move(0),
    previous: () => this.move(this.position - 1),
    next: () => this.move(this.position + 1),
    last: () => this.move(this.last),
    play: () => this.play(!this.timer),
    smaller: () => this.zoom(0.8),
    larger: () => this.zoom(1.25),
    fit: () => this.zoom(0),
    hide: () => this.root.classList.toggle("bare"),
    print: () => this.print(),
    full: () => this.fill(),
    again: () => this.learn(1),
    run: () => this.learn(RUN),
    epoch: () => {
      if (this.walk.sample < 0) this.walk.choose(0);
      this.learn(this.walk.samples.rows.length);
    },
    reset: () => {
      cancelAnimationFrame(this.turn);
      this.walk.rate = this.rate;
      this.change(() => this.walk.reset());
    },
    before: () => this.change(() => this.walk.choose(Math.max(this.walk.sample, 0) - 1)),
    after: () => this.change(() => this.walk.choose(this.walk.sample + 1)),
  };

  keys = {
    Home: this.acts.first,
    End: this.acts.last,
    ArrowLeft: this.acts.previous,
    ArrowUp: this.acts.previous,
    ArrowRight: this.acts.next,
    ArrowDown: this.acts.next,
    " ": this.acts.play,
    "-": this.acts.smaller,
    "+": this.acts.larger,
    0: this.acts.fit,
    h: this.acts.hide,
    p: this.acts.print,
    f: this.acts.full,
  };

  listen() {
    const { walk } = this;
    const on = (name, event, act) => this.part(name).addEventListener(event, act);
    for (const [name, act] of Object.entries(this.acts)) on(name, "click", act);
    on("slider", "input", ({ target }) => this.move(Number(target.value)));
    on("pace", "change", () => this.timer && this.play(true));
    on("signs", "click", ({ target }) =>
      this.change(() => {
        walk.sign = Number(target.value) || walk.sign;
      }),
    );
    on("batches", "click", ({ target }) => {
      if (target.value === undefined) return;
      walk.batch = Boolean(target.value);
      this.change(() => walk.compute());
    });
    const eta = this.part("eta");
    let typedOver = walk.eta;
    on("eta", "focus", () => {
      typedOver = walk.eta;
    });
    on("eta", "input", () => {
      const typed = parse(eta.value);
      const wrong = !(typed > 0 && Number.isFinite(typed));
      eta.setAttribute("aria-invalid", wrong);
      walk.eta = wrong ? typedOver : typed;
      this.go(this.position);
    });
    eta.keys = { Enter: () => eta.ariaInvalid !== "true" && this.acts.again() };
    this.picture.svg.addEventListener("click", ({ target }) => {
      const node = target.closest(".node");
      if (node) this.move(jump(walk, Number(node.id.slice(1)), this.position));
    });
  }

  // A notebook listens for keys on the whole document: 'j' selects the next cell.  So while the
  // focus is here, the stepper sees keys first, on the window, and the page never does.
  hearKeys() {
    const { root } = this;
    const leave = () => window.removeEventListener("keydown", key, true);
    const key = (event) => {
      const path = event.composedPath();
      if (!path.includes(root)) return leave(); // an output that was replaced while it had the focus
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      if (modified || event.key === "Tab" || (event.key === "Enter" && event.shiftKey)) return;
      const [target] = path;
      const typing = target.matches("[type='text']");
      if (event.key === "Escape" && !typing) return;
      event.stopImmediatePropagation();
      if ((event.key === " " && target.matches("button")) || target.matches("select")) return;
      const act = typing
        ? target.keys?.[event.key]
        : (this.inPicture(target, event.key) ?? this.keys[event.key]);
      if (!act) return;
      event.preventDefault();
      act();
    };
    root.addEventListener("focusin", () => window.addEventListener("keydown", key, true));
    root.addEventListener("focusout", leave);
    root.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("button, input, select, label, .leaf"))
        root.focus({ preventScroll: true });
    });
  }

  // What a key does to the leaf or the node that has the focus in the picture.
  inPicture(target, key) {
    const { walk, touch } = this;
    if (target.matches(".node, .wire:not(.leaf)") && key === "Enter")
      return () => this.move(jump(walk, Number(target.id.slice(1)), this.position));
    if (!target.matches(".leaf")) return null;
    const i = touch.leafOf(target);
    const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[key];
    if (by) return () => this.change(() => walk.set(i, moved(walk.now.data[i], by)));
    return key === "Enter" ? () => touch.type(i, target.querySelector("text.value")) : null;
  }

  // Whether the page is about this stepper, and its address too.
  isAlone() {
    return this.host.matches("body > .micrograd-stepper:only-of-type");
  }

  // The state in the address, so that a link shows the same numbers at the same step; the page
  // around hears of the leaves that moved.
  remember() {
    const { walk, position } = this;
    const rate = walk.rate === this.rate ? undefined : walk.rate;
    const detail = { leaves: [...walk.leaves], rate };
    this.host.dispatchEvent(new CustomEvent("moved", { detail }));
    if (!this.isAlone()) return;
    const state = new URLSearchParams({ step: position });
    for (const [i, x] of walk.leaves) state.set(this.keyOf(i), x);
    if (rate) state.set("η", rate);
    try {
      if (position || walk.leaves.size || location.hash)
        history.replaceState(history.state, "", `#${state}`);
    } catch {} // a frame has no address
  }

  // What a leaf is called there: its name, or its number where another is spelled alike.
  keyOf(i) {
    const key = this.spelled[i];
    const alike = this.spelled.filter((other) => other === key).length;
    return alike > 1 || key === "step" || key === "η" ? `v${i + 1}` : key;
  }

  recall() {
    if (!this.isAlone()) return;
    const { walk } = this;
    const state = new URLSearchParams(location.hash.slice(1));
    walk.reset();
    for (const [i, node] of walk.nodes.entries()) {
      const x = Number(state.get(this.keyOf(i)) || NaN);
      if (!node.inputs && Number.isFinite(x)) walk.set(i, x);
    }
    walk.rate = Number(state.get("η")) || this.rate;
    this.position = Number.parseInt(state.get("step"), 10) || 0;
  }
}
