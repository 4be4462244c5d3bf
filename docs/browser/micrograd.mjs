// Python in a page or in a module worker, with micrograd_lab and a Graphviz to draw with.
//
//   import { loadPyodide } from "./python/micrograd.mjs";
//   const python = await loadPyodide({ progress: (bytes, all) => { bar.value = bytes / all; } });
//   python.runPython("from micrograd_lab import *; draw(Value(2) * Value(3)).svg");
//
// Everything comes from the folder of this file, wherever it is. The options are those of Pyodide,
// `progress`, which is told how many bytes of how many are there (all, when Python starts), and
// `wheels`, the addresses of more packages.

import { SIZES } from "./sizes.mjs"; // of each file of this folder that is loaded, in bytes

const HERE = new URL(".", import.meta.url).href;
const ALL = Object.values(SIZES).reduce((sum, size) => sum + size, 0);

export async function loadPyodide({ progress, wheels = [], ...options } = {}) {
  let there = 0;
  const add = (bytes) => {
    there += bytes;
    progress?.(there, ALL);
  };
  const module = async (name) => {
    const exported = await import(HERE + name);
    add(SIZES[name]);
    return exported;
  };
  const own = Object.keys(SIZES).filter((name) => name.endsWith(".whl"));
  const fetched = globalThis.fetch;
  globalThis.fetch = async (...request) => counted(await fetched(...request), add);
  try {
    const [python, viz, , ...archives] = await Promise.all([
      module("pyodide.mjs").then((it) => it.loadPyodide({ ...options, indexURL: HERE })),
      module("viz.js").then((it) => it.instance()),
      module("pyodide.asm.mjs"),
      ...[...own.map((name) => HERE + name), ...wheels].map(bytes),
    ]);
    const extractDir = python.runPython("import site; site.getsitepackages()[0]");
    for (const archive of archives) python.unpackArchive(archive, "wheel", { extractDir });
    python.pyimport("importlib").invalidate_caches();
    python.registerJsModule("graphviz_wasm", { render: (dot) => render(viz, dot) });
    return python;
  } finally {
    globalThis.fetch = fetched;
  }
}

async function bytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
}

// The answer, whose bytes are counted as they come.  It has to be the browser's own: an answer made
// of its bytes would have Chromium compile Pyodide anew on each visit, which takes two seconds.
function counted(answer, add) {
  if (answer.ok && answer.url.startsWith(HERE) && answer.url.slice(HERE.length) in SIZES) {
    const count = new WritableStream({ write: (chunk) => add(chunk.byteLength) });
    const copied = answer.clone().body.pipeTo(count);
    copied.catch(() => {}); // whoever reads the answer is told
  }
  return answer;
}

// The SVG of a graph in DOT; throws an Error with Graphviz's words.
function render(viz, dot) {
  const { status, output, errors } = viz.render(dot, { format: "svg" });
  if (status === "success") return output;
  throw new Error(errors.map((error) => error.message).join("; ") || "no picture");
}
