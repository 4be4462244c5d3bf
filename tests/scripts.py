"""The page's scripts as a program of their own, which a test asks questions."""

import json
import math
import subprocess

from micrograd_lab.drawing.showing import resource
from micrograd_lab.stepper.page import SCRIPTS, rows


def program():
    """All functions of the page, with the table as `ROWS`."""
    scripts = [resource(f"{name}.js", "micrograd_lab.stepper") for name in SCRIPTS]
    return "\n".join([*scripts, f"const ROWS = {rows()};", "join(ROWS);"])


def in_node(expression, given=None):
    """What a JavaScript expression gives for `GIVEN`, by Node."""
    source = f"{program()}\n{PLAIN}\nconst GIVEN = {json.dumps(given)};\n"
    source += f"console.log(JSON.stringify({expression}, plain_numbers))"
    run = subprocess.run(["node", "-"], input=source, capture_output=True, text=True, check=False)
    assert not run.stderr, run.stderr
    return json.loads(run.stdout)


def in_browser(browser, expression, given=None):
    """What a JavaScript expression gives for `GIVEN`, in a browser."""
    answer = f"return JSON.parse(JSON.stringify({expression}, plain_numbers))"
    return browser.ask(f"(GIVEN) => {{\n{program()}\n{PLAIN}\n{answer}\n}}", given)


# HTML as text; and numbers that JSON does not have
PLAIN = r"""
const SIGNS = { "&gt;": ">", "&lt;": "<", "&amp;": "&" };
function plain_text(html) { return html.replace(/<.*?>/g, "").replace(/&\w+;/g, (s) => SIGNS[s]) }
function plain_numbers(_, x) { return typeof x === "number" && !Number.isFinite(x) ? String(x) : x }
"""


def number_of(x):
    """A number that came as JSON, or as the text that stands for one."""
    return float(x.replace("Infinity", "inf")) if isinstance(x, str) else float(x)


def close(a, b, tolerance=1e-12):
    """Whether two numbers are the same but for rounding."""
    if math.isfinite(a) and math.isfinite(b):
        return abs(a - b) <= tolerance * max(abs(a), abs(b))
    return a == b or (math.isnan(a) and math.isnan(b))
