"""How large the site's Python is, and how soon the playground and a notebook answer.

pip install '.[browser,docs,test]'    # and the programs chromium, chromedriver and firefox-esr
python docs/browser/fetch.py && python -m sphinx -W -b html docs build/site
python benchmarks/browser.py build/site

A first visit is one with a new profile; the later visits are the next two.  Medians of 3 rounds, in
seconds from the request of the page; the site comes from this machine, uncompressed.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path += [str(TESTS), str(TESTS / "project")]

from browsers import BROWSERS, Browser, until
from test_lab import PROMPTS, READY, click

ROUNDS = 3
STEPPER = "() => Boolean(document.querySelector('.micrograd-stepper')?.shadowRoot)"
ASK = """() => {
    const [field] = document.querySelector("form").elements;
    window.picture = document.querySelector(".micrograd-stepper");
    field.value = "g = sigmoid(w*x + b)";
    document.querySelector("form").requestSubmit();
}"""
ANSWERED = "() => window.picture !== document.querySelector('.micrograd-stepper')"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


def play(browser: Browser, address: str) -> Iterator[tuple[str, float]]:
    """What of the playground is there, and when."""
    browser.open("about:blank")
    clock = started()
    browser.open(f"{address}play/")
    until(lambda: browser.ask(STEPPER))
    yield "the playground's first picture", clock()
    browser.ask(ASK)
    until(lambda: browser.ask(ANSWERED), 120)
    yield "it answers", clock()
    clock = started()
    browser.ask(ASK)
    until(lambda: browser.ask(ANSWERED))
    yield "and answers again, after", clock()


def notebook(browser: Browser, address: str) -> Iterator[tuple[str, float]]:
    """What of a notebook is there, and when."""
    browser.open("about:blank")
    clock = started()
    browser.open(f"{address}lab/notebooks/index.html?path=1_toy_graph.ipynb")
    until(lambda: browser.ask(READY), 120)
    yield "a notebook is shown", clock()
    click(browser, ".lm-MenuBar-item", "Run")
    time.sleep(0.5)  # a menu that has just opened takes no click
    click(browser, ".lm-Menu-item", "Run All Cells")
    until(lambda: "[1]:" in browser.ask(PROMPTS), 120)
    yield "its first cell has run", clock()
    until(lambda: "[ ]:" not in (told := browser.ask(PROMPTS)) and "[*]:" not in told, 120)
    yield "all cells have", clock()


def started() -> Callable[[], float]:
    """A clock that begins now."""
    start = time.perf_counter()
    return lambda: time.perf_counter() - start


def size(folder: Path, pattern: str) -> str:
    """The bytes of files in a folder, as they are and compressed."""
    files = [path.read_bytes() for path in folder.glob(pattern) if path.is_file()]
    packed = sum(len(gzip.compress(content)) for content in files)
    return f"{sum(map(len, files)) / 1e6:.1f} MB, {packed / 1e6:.1f} compressed"


def main() -> None:
    site = Path(sys.argv[1])
    for folder, pattern in (("python", "*"), ("python/kernel", "*"), ("lab", "**/*")):
        print(f"{folder}: {size(site / folder, pattern)}")
    handler = functools.partial(Quiet, directory=site)
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        for name, start in BROWSERS.items():
            for visits in (play, notebook):
                for _ in range(ROUNDS):
                    with start() as browser:
                        for visit in ("first", "later", "later"):
                            for what, seconds in visits(browser, address):
                                times[f"{name}: {what}", visit].append(seconds)
        server.shutdown()
    print("| | first visit, s | later visits, s |\n| -- | -: | -: |")
    for what in dict.fromkeys(what for what, _ in times):
        first, later = (statistics.median(times[what, visit]) for visit in ("first", "later"))
        print(f"| {what} | {first:.1f} | {later:.1f} |")


if __name__ == "__main__":
    main()
