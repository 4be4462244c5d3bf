"""Python in the browser: what the site's folder ``python`` loads, with nothing but the site."""

import pytest
from browsers import BROWSERS, start

pytestmark = pytest.mark.slow
WORKER = """
import { loadPyodide } from "ADDRESS";
let shares = [];
const loaded = loadPyodide({ progress: (bytes, all) => shares.push(bytes / all) });
onmessage = async ({ data }) => {
  try {
    const python = await loaded;
    postMessage([JSON.parse(python.runPython(`import json; json.dumps(${data})`)), shares]);
  } catch (error) {
    postMessage([`${error}`, shares]);
  }
};
"""
START = """(code) => {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  window.worker = new Worker(url, { type: "module" });
  window.run = (python) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data: [result, shares] }) => resolve({ result, shares });
    worker.onerror = () => reject(new Error("the worker failed"));
    worker.postMessage(python);
  });
}"""
SUM = "(v := __import__('micrograd_lab').Value)(2, 'x') * v(3, 'y')"


@pytest.fixture(scope="module", params=BROWSERS)
def python(request, site, address):
    """Evaluates an expression of Python in a worker; gives its value, and shares of the bytes."""
    if not (site / "python").is_dir():
        pytest.skip("needs python docs/browser/fetch.py")
    with start(request.param, offline=True) as browser:
        browser.open(f"{address}index.html")
        browser.ask(START, WORKER.replace("ADDRESS", f"{address}python/micrograd.mjs"))
        yield lambda code: browser.ask("(code) => run(code)", code)


def test_the_package_is_there_and_the_bytes_were_counted(python):
    python("__import__('os').chdir('/tmp')")  # as a notebook's kernel does
    answer = python("__import__('micrograd_lab').__version__")
    assert answer["result"] == __import__("micrograd_lab").__version__
    shares = answer["shares"]
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] == 1


def test_the_package_draws_and_steps(python):
    lab = "__import__('micrograd_lab')"
    assert python(f"{lab}.draw({SUM}).svg")["result"].count(">6</text>") == 1
    assert "micrograd-stepper" in python(f"{lab}.step({SUM}).html")["result"]


def test_graphviz_says_what_it_cannot_read(python):
    told = python("__import__('graphviz_wasm').render('digraph { a -> }')")["result"]
    assert "syntax error in line 1 near '}'" in told
