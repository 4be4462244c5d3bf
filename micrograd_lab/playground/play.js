// The playground: an expression or an example becomes a page to step through, by asking Python.
//
// The address has what was asked, after the "?", and what was changed since, after the "#", which is
// the stepper's own: it is alone in the body of this page.
import { connect } from "./answer.js";

const PATIENCE = 250; // milliseconds after a key until Python is asked
const SLOW = 400; // milliseconds after which one is told that it takes time
const PIXELS = 2; // of a PNG, for each of a page
const find = (selector) => document.querySelector(selector);
const form = find("form");
const { expression, numbers } = form.elements;
const first = JSON.parse(find(".first").textContent);
let python; // a promise of the function that answers
let shown = first; // the last answer with a page
let turn = 0; // the last question
let waiting = 0;
const known = { ...first.numbers }; // every number so far of a name in an expression
let changed = {}; // the numbers that were changed in the picture, by name
let { search: asked, sought: place } = { search: location.search, sought: window.sought };

// What the form asks for.
const question = () => ({ example: form.dataset.example, expression: expression.value });

// Numbers as they are typed, `w=-2 x=5`; of what cannot be read, an error.
function typed() {
  const words = numbers.value.trim().split(/[\s,;]+/);
  return Object.fromEntries(words.filter(Boolean).map(number));
}

function number(word) {
  const [, name, x] = word.replace("−", "-").match(/^([^=]+)=(.+)$/) ?? [];
  if (x === undefined || !Number.isFinite(Number(x)))
    throw Error(`${word} is not NAME=NUMBER, such as w=-2`);
  return [name, Number(x)];
}

const words = (known) =>
  Object.entries(known)
    .map((pair) => pair.join("="))
    .join(" ");

function say(text, kind = "") {
  const state = find(".state");
  state.textContent = text;
  state.className = `state ${kind}`;
}

// Ask for the page of what is in the form, and show it; if it `returns`, where the address says.
async function show(returns = false) {
  clearTimeout(waiting);
  const now = ++turn;
  const sought = question();
  try {
    sought.numbers = sought.example ? {} : { ...known, ...typed() };
  } catch (error) {
    return say(error.message, "wrong");
  }
  const ask = await python;
  const slow = setTimeout(() => say("computing"), SLOW);
  const answer = await ask(sought);
  clearTimeout(slow);
  if (now !== turn) return; // another was asked meanwhile
  if (answer.error) return say(answer.error, "wrong");
  say("");
  shown = answer;
  Object.assign(known, sought.example ? {} : answer.numbers);
  if (!sought.example && numbers !== document.activeElement) numbers.value = words(answer.numbers);
  if (returns) history.replaceState(null, "", asked + place);
  else remember(sought);
  const part = document.createRange().createContextualFragment(answer.html);
  find(".micrograd-stepper").replaceWith(part);
  code(answer.code);
  listen();
}

// The question in the address; after another example, with a way back.
function remember({ example, expression }) {
  const state = new URLSearchParams(example ? { example } : { expression });
  if (!example) state.set("numbers", words(shown.numbers));
  const before = new URLSearchParams(asked).get("example") ?? "";
  asked = `?${state}`;
  history[before === example ? "replaceState" : "pushState"](null, "", asked);
}

// What the address asks for.
function recall() {
  const state = new URLSearchParams(asked);
  choose(state.get("example") ?? "");
  const typed = state.get("expression") ?? first.expression;
  expression.value = form.dataset.example ? "" : typed;
  numbers.value = state.get("numbers") ?? (state.has("expression") ? "" : words(first.numbers));
}

function choose(example) {
  const choices = [...form.querySelectorAll(".examples button")];
  form.dataset.example = choices.some(({ value }) => value === example) ? example : "";
  for (const choice of choices)
    choice.setAttribute("aria-pressed", choice.value === form.dataset.example);
  find(".numbers").hidden = Boolean(form.dataset.example);
}

function code(text) {
  find("pre code").textContent = text;
}

// Follow what is changed in the picture.
function listen() {
  changed = {};
  find(".micrograd-stepper").addEventListener("moved", async ({ detail }) => {
    const names = shown.names;
    const moved = Object.fromEntries(detail.map(([i, x]) => [names[i], x]));
    if (JSON.stringify(moved) === JSON.stringify(changed)) return;
    changed = moved;
    Object.assign(known, form.dataset.example ? {} : changed);
    if (!form.dataset.example) numbers.value = words({ ...shown.numbers, ...changed });
    const asked = turn;
    const answer = await (await python)(present("code"));
    if (asked === turn && moved === changed && answer.code) code(answer.code);
  });
}

// What is seen, as a question.
function present(wants) {
  const { example } = form.dataset;
  return { ...question(), numbers: example ? changed : { ...shown.numbers, ...changed }, wants };
}

async function save(kind) {
  say("saving");
  const answer = await (await python)(present(kind === "png" ? "svg" : kind));
  if (answer.error) return say(answer.error, "wrong");
  say("");
  const types = { html: "text/html", svg: "image/svg+xml", tex: "text/x-tex" };
  const file =
    kind === "png" ? await png(answer.file) : new Blob([answer.file], { type: types[kind] });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${form.dataset.example || "graph"}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// A PNG is light, as all are.
async function png(svg) {
  const light = svg.replace("color-scheme:light dark", "color-scheme:light");
  const img = new Image();
  img.src = URL.createObjectURL(new Blob([light], { type: "image/svg+xml" }));
  await img.decode();
  const canvas = document.createElement("canvas");
  canvas.width = PIXELS * img.width;
  canvas.height = PIXELS * img.height;
  canvas.getContext("2d").drawImage(img, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
form.addEventListener("input", ({ target }) => {
  if (target === expression) choose("");
  clearTimeout(waiting);
  waiting = setTimeout(() => show(), PATIENCE);
});
form.addEventListener("click", ({ target }) => {
  if (!target.value || target.type !== "button") return;
  choose(target.value);
  expression.value = "";
  show();
});
find(".save").addEventListener("click", ({ target }) => target.value && save(target.value));
find(".copy").addEventListener("click", async ({ target }) => {
  await navigator.clipboard.writeText(find("pre code").textContent);
  target.textContent = "copied";
  setTimeout(() => {
    target.textContent = "copy";
  }, 1500);
});
addEventListener("popstate", () => {
  if (location.search === asked) return;
  [asked, place] = [location.search, location.hash];
  recall();
  show(true);
});

recall();
listen();
if (asked) find(".micrograd-stepper").classList.add("old");
python = connect(say);
python.then(
  () => (asked ? show(true) : say("")),
  (error) => say(`Python could not start: ${error.message ?? error}`, "wrong"),
);
