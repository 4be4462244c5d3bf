"""The notebooks in JupyterLite, with the package and a Graphviz, and with nothing but the site."""

import time

import pytest
from browsers import Walk, start, until

pytestmark = pytest.mark.slow
MIDDLE = """(css, text) => {
  const found = [...document.querySelectorAll(css)].find((it) => it.textContent.includes(text));
  found?.scrollIntoView({ block: "nearest" });
  const { x, y, width, height } = found?.getBoundingClientRect() ?? { width: 0 };
  return width ? [x + width / 2, y + height / 2] : null;
}"""
READY = """() => document.querySelector(".jp-Notebook .jp-CodeCell")
  && document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status"""
PROMPTS = """() => [...document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputPrompt")]
  .map((it) => it.textContent)"""
ERRORS = """() => [...document.querySelectorAll('[data-mime-type$=".stderr"]')]
  .map((it) => it.textContent)"""


@pytest.fixture
def chromium(site):
    if not (site / "lab").is_dir():
        pytest.skip("needs python docs/browser/fetch.py")
    with start("chromium", offline=True) as browser:
        yield browser


def click(browser, css, text=""):
    """Click on the first element that has a text, as soon as it can be seen."""
    browser.click(*until(lambda: browser.ask(MIDDLE, css, text), 60))


def run_all(browser):
    """Run all cells of the notebook that is open; their prompts, and what went wrong."""
    until(lambda: browser.ask(READY), 60)
    click(browser, ".lm-MenuBar-item", "Run")
    time.sleep(0.5)  # a menu that has just opened takes no click
    click(browser, ".lm-Menu-item", "Run All Cells")
    until(lambda: "[*]:" in browser.ask(PROMPTS))
    until(lambda: "[*]:" not in browser.ask(PROMPTS), 120)
    return browser.ask(PROMPTS), browser.ask(ERRORS)


def test_a_notebook_runs_from_its_page_without_a_network(chromium, address):
    chromium.open(f"{address}notebooks/1_toy_graph.html")
    click(chromium, ".running a")
    prompts, errors = run_all(chromium)
    assert not errors
    assert prompts == [f"[{i + 1}]:" for i in range(len(prompts))]
    walk = Walk(chromium)
    walk.press("next")
    walk.press("next")
    assert walk.position == 2
    assert len(walk.numbers("value")) > 1


def test_a_cell_says_that_matplotlib_is_missing(chromium, address, site):
    if list((site / "python").glob("matplotlib-*")):
        pytest.skip("this site has Matplotlib")
    chromium.open(f"{address}lab/notebooks/index.html?path=8_gpt.ipynb")
    prompts, (error,) = run_all(chromium)
    assert prompts[0] == "[1]:"
    assert "matplotlib is not in this site's Python" in error
