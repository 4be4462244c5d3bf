// The Python that answers the playground's questions, in a thread of its own.
import { loadPyodide } from "../python/micrograd.mjs";

const progress = (bytes, all) => postMessage({ share: bytes / all });
try {
  const python = await loadPyodide({ progress });
  const answer = python.runPython(
    "from micrograd_lab.playground.answers import answer, page; page(); answer",
  );
  addEventListener("message", ({ data }) => postMessage({ answer: answer(data) }));
  postMessage({ ready: true });
} catch (error) {
  postMessage({ error: `${error.message ?? error}`.trim().split("\n").at(-1) });
}
