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
const ask = connect((text) => {
  find(".loading").textContent = text;
});

let shown = { ...first, example: "" }; // the last answer with a page, and its question
let turn = 0; // the last question
let waiting = 0;
let typed = false; // whether the numbers are newer than the page
let moved = { leaves: {} }; // what was changed in the picture, by name, and the rate
let asked = location.search; // the question in the address
let place = window.sought; // and what was changed since
const known = {}; // every number so far of a name in an expression

const words = (known) =>
  Object.entries(known)
    .map((pair) => pair.join("="))
    .join(" ");

function say(text, kind = "") {
  const told = find(".told");
  told.textContent = text;
  told.className = `told ${kind}`;
}

// Ask for the page of what is in the form, and show it; if it `returns`, where the address says.
async function show(returns = false) {
  clearTimeout(waiting);
  const now = ++turn;
  const { example } = form.dataset;
  const question = { example, expression: expression.value, numbers: example ? {} : known };
  if (typed && !example) question.typed = numbers.value;
  const slow = setTimeout(() => say("computing"), SLOW);
  const answer = await ask({ ...question, wants: "page" });
  clearTimeout(slow);
  if (now !== turn) return; // another was asked meanwhile
  if (answer.error) return say(answer.error, "wrong");
  say("");
  typed = false;
  shown = { ...question, ...answer };
  if (!example) Object.assign(known, answer.numbers);
  if (!example && numbers !== document.activeElement) numbers.value = words(answer.numbers);
  if (returns) history.replaceState(null, "", asked + place);
  else remember();
  const part = document.createRange().createContextualFragment(answer.html);
  find(".micrograd-stepper").replaceWith(part);
  code(answer.code);
  listen();
}

// The question in the address; after another example, with a way back.
function remember() {
  const { example, expression } = shown;
  const state = new URLSearchParams(example ? { example } : { expression });
  if (!example) state.set("numbers", words(shown.numbers));
  const before = new URLSearchParams(asked).get("example") ?? "";
  asked = `?${state}`;
  history[before === example ? "replaceState" : "pushState"](null, "", asked);
}

// What the address asks for.
function recall() {
  const state = new URLSearchParams(asked);
  const text = state.get("expression");
  choose(state.get("example") ?? "");
  expression.value = form.dataset.example ? "" : lines(text ?? first.expression);
  numbers.value = state.get("numbers") ?? (text === null ? words(first.numbers) : "");
  typed = state.has("numbers") || !asked;
}

// A statement on a line is one before a semicolon.
const lines = (text) => text.trim().replace(/\s*[\r\n]+\s*/g, "; ");

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
  moved = { leaves: {} };
  find(".micrograd-stepper").addEventListener("moved", async ({ detail: { leaves, rate } }) => {
    const { names, example } = shown;
    const now = { leaves: Object.fromEntries(leaves.map(([i, x]) => [names[i], x])), rate };
    if (JSON.stringify(now) === JSON.stringify(moved)) return;
    moved = now;
    if (!example) Object.assign(known, moved.leaves);
    if (!example && !form.dataset.example && !typed)
      numbers.value = words({ ...shown.numbers, ...moved.leaves });
    const answer = await ask(present("code"));
    if (moved === now && answer.code) code(answer.code);
  });
}

// What is seen, as a question; at an update, with the numbers before it.
function present(wants) {
  const { example, expression } = shown;
  const { leaves, rate } = moved; // the rate if it is not as recorded
  const numbers = example ? leaves : { ...shown.numbers, ...leaves };
  return { example, expression, numbers, rate, wants };
}

async function save(kind) {
  say("saving");
  const answer = await ask(present(kind === "png" ? "svg" : kind));
  if (answer.error) return say(answer.error, "wrong");
  say("");
  const types = { html: "text/html", svg: "image/svg+xml", tex: "text/x-tex" };
  const file =
    kind === "png" ? await png(answer.file) : new Blob([answer.file], { type: types[kind] });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${shown.example || "graph"}.${kind}`;
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
  typed ||= target === numbers;
  clearTimeout(waiting);
  waiting = setTimeout(() => show(), PATIENCE);
});
form.addEventListener("click", ({ target }) => {
  if (!target.value || target.type !== "button") return;
  choose(target.value);
  expression.value = "";
  show();
});
expression.addEventListener("paste", (event) => {
  event.preventDefault();
  document.execCommand("insertText", false, lines(event.clipboardData.getData("text")));
});
numbers.addEventListener("blur", () => {
  if (!typed && !shown.example) numbers.value = words({ ...shown.numbers, ...moved.leaves });
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
if (asked) {
  find(".micrograd-stepper").classList.add("old");
  show(true);
} else {
  typed = false;
  Object.assign(known, first.numbers);
}
