"""How large a stepper's page is, how soon it is seen, and how soon it follows an edit.

pip install '.[browser]'    # and the programs chromium, chromedriver and firefox-esr
python benchmarks/pages.py

Each time begins in a frame of its own and ends when that frame is drawn; medians of 15 rounds, in
which the browsers take turns.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from browsers import BROWSERS, Browser

from micrograd_lab import Graph, Value, lecture, step

ROUNDS = 15
SEEN = """() => new Promise((done) => {
    const look = () => {
        const [whole] = performance.getEntriesByType("navigation");
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        if (!paint) return requestAnimationFrame(look);
        done([whole.domContentLoadedEventEnd, paint.startTime]);
    };
    look();
})"""
TIMED = """(press) => new Promise((done) => {
    const root = document.querySelector(".micrograd-stepper").shadowRoot;
    const leaf = root.querySelector(".leaf");
    const up = { key: "ArrowUp", bubbles: true, composed: true };
    const acts = {
        edit: () => leaf.dispatchEvent(new KeyboardEvent("keydown", up)),
        step: () => root.querySelector(".next").click(),
    };
    if (press === "edit") root.querySelector(".last").click();
    leaf.focus({ preventScroll: true });
    setTimeout(() => requestAnimationFrame(() => {
        const start = performance.now();
        acts[press]();
        const script = performance.now() - start;
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => done([script, performance.now() - start]);
        port2.postMessage(0);
    }), 50);
})"""


def chain(nodes: int) -> Value:
    """A chain of products and tanh, which repeats itself."""
    result, count = Value(0.5, "x"), 1
    while count < nodes - 2:
        result = (result * Value(0.9, f"w_{{{count}}}")).tanh()
        count += 3
    return result


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


RESULTS = {
    "the lecture's network": lecture.network().result,
    "tangled": tangled(140),
    "chain, folded": chain(151),
    "tangled, folded": tangled(650),
    "long chain, folded": chain(637),
    "tangled, a quiz": tangled(650),  # is never folded
}
PARTS = ("script's end", "first paint", "step", "edit, script", "edit")


def measured(browser: Browser, page: Path) -> dict[str, float]:
    """The times of one round, in milliseconds."""
    browser.open(page.as_uri())
    times = dict(zip(("script's end", "first paint"), browser.ask(SEEN)))
    for press in ("step", "edit"):
        browser.ask(TIMED, press)  # once without a clock
        script, drawn = browser.ask(TIMED, press)
        times |= {f"{press}, script": script, press: drawn}
    return times


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browsers = {name: stack.enter_context(start()) for name, start in BROWSERS.items()}
        print(f"| page | browser | size | {' | '.join(PARTS)} | edit, least |")
        print(f"| -- | -- |{' -: |' * (len(PARTS) + 2)}")
        for called, result in RESULTS.items():
            title, page = f"{called}, {len(Graph(result))} nodes", folder / "page.html"
            step(result, quiz="quiz" in called).save(page)
            size = f"{page.stat().st_size / 1e3:.0f} kB"
            rounds = defaultdict(list)
            for _ in range(ROUNDS):
                for name, browser in browsers.items():
                    rounds[name].append(measured(browser, page))
            for name, all_times in rounds.items():
                middle = [statistics.median(times[part] for times in all_times) for part in PARTS]
                least = min(times["edit"] for times in all_times)
                told = " | ".join(f"{time:.1f} ms" for time in (*middle, least))
                print(f"| {title} | {name} | {size} | {told} |", flush=True)


if __name__ == "__main__":
    main()
