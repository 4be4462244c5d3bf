{
  const film = JSON.parse(document.getElementById("data").textContent);
  const find = (selector) => document.querySelector(selector);
  const slider = find(".slider");
  const play = find(".play");
  const last = film.epochs.length - 1;
  const SVG = "http://www.w3.org/2000/svg";

  const make = (parent, name, attributes, text = "") => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return parent.appendChild(element);
  };

  // three significant digits, with a true minus sign
  const number = (x) => {
    if (x === null) return "–";
    const size = Math.abs(x);
    if (!size || (size >= 1e-4 && size < 1e6)) return String(+x.toPrecision(3)).replace("-", "−");
    const [mantissa, exponent] = x.toExponential(2).split("e");
    const raised = [...exponent.replace("+", "")].map(
      (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)],
    );
    return (mantissa === "1.00" ? "10" : `${mantissa}·10`).replace("-", "−") + raised.join("");
  };

  const amounts = {
    weight: film.weights,
    gradient: film.gradients,
    update: film.weights.map((now, i) =>
      now.map((w, k) => w - film.weights[Math.max(i - 1, 0)][k]),
    ),
  };
  const meanings = {
    weight: "weight w",
    gradient: "gradient ∂E/∂w of the last batch",
    update: "update: change of w since the moment before",
  };
  const largest = Object.fromEntries(
    Object.entries(amounts).map(([kind, rows]) => [kind, Math.max(0, ...rows.map(most))]),
  );

  function most(row) {
    return row.reduce((sofar, x) => Math.max(sofar, Math.abs(x ?? 0)), 0);
  }

  // width and colour of a link, on a square-root scale
  const look = (amount, kind) => {
    const strength = largest[kind] ? Math.sqrt(Math.abs(amount ?? 0) / largest[kind]) : 0;
    const end = amount > 0 ? "--grad" : "--parameter-line";
    const share = strength ? 35 + 65 * strength : 0;
    const colour = `color-mix(in srgb, var(${end}) ${share.toFixed(0)}%, var(--wire))`;
    const fade = `color-mix(in srgb, ${colour} ${(30 + 70 * strength).toFixed(0)}%, var(--page))`;
    return [0.5 + 3.5 * strength, fade];
  };

  const links = film.labels.map((_, k) => document.getElementById(`w${k}`));
  for (const [k, link] of links.entries()) {
    if (link) make(link, "title", {});
    if (link) link.dataset.name = film.labels[k];
  }

  function showNetwork(i, kind) {
    for (const [k, link] of links.entries()) {
      if (!link) continue;
      const amount = amounts[kind][i][k];
      const [width, colour] = look(amount, kind);
      for (const shape of link.querySelectorAll(":scope > path, use")) {
        shape.style.stroke = colour;
        if (shape.nodeName === "path") shape.style.strokeWidth = width;
        else shape.style.fill = colour;
      }
      link.dataset.amount = amount ?? "";
      link.querySelector("title").textContent = `${film.labels[k]}: ${number(amount)}`;
    }
    const scale = find(".network .scale");
    scale.textContent = `links: ${meanings[kind]} `;
    for (const share of largest[kind] ? [-1, -0.25, 0, 0.25, 1] : []) {
      const item = scale.appendChild(document.createElement("span"));
      const picture = make(item, "svg", { width: 30, height: 10 });
      const [width, colour] = look(share * largest[kind], kind);
      make(picture, "line", {
        x2: 28,
        y1: 5,
        y2: 5,
        style: `stroke:${colour};stroke-width:${width}`,
      });
      item.append(` ${number(share * largest[kind])}`);
    }
  }

  // a chart: its svg, and functions from numbers to places
  const chart = (figure, low, high, logarithmic, height = 190) => {
    const svg = make(figure, "svg", { viewBox: `0 0 420 ${height}`, role: "img", width: "100%" });
    const at = (y) => (logarithmic ? Math.log10(y) : y);
    const span = at(high) - at(low) || 1;
    const y = (v) => height - 26 - ((at(v) - at(low)) / span) * (height - 40);
    const ticks = [];
    if (logarithmic) {
      const every = Math.max(1, Math.ceil(span / 4));
      for (let e = Math.ceil(at(low)); e <= at(high); e += every) ticks.push(10 ** e);
    }
    for (const tick of ticks.length > 1 ? ticks : [low, high]) {
      make(svg, "line", {
        x1: 66,
        x2: 412,
        y1: y(tick),
        y2: y(tick),
        stroke: "var(--wire)",
        "stroke-width": 0.4,
      });
      make(svg, "text", { x: 60, y: y(tick) + 4, "text-anchor": "end" }, number(tick));
    }
    return { svg, y };
  };

  const curves = [["loss", film.loss, "var(--parameter-line)"]];
  if (film.validation.length) curves.push(["validation", film.validation, "var(--grad)"]);
  const losses = curves.flatMap((curve) => curve[1]).filter((x) => x !== null);
  let marker = null;
  if (losses.length) {
    const [low, high] = [Math.min(...losses), Math.max(...losses)];
    const logarithmic = low > 0 && high > 20 * low;
    const figure = find(".loss");
    const { svg, y } = chart(figure, logarithmic ? low : Math.min(0, low), high, logarithmic);
    const count = Math.max(film.loss.length, 1);
    const x = (epoch) => 66 + (346 * epoch) / count;
    for (const [, row, colour] of curves) {
      const points = row.map((v, k) => (v === null ? "" : `${x(k + 1)},${y(v)}`)).join(" ");
      make(svg, "polyline", { points, fill: "none", stroke: colour, "stroke-width": 2 });
    }
    make(svg, "text", { x: 66, y: 186 }, "epoch 0");
    make(svg, "text", { x: 412, y: 186, "text-anchor": "end" }, String(count));
    const line = make(svg, "line", { y1: 8, y2: 166, stroke: "var(--ink)", "stroke-width": 1.2 });
    marker = (epoch) => {
      line.setAttribute("x1", x(epoch));
      line.setAttribute("x2", x(epoch));
    };
    const caption = figure.querySelector("figcaption");
    for (const [name, , colour] of curves) {
      const word = caption.appendChild(document.createElement("span"));
      word.textContent = `— ${name} `;
      word.style.color = colour;
    }
    caption.append(film.loss.length ? "of each epoch" : "");
  } else find(".loss").hidden = true;

  const sizes = film.flow.flat(2).filter((x) => x > 0);
  let bars = null;
  if (sizes.length) {
    const { svg, y } = chart(find(".flow"), Math.min(...sizes), Math.max(...sizes), true);
    const count = film.flow[0].length;
    const x = (k) => 66 + (346 * (k + 0.5)) / count;
    const every = Math.ceil(count / 12);
    for (let k = 0; k < count; k += every) {
      make(
        svg,
        "text",
        { x: x(k), y: 186, "text-anchor": "middle" },
        `${count < 7 ? "layer " : ""}${k + 1}`,
      );
    }
    const group = make(svg, "g", {});
    bars = (row) => {
      group.replaceChildren();
      for (const [k, [least, mean, greatest]] of row.entries()) {
        if (!mean) continue;
        const look = { stroke: "var(--grad)", "stroke-width": 10, opacity: 0.3 };
        make(group, "line", { x1: x(k), x2: x(k), y1: y(least), y2: y(greatest) - 1, ...look });
        make(group, "circle", {
          cx: x(k),
          cy: y(mean),
          r: 5,
          fill: "var(--grad)",
          "data-mean": mean,
        });
      }
    };
  } else find(".flow").hidden = true;

  const { plane } = film;
  let region = null;
  if (plane) {
    const n = plane.size;
    const box = find(".plane div");
    const canvas = find(".plane canvas");
    canvas.width = n;
    canvas.height = n;
    const svg = make(box, "svg", { viewBox: "0 0 500 500", role: "img" });
    const x = (v) => (500 * (v - plane.low[0])) / (plane.high[0] - plane.low[0]);
    const y = (v) => 500 - (500 * (v - plane.low[1])) / (plane.high[1] - plane.low[1]);
    const over = make(svg, "g", {});
    const shade = (k) => `var(--class-${k % 10})`;
    for (const [a, b, k] of plane.points) {
      make(svg, "circle", { cx: x(a), cy: y(b), r: 5, fill: shade(k), stroke: "var(--page)" });
    }
    for (const [k, name] of plane.names.entries()) {
      const word = find(".classes").appendChild(document.createElement("span"));
      word.textContent = `● ${name} `;
      word.style.color = shade(k);
    }
    const colours = () =>
      plane.names.map((_, k) => {
        const probe = find(".classes").children[k];
        return getComputedStyle(probe)
          .color.match(/[\d.]+/g)
          .slice(0, 3)
          .map(Number);
      });
    const contour = (level) => {
      // marching squares: the pieces of the line where the level is 0
      const pieces = [];
      const place = (i, j) => [(500 * i) / (n - 1), 500 - (500 * j) / (n - 1)];
      for (let j = 0; j < n - 1; j++) {
        for (let i = 0; i < n - 1; i++) {
          const corners = [
            [i, j],
            [i + 1, j],
            [i + 1, j + 1],
            [i, j + 1],
          ];
          const ends = [];
          for (let c = 0; c < 4; c++) {
            const [p, q] = [corners[c], corners[(c + 1) % 4]];
            const [a, b] = [level[p[1] * n + p[0]], level[q[1] * n + q[0]]];
            if (a < 0 === b < 0) continue;
            const share = a / (a - b);
            ends.push(place(p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])));
          }
          for (let e = 0; e + 1 < ends.length; e += 2) {
            pieces.push(
              `M${ends[e].map((v) => v.toFixed(1))}L${ends[e + 1].map((v) => v.toFixed(1))}`,
            );
          }
        }
      }
      return pieces.join("");
    };
    region = (i) => {
      const { two, levels, lines } = plane.moments[i];
      const bytes = Uint8Array.from(atob(levels), (c) => c.charCodeAt(0));
      const level = two ? Array.from(bytes, (b) => (b - 127) / 127) : [];
      const image = new ImageData(n, n);
      const rgb = colours();
      for (let k = 0; k < n * n; k++) {
        const kind = two ? Number(level[k] > 0) : bytes[k];
        const at = 4 * ((n - 1 - Math.floor(k / n)) * n + (k % n));
        image.data.set(rgb[kind % rgb.length], at);
        image.data[at + 3] = two ? 20 + 90 * Math.abs(level[k]) : 70;
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
      over.replaceChildren();
      for (const [a, b, c, d] of lines) {
        make(over, "line", {
          x1: x(a),
          y1: y(b),
          x2: x(c),
          y2: y(d),
          stroke: "var(--quiet)",
          "stroke-dasharray": "6 5",
          "stroke-width": 1.5,
        });
      }
      const line = { fill: "none", stroke: "var(--ink)", "stroke-width": 2.5, class: "boundary" };
      if (two) make(over, "path", { d: contour(level), ...line });
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
      region(+slider.value),
    );
  } else find(".plane").hidden = true;

  function show(i) {
    slider.value = i;
    const epoch = film.epochs[i];
    const parts = [epoch ? `after epoch ${epoch} of ${film.loss.length}` : "before training"];
    for (const [name, row] of curves) {
      if (epoch && row.length) parts.push(`${name} ${number(row[epoch - 1])}`);
    }
    find(".where").textContent = parts.join(" · ");
    slider.setAttribute("aria-valuetext", parts.join(", "));
    showNetwork(i, find("[name=links]:checked").value);
    marker?.(epoch);
    bars?.(film.flow[i]);
    region?.(i);
  }

  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "play";
  };
  const toggle = () => {
    if (timer) return stop();
    if (+slider.value === last) show(0);
    play.textContent = "pause";
    timer = setInterval(() => {
      show(+slider.value + 1);
      if (+slider.value === last) stop();
    }, 150);
  };
  play.addEventListener("click", toggle);
  slider.max = last;
  slider.addEventListener("input", () => {
    stop();
    show(+slider.value);
  });
  for (const choice of document.querySelectorAll("[name=links]")) {
    choice.addEventListener("change", () => show(+slider.value));
  }
  const keys = {
    ArrowLeft: (i) => i - 1,
    ArrowRight: (i) => i + 1,
    Home: () => 0,
    End: () => last,
  };
  addEventListener("keydown", (event) => {
    const inForm = event.target.matches?.("input");
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === " " && !event.target.matches?.("button, input[type=radio]")) toggle();
    else if (event.key in keys && !inForm) {
      stop();
      show(Math.min(Math.max(keys[event.key](+slider.value), 0), last));
    } else return;
    event.preventDefault();
  });
  if (!links.some(Boolean)) find(".network").hidden = true;
  show(last);
}
