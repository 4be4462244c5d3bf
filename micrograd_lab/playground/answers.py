"""What the playground's page asks of Python, and the answers.

The code beside a picture has made it: the text that is shown is the text that runs.  What was typed
into the page is a string in it, for `expression` to read.
"""

from __future__ import annotations

import json
import math
import re
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..drawing.showing import resource
from ..drawing.themes import variables
from ..stepper.page import Stepper
from ..tell.expressions import names_read, numbers_in

_EXAMPLE = re.compile(r"^## (\w+): (.+)\n\n```python\n([^`]+\n)(.+)\n```", re.MULTILINE)
EXAMPLES: dict[str, tuple[str, str, str]] = {  # the title, the code, and its last line, by name
    name: (title, code, last)
    for name, title, code, last in _EXAMPLE.findall(resource("examples.md", __package__))
}
WANTS = ("page", "code", "html", "svg", "tex")
FIRST: dict[str, Any] = {"expression": "f = w*x + b", "numbers": {"w": -2, "x": 5, "b": 3}}


def answer(question: str | bytes) -> str:
    """The answer to a question of the page; both are JSON.

    A question has an `expression`, or the name of an `example`; `numbers` for leaves, by name, and
    those that were just `typed`, as text; the `rate` of an update, if it was changed; and what it
    `wants`: a "page", its "code" alone, or a file, "html", "svg" or "tex".  A name in an expression
    that has no number gets 1.  What cannot be answered has an `error`.

    >>> answer('{"expression": "f = w*y", "numbers": {"w": 2}, "wants": "code"}')[-28:]
    '"numbers": {"w": 2, "y": 1}}'
    """
    try:
        return json.dumps(_answer(**json.loads(question)))
    except (ArithmeticError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        return json.dumps({"error": str(error)})


def _answer(
    numbers: dict[str, float],
    expression: str = "",
    example: str = "",
    wants: str = "page",
    typed: str = "",
    rate: float | None = None,
) -> dict[str, Any]:
    if example and example not in EXAMPLES:
        raise ValueError(f"there is no example {example!r}; there are {', '.join(EXAMPLES)}")
    if wants not in WANTS:
        raise ValueError(f"there is no {wants!r} to have; there are {', '.join(WANTS)}")
    if not example:
        given = numbers_in(re.sub(r"\s*[=:]\s*", "=", typed.replace(",", " ")).split())
        read = dict.fromkeys(names_read(expression), 1.0)
        known = read | numbers | given
        numbers = {name: known[name] for name in read | given}
    for name, x in numbers.items():
        if not math.isfinite(x):
            raise ValueError(f"{name} is {x}; give a finite number")
        numbers[name] = int(x) if abs(x) < 1e15 and x == int(x) else x
    # numbers in Python's notation, which is JSON's here; many on a line each
    table = json.dumps(numbers, ensure_ascii=False, indent=4 if len(numbers) > 4 else None)
    if example:
        _, code, last = EXAMPLES[example]
        if numbers:
            (result,) = re.findall(r"step\(([\w.]+)", last)
            code = code.replace("import ", "import Graph, ", 1) + f"numbers = {table}\n"
            code += f"for leaf, name in Graph({result}).names.items():\n"
            code += "    leaf.data = numbers.get(name, leaf.data)\n"
    else:
        text, last = json.dumps(expression, ensure_ascii=False), "step(f)"
        code = "from micrograd_lab import expression, step\n\n"
        code += f"numbers = {table}\nf = expression({text}, numbers)\n"
    if rate is not None:
        last = re.sub(r"(, rate=[-.\d]+)?\)$", f", rate={float(rate):g})", last)
    told: dict[str, Any] = {"code": f"{code}{last}\n", "numbers": numbers}
    if wants == "code":
        return told
    names: dict[str, Any] = {}
    exec(code, names)
    page: Stepper = eval(last, names)
    if wants == "page":
        return told | {"html": page.html, "names": page.names}
    with TemporaryDirectory() as folder:
        return {"file": page.save(Path(folder, f"play.{wants}")).read_text("utf-8")}


def page(links: str = "") -> str:
    """The page, which shows its first picture before anybody answers; `links` lead elsewhere."""
    first = _answer(**FIRST)
    choices = "".join(
        f'<button type="button" value="{name}">{escape(title)}</button>'
        for name, (title, *_) in EXAMPLES.items()
    )
    return resource("play.html", __package__).format(
        choices=choices,
        colours=variables(),
        links=links,
        stepper=first["html"],
        code=escape(first["code"]),
        first=json.dumps(first | {"html": ""} | FIRST).replace("<", r"\u003c"),
    )
