"""How large a stepper's page is, and how soon it answers, in headless Chromium.

pip install '.[browser]'    # and the programs chromium and chromedriver
python benchmarks/stepper.py
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from shutil import which

from selenium import webdriver

from micrograd_lab import Graph, Value, step

NODES = 650
MEASURE = """
const done = arguments[0], times = [];
const root = document.querySelector(".micrograd-stepper").shadowRoot;
(function press() {
  const start = performance.now();
  root.querySelector(".next").click();
  const script = performance.now() - start;
  requestAnimationFrame(() => setTimeout(() => {
    times.push([script, performance.now() - start]);
    times.length < 200 ? press() : done(times);
  }));
})()
"""


def tangled(nodes: int) -> Value:
    """A result of about so many nodes, in layers that read each other."""
    layer = [Value(0.1 * i, f"x_{{{i}}}") for i in range(6)]
    count = 6
    while count < nodes - 20:
        weights = [Value(0.3, f"w_{{{count},{i}}}") for i in range(6)]
        layer = [(w * x + y).tanh() for w, x, y in zip(weights, layer, layer[1:] + layer[:1])]
        count += 24
    result = layer[0]
    for x in layer[1:]:
        result = result + x
    return result


def main() -> None:
    result = tangled(NODES)
    options = webdriver.ChromeOptions()
    options.binary_location = which("chromium") or ""
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    service = webdriver.ChromeService(which("chromedriver"))
    with tempfile.TemporaryDirectory() as folder, webdriver.Chrome(options, service) as browser:
        page = Path(folder) / "page.html"
        step(result).save(page)
        print(f"{len(Graph(result))} nodes, a page of {page.stat().st_size / 1e6:.2f} MB")
        browser.set_script_timeout(120)
        browser.get(page.as_uri())
        for name, times in zip(
            ("script", "next frame"), zip(*browser.execute_async_script(MEASURE))
        ):
            median, worst = statistics.median(times), max(times)
            print(f"a step, {name}: median {median:.1f} ms, worst {worst:.1f} ms")


if __name__ == "__main__":
    main()
