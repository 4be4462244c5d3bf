"""The op table for a page: its arithmetic as JavaScript, its formulas as templates of HTML."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from typing import Any

from ..ops import OPS, Op
from ..tell.languages import formula_javascript, formula_template, spell_out, with_number


def rows() -> str:
    """The rows of the table as a JavaScript object, for ``arithmetic.js``.

    >>> print(rows().splitlines()[1])
    "neg": {value: (m, x) => -x, partials: [(m, x, y, z, n, f) => -1.0]},
    """
    return "{\n" + ",\n".join(f"{json.dumps(op.name)}: {_row(op)}" for op in OPS.values()) + "\n}"


def _row(op: Op) -> str:
    parts: dict[str, str] = {}
    if op.variadic:
        term = re.match(r"sum\((.*)\)", op.formula.removesuffix(" + b"))
        parts |= {"sum": _function("m, x, y", term[1])} if term else {"take": "true"}
    else:
        letters = ["m", *"xyz"[: len(op.partials)]] if op.n is None else ["m, x, y, z, n"]
        parts["value"] = _function(", ".join(letters), op.formula)
    parts["partials"] = _functions(op.partials)
    if op.textbook:
        parts["byHand"] = _functions(op.textbook[1:])
    if op.domain:
        parts |= {"domain": _function("m, x, y, z, n", op.domain), "needs": json.dumps(op.domain)}
    if op.gate:
        parts["gate"] = "true"
    return "{" + ", ".join(f"{name}: {text}" for name, text in parts.items()) + "}"


def _functions(formulas: tuple[str, ...]) -> str:
    return f"[{', '.join(_function('m, x, y, z, n, f', formula) for formula in formulas)}]"


def _function(letters: str, formula: str) -> str:
    return f"({letters}) => {formula_javascript(formula)}"


@cache
def templates(op: Op, count: int) -> dict[str, Any]:
    """How the page writes a node of so many inputs: its formula, and each of its partials.

    >>> templates(OPS["mul"], 2)["formula"], templates(OPS["mul"], 2)["partials"]
    ('⟦2-x⟧ × ⟦2y⟧', [['⟦0y⟧', True], ['⟦0x⟧', True]])
    """
    formula, letters = spell_out(op, count)
    constants = {"dots": "…", "own": escape(op.name)}
    partials = [with_number(text, op.n) for text in op.shown[1:]]
    return {
        "formula": formula_template(with_number(formula, op.n), constants),
        "letters": letters,
        "partials": [[formula_template(text, {}), text.isidentifier()] for text in partials],
    }
