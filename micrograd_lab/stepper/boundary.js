// The plane of two inputs: which target fits best where, and the samples as points.
//
// A point of the plane has the colour of the target that gives the smallest loss there, the stronger
// the larger its lead.  So the boundary is where two targets fit equally well, whatever the loss: an
// output of ½ for a squared error of targets 0 and 1, a score of 0 for a cross entropy.
const CLASSES = 5; // of more targets, only the smallest and the largest have a colour
const SIDE = 40; // points of the grid in a row
const WORK = 120_000; // numbers that a picture may compute; a larger network has a coarser grid
const MARKS = [
  "M-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0",
  "M-2.4-2.4h4.8v4.8h-4.8z",
  "M0-3.2L3 2.2H-3z",
  "M0-3.4L3.4 0 0 3.4-3.4 0z",
  "M0 3.2L3-2.2H-3z",
];

// The plane in an element, if the samples are points in it; `choose(k)` receives a chosen sample.
// Gives the function that shows the present numbers.
function plane(element, walk, choose) {
  if (walk.samples?.inputs.length !== 3) return () => {};
  const { rows, inputs } = walk.samples;
  const [x, y, t] = inputs;
  const targets = [...new Set(rows.map((row) => row[2]))].sort((a, b) => a - b);
  const classes = targets.length > CLASSES ? [targets[0], targets.at(-1)] : targets;
  const ranges = [0, 1].map((k) => range(rows.map((row) => row[k])));
  const side = gridOf(walk, classes.length);
  const grid = new Map([
    [x, Float64Array.from({ length: side ** 2 }, (_, k) => between(ranges[0], k % side, side))],
    [
      y,
      Float64Array.from({ length: side ** 2 }, (_, k) =>
        between(ranges[1], side - 1 - Math.floor(k / side), side),
      ),
    ],
  ]);
  const names = [x, y, t].map((i) => math(walk.names[i]));
  element.innerHTML = frameOf(names, ranges, classes, rows);
  element.hidden = false;
  const [canvas, svg, ring, told] = ["canvas", "svg", ".ring", ".told-by"].map((it) =>
    element.querySelector(it),
  );
  canvas.width = side;
  canvas.height = side;
  const place = ([a, b]) => [100 * share(ranges[0], a), 100 - 100 * share(ranges[1], b)];
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top].map(
      (z) => (100 * z) / box.width,
    );
    const away = rows.map((row) => Math.hypot(...place(row).map((z, k) => z - at[k])));
    choose(away.indexOf(Math.min(...away)));
  });
  let shown = null;
  let colours = "";
  return () => {
    const marks = [...element.querySelectorAll(".mark")];
    const now = marks.map((mark) => getComputedStyle(mark).color);
    if (shown === walk.now && colours === String(now)) return;
    [shown, colours] = [walk.now, String(now)];
    const losses = lossesOf(walk, grid, t, classes);
    paint(canvas, losses, now.map(rgb), classes);
    const [a, b] = place([walk.now.data[x], walk.now.data[y]]);
    ring.setAttribute("cx", Math.max(1, Math.min(99, a)));
    ring.setAttribute("cy", Math.max(1, Math.min(99, b)));
    if (targets.length > CLASSES) return;
    const ours = lossesOf(walk, samplesGiven(walk.samples), t, classes);
    const right = rows.filter((row, k) => classes[leader(ours, k).best] === row[2]).length;
    told.textContent = `${right} of ${plural(rows.length, "sample")} on the right side`;
  };
}

// The loss of each target, for each point.
function lossesOf(walk, given, t, classes) {
  const [{ length }] = given.values();
  return classes.map((target) => {
    const data = columns(walk, new Map([...given, [t, new Float64Array(length).fill(target)]]));
    return spread(data[walk.result], length);
  });
}

// Which target has the smallest loss at point k, and how far the next one is behind.
function leader(losses, k) {
  let [best, smallest, next] = [-1, Infinity, Infinity];
  for (const [which, { [k]: loss }] of losses.entries()) {
    if (loss < smallest) [best, smallest, next] = [which, loss, smallest];
    else if (loss < next) next = loss;
  }
  return { best, lead: next - smallest };
}

function paint(canvas, losses, colours, classes) {
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(canvas.width, canvas.height);
  const unit = (classes.at(-1) - classes[0]) ** 2 / 2 || 1; // the lead of a perfect squared error
  for (let k = 0; k < canvas.width * canvas.height; k++) {
    const { best, lead } = leader(losses, k);
    if (best < 0) continue; // undefined there
    const strength = Number.isFinite(lead) ? Math.min(1, 0.12 + (1.1 * lead) / (lead + unit)) : 1;
    picture.data.set([...colours[best], 255 * strength], 4 * k);
  }
  pen.putImageData(picture, 0, 0);
}

// Points in a row of the grid, so that it can be drawn again while a number is dragged.
function gridOf({ nodes, samples }, classes) {
  const moves = new Set(samples.inputs);
  for (const [i, node] of nodes.entries()) if (node.inputs?.some((x) => moves.has(x))) moves.add(i);
  return Math.max(12, Math.min(SIDE, Math.floor(Math.sqrt(WORK / (moves.size * classes)))));
}

// From the smallest to the largest number, with room around, in short numbers.
function range(numbers) {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const room = 0.25 * (high - low) || Math.abs(low) || 1;
  const unit = 10 ** Math.floor(Math.log10(room));
  const short = (x) => Number((x * unit).toPrecision(12));
  return [short(Math.floor((low - room) / unit)), short(Math.ceil((high + room) / unit))];
}

const between = ([low, high], k, side) => low + ((k + 0.5) * (high - low)) / side;
const share = ([low, high], x) => (x - low) / (high - low);

function rgb(colour) {
  return colour
    .match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number);
}

function frameOf([x, y, t], ranges, classes, rows) {
  const [[left, right], [bottom, top]] = ranges.map((ends) =>
    ends.map((end) => value(asGiven(end))),
  );
  const [low, high] = [classes[0], classes.at(-1)];
  const some = rows.some((row) => !classes.includes(row[2])); // the others are in between
  const mark = (which, colour, more = "") =>
    `<path d="${MARKS[which]}" style="color: ${colour}" ${more}/>`;
  const points = rows.map(([a, b, target]) => {
    const at = [100 * share(ranges[0], a), 100 - 100 * share(ranges[1], b)];
    const which = some ? 0 : classes.indexOf(target);
    const part = (100 * (target - low)) / (high - low);
    const colour = some
      ? `color-mix(in srgb, var(--class-1) ${part}%, var(--class-0))`
      : `var(--class-${which})`;
    return mark(which, colour, `transform="translate(${at.map((z) => z.toFixed(1))})"`);
  });
  const legend = classes.map(
    (target, which) =>
      `<span><svg viewBox="-4 -4 8 8" aria-hidden="true">${mark(
        some ? 0 : which,
        `var(--class-${which})`,
        'class="mark"',
      )}</svg>
      ${t} = ${asGiven(target)}</span>`,
  );
  return `<div class="up"><span>${top}</span><span>${y}</span><span>${bottom}</span></div>
    <div class="field"><canvas></canvas><svg viewBox="0 0 100 100" aria-hidden="true">
      ${points.join("")}<circle class="ring" r="5"/></svg></div>
    <div class="across"><span>${left}</span><span>${x}</span><span>${right}</span></div>
    <div class="legend">${legend.join("")}<span class="told-by quiet"></span></div>`;
}
