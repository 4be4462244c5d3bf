// The picture on the page: its numbers, which follow, and what can be touched in it.

// The SVG inside the address of the picture, as part of this page.
function inlined(address) {
  const bytes = Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0));
  const text = new TextDecoder().decode(bytes);
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  svg.setAttribute("role", "group");
  return svg;
}

class Picture {
  constructor(stage, svg, walk) {
    Object.assign(this, { stage, svg, walk, lit: [] });
    [this.width, this.height] = ["width", "height"].map(
      (side) => parseFloat(svg.getAttribute(side)) * (4 / 3),
    );
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    svg.style.aspectRatio = `${this.width} / ${this.height}`;
    svg.style.maxWidth = "none";
    this.scale(1);
    this.elements = new Map(); // of each text that can change, by its key
    this.recorded = new Map(); // what it says at the end of the record
    for (const [key, changes] of walk.texts()) {
      const element = svg.querySelector(key);
      if (!element) continue;
      this.elements.set(key, { element, shown: element.textContent });
      const told = changes.filter(([from]) => walk.steps[from].pass !== "update");
      this.recorded.set(key, told.at(-1)?.[1] ?? "");
    }
    stage.append(svg);
    for (const group of svg.querySelectorAll(".node, .wire")) {
      group.setAttribute("tabindex", 0);
      group.setAttribute("role", group.matches(".node") ? "button" : "img");
    }
    this.of = plain(walk.names[walk.result]);
    this.spoken = [...walk.picture.keys()].map((at) => {
      const name = plain(walk.several[at] ?? walk.names[walk.shows.get(at)] ?? "");
      const entries = ["value", "grad"].map((kind) => this.elements.get(`#w${at} text.${kind}`));
      const groups = ["n", "w"].map((id) => svg.querySelector(`#${id}${at}`)).filter(Boolean);
      return { name, entries, groups, label: "" };
    });
  }

  // What a screen reader says of each node and each wire, with the numbers that are seen.
  name() {
    for (const told of this.spoken) {
      const { name, entries, groups } = told;
      const [value, grad] = entries.map((entry) => entry?.now ?? "");
      const slope = grad && `, ∂${this.of}/∂${name} = ${grad}`;
      const label = [name, value && ` = ${value}`, slope].join("");
      if (label === told.label) continue;
      told.label = label;
      for (const group of groups) {
        group.setAttribute("aria-label", label);
        if (group.matches(".leaf")) group.setAttribute("aria-valuetext", value);
      }
    }
  }

  // At first as wide as the page, but with no text below 10 px and none larger than it was drawn;
  // then so many times as large, or with 0 as wide as the page.
  scale(zoom) {
    const { stage, svg, width } = this;
    const size = Math.max(0.1, Math.min(8, zoom));
    stage.classList.toggle("zoomed", zoom !== 0 && zoom !== 1);
    svg.style.minWidth = zoom === 1 ? `${(10 / 12) * width}px` : 0;
    if (zoom === 1) svg.style.width = `min(100%, ${width}px)`;
    else svg.style.width = zoom ? `${size * width}px` : "100%";
  }

  // How many times as large as it was drawn it is now.
  get zoom() {
    const { stage, svg } = this;
    const slide = stage.getBoundingClientRect().width / stage.offsetWidth;
    return (0.75 * svg.getScreenCTM().a) / slide;
  }

  // Show the numbers of a position, and say how many differ from the record.
  show(position) {
    const texts = this.walk.texts();
    let changed = 0;
    const written = [];
    for (const [key, entry] of this.elements) {
      const changes = texts.get(key) ?? [];
      const at = changes.filter(([from]) => from <= position).at(-1);
      const text = at?.[1] ?? "";
      const { element } = entry;
      const pending = key.endsWith(".grad") && at && changes.at(-1) !== at;
      element.classList.toggle("later", !text);
      element.classList.toggle("pending", Boolean(pending));
      const final = changes.filter(([from]) => this.walk.steps[from].pass !== "update").at(-1)?.[1];
      const differs = final !== undefined && final !== this.recorded.get(key);
      element.classList.toggle("changed", differs);
      changed += differs;
      entry.now = text; // or nothing, and then it still says what it did
      if (text && text !== entry.shown) {
        entry.shown = text;
        written.push(entry);
      }
    }
    this.write(written);
    const failed = this.walk.drawn[this.walk.now.failed?.node];
    this.svg.querySelector(".failed")?.classList.remove("failed");
    this.svg.querySelector(`#n${failed}`)?.classList.add("failed");
    this.links();
    this.name();
    return changed;
  }

  // Replaces numbers by others, centred at the same points; measures all of them before it changes
  // one, for then the browser has to lay out the picture again.
  write(entries) {
    const fresh = entries.filter(({ element }) => !element.style.textAnchor);
    const boxes = fresh.map(({ element }) => element.getBBox());
    for (const [k, { x, width }] of boxes.entries()) {
      fresh[k].element.setAttribute("x", x + width / 2);
      fresh[k].element.style.textAnchor = "middle";
    }
    for (const { element, shown } of entries) element.textContent = shown;
  }

  // Width and colour of the links that stand for weights.
  links() {
    const { neurons, now } = this.walk;
    const links = Object.entries(neurons ?? {}).flatMap(([at, [, weights]]) =>
      weights.map((i, k) => [`e${at}_${k}`, i]),
    );
    const sizes = links.map(([, i]) => Math.abs(now.data[i]));
    const largest = Math.max(...sizes.filter(Number.isFinite));
    for (const [id, i] of links) {
      const strength = Math.sqrt(Math.min(Math.abs(now.data[i]) / largest, 1)) || 0;
      const share = 35 + 65 * strength;
      const sign = now.data[i] > 0 ? "--grad" : "--accent";
      const colour = `color-mix(in srgb, var(${sign}) ${share}%, var(--wire))`;
      for (const shape of this.svg.querySelectorAll(`#${id} :is(path, polyline)`)) {
        shape.style.strokeWidth = 0.8 + 2.7 * strength;
        shape.style.stroke = colour;
      }
      for (const shape of this.svg.querySelectorAll(`#${id} polygon`)) {
        shape.style.fill = colour;
        if (shape.points.length < 5) shape.style.stroke = colour; // a head, no stretch of wire
      }
    }
  }

  // Light up a step: its node, the wire out of it, and the wires into it.
  light(step) {
    const { pass, at, nodes } = step;
    for (const element of this.lit) element.classList.remove("now", "lit", "forward", "backward");
    const ids = at < 0 ? [] : [`n${at}`];
    const wires = at < 0 ? [] : [`w${at}`];
    if (pass === "update") for (const i of nodes) wires.push(`w${this.walk.drawn[i]}`);
    else if (pass !== "start")
      for (const [reader, inputs] of this.walk.picture.entries())
        for (const [k, x] of inputs.entries()) {
          if (reader === at && pass !== "seed") wires.push(`w${x}`, `e${at}_${k}`);
          if (x === at) wires.push(`e${reader}_${k}`); // on to what reads it
        }
    const find = (id) => this.svg.querySelector(`#${id}`);
    const [nodesLit, wiresLit] = [ids, wires].map((names) => names.map(find).filter(Boolean));
    for (const node of nodesLit) node.classList.add("now");
    for (const wire of wiresLit) wire.classList.add("lit", pass === "forward" ? pass : "backward");
    this.lit = [...nodesLit, ...wiresLit];
    if (step !== this.step) this.intoView(nodesLit[0]); // and not away from what is edited
    this.step = step;
  }

  // Scrolls the picture, never the page; at once while a key is held.
  intoView(node) {
    const { stage } = this;
    const behavior = performance.now() - this.moved < 250 ? "instant" : "auto";
    this.moved = performance.now();
    if (!node) return stage.scrollTo(0, 0);
    const [box, view] = [node.getBoundingClientRect(), stage.getBoundingClientRect()];
    const left = (box.left + box.right - view.left - view.right) / 2;
    const top = (box.top + box.bottom - view.top - view.bottom) / 2;
    if (Math.abs(left) > 0.3 * view.width || Math.abs(top) > 0.3 * view.height) {
      stage.scrollBy({ left, top, behavior });
    }
  }
}

// How far one press of an arrow key moves a number: one in its second digit.
function unit(x) {
  return 10 ** (Math.floor(Math.log10(Math.max(Math.abs(x), 0.05))) - 1);
}

function moved(x, steps) {
  const by = unit(x);
  return Number((Math.round(x / by + steps) * by).toPrecision(12));
}

// The leaves can be touched: a click types a number, a drag sideways scrubs it, arrow keys move it.
// `edit(i, x)` receives each new number.
function touchable(picture, edit) {
  const { walk, svg, stage } = picture;
  const leafOf = (element) => {
    const group = element.closest?.(".wire, .edge");
    if (!group || !element.closest("text.value, .hit")) return -1;
    const [, at, k] = group.id.match(/^\w(\d+)(?:_(\d+))?$/) ?? [];
    const shown = k === undefined ? Number(at) : walk.picture[at]?.[k];
    const i = walk.shows.get(shown);
    return i !== undefined && !walk.nodes[i].inputs ? i : -1;
  };
  for (const text of svg.querySelectorAll("text.value")) {
    const i = leafOf(text);
    if (i < 0) continue;
    const box = text.getBBox();
    const hit = document.createElementNS(svg.namespaceURI, "rect");
    const [wide, high] = [Math.max(box.width + 12, 33), 33];
    hit.setAttribute("x", box.x + box.width / 2 - wide / 2);
    hit.setAttribute("y", box.y + box.height - high + 4);
    hit.setAttribute("width", wide);
    hit.setAttribute("height", high - 4);
    hit.classList.add("hit");
    text.before(hit);
    const group = text.closest(".wire, .edge");
    group.setAttribute("tabindex", 0);
    group.setAttribute("role", "spinbutton");
    group.classList.add("leaf");
  }
  let from = null;
  stage.addEventListener("pointerdown", (event) => {
    const i = leafOf(event.target);
    if (event.button || event.target.closest(".edit, .node")) return;
    if (i < 0) return pan(event);
    event.preventDefault();
    from = { i, x: event.clientX, number: walk.now.data[i], target: event.target, dragged: false };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!from) return;
    const steps = Math.trunc((event.clientX - from.x) / 4);
    if (!steps && !from.dragged) return;
    from.dragged = true;
    edit(from.i, moved(from.number, steps));
  });
  stage.addEventListener("pointerup", () => {
    if (from && !from.dragged) type(from.i, from.target);
    from = null;
  });
  stage.addEventListener("pointercancel", () => {
    from = null;
  });

  // A mouse drags the picture by its ground; a finger scrolls it anyway.
  function pan({ clientX, clientY, pointerType }) {
    if (pointerType !== "mouse") return;
    const [left, top] = [stage.scrollLeft, stage.scrollTop];
    const drag = (event) => {
      const [x, y] = [left + clientX - event.clientX, top + clientY - event.clientY];
      stage.scrollTo({ left: x, top: y, behavior: "instant" });
    };
    const end = () => removeEventListener("pointermove", drag);
    addEventListener("pointermove", drag);
    addEventListener("pointerup", end, { once: true });
  }

  // A box to type a number into, over the number.
  function type(i, target) {
    const group = target.closest(".wire, .edge");
    const box = group.querySelector("text.value").getBoundingClientRect();
    const view = stage.getBoundingClientRect();
    const input = document.createElement("input");
    const before = walk.now.data[i];
    input.type = "text";
    input.inputMode = "decimal";
    input.className = "edit";
    input.value = String(before);
    input.setAttribute("aria-label", plain(walk.names[i]));
    const scale = view.width / stage.offsetWidth; // of a slide
    const [x, y] = [(box.left + box.right) / 2 - view.left, box.top - view.top];
    const left = Math.max(0, Math.min(x / scale - 45, stage.clientWidth - 90));
    input.style.left = `${left + stage.scrollLeft}px`;
    input.style.top = `${y / scale + stage.scrollTop - 8}px`;
    let open = true;
    const end = (back) => {
      if (!open) return; // it loses the focus when it is removed, and would end again
      open = false;
      input.remove();
      if (back) edit(i, before);
      group.focus({ preventScroll: true });
    };
    const by = (steps) => () => {
      const x = parse(input.value);
      if (!Number.isFinite(x)) return;
      input.value = String(moved(x, steps));
      edit(i, moved(x, steps));
    };
    input.keys = {
      Enter: () => end(false),
      Escape: () => end(true),
      ArrowUp: by(1),
      ArrowDown: by(-1),
      PageUp: by(10),
      PageDown: by(-10),
    };
    input.addEventListener("input", () => {
      const x = parse(input.value);
      const wrong = x === null || !Number.isFinite(x);
      input.setAttribute("aria-invalid", wrong);
      edit(i, wrong ? before : x);
    });
    input.addEventListener("blur", () => end(false));
    stage.append(input);
    input.select();
    input.focus({ preventScroll: true });
  }

  return { leafOf: (group) => leafOf(group.querySelector("text.value") ?? group), type };
}
