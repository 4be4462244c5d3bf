"""What a page carries of a record, to compute it again: nodes and names, and the op table.

Each node of the graph has its operation and the numbers of its inputs, or its own number; and where
the picture is folded, the node of the picture that shows it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from typing import Any, TypeAlias

from ..context import moved
from ..drawing.graph.folding import Folded, fold
from ..engine import Value
from ..graph import DEPARTED, Graph
from ..ops import OPS, Op
from ..protocols import Given
from ..rows import check_rows
from ..tell.languages import formula_javascript, formula_template, spell_out, with_number
from ..tell.notation import label_html
from ..tell.steps import forward_step
from ..tell.writing import HTML

Place: TypeAlias = "str | tuple[Any, ...]"  # a pass, a value in it or None, and a note
Found: TypeAlias = Callable[[Value], int]  # the number of a node that a caller named
PASSES = ("forward", "backward", "update")


def walk(
    graph: Graph,
    asks: Sequence[str | Value] = (),
    samples: tuple[Sequence[Value], Any] = ((), None),
    chapters: Mapping[str, Place] | None = None,
    rate: float = 0.5,
) -> tuple[Graph, dict[str, Any]]:
    """The graph to draw, `graph` or `graph` folded, and what ``walk.js`` reads.

    A large graph is folded, unless for a quiz, which asks for every gradient.
    """
    position = {node: i for i, node in enumerate(graph.nodes)}
    places = {graph.names[node]: i for node, i in position.items()}  # its copies share a name
    forms: dict[Any, int] = {}

    def at(x: Value) -> int | str:
        """The number of a node, or the text of the number of what is none."""
        return places.get(graph.names.get(x, ""), str(_json(x.data)))

    def found(x: Value) -> int:
        """The number of a node that a caller named."""
        if not isinstance(x, Value):
            raise TypeError(f"name a Value of this graph, not {type(x).__name__} {x!r:.60}")
        if (i := places.get(graph.names.get(graph.twins.get(x, x), ""))) is None:
            of = graph.names[graph.result]
            raise ValueError(f"{x!r} is not a node of the graph of {of}; name one that is")
        return i

    nodes = [_node(node, position, forms) for node in graph.nodes]
    finite = all(
        math.isfinite(node.data) or not all(math.isfinite(x.data) for x in node.inputs)
        for node in graph.nodes
        if node.inputs
    )
    data: dict[str, Any] = {
        "ieee": not finite,
        "nodes": nodes,
        "forms": [
            templates(op, count)
            | ({"refuses": _refusal(op)} if isinstance(op, Given) else {"op": op.name})
            for op, count in forms
        ],
        "names": _names(graph),
        "result": position[graph.result],
        "parameters": sorted(position[x] for x in graph.parameters if x in position),
        "guards": [
            [at(guard.left), guard.sign, at(guard.right), guard.held, escape(told + DEPARTED)]
            for guard, told in graph.guards.items()
        ],
        "several": {},
    }
    if asks:
        words = [it for it in asks if isinstance(it, str)]
        for word in set(words) - {*PASSES, "trivial"}:
            raise ValueError(
                f"cannot ask for {word!r}; name {', '.join(PASSES)}, trivial or values"
            )
        data["asks"] = {
            "passes": [it for it in PASSES if it in words] or ["backward"],
            "nodes": [found(it) for it in asks if isinstance(it, Value)],
            "trivial": "trivial" in words,
        }
    if samples[0] or samples[1] is not None:
        data["samples"] = _samples(graph, *samples, found)
    data["chapters"] = [_place(title, at, found) for title, at in (chapters or {}).items()]
    if not (math.isfinite(rate) and rate):
        raise ValueError(f"the rate is {rate:g}; give η, such as 0.5, or −η for a plus sign")
    data |= {"eta": abs(rate), "sign": -1 if rate > 0 else 1}
    picture = graph if asks else fold(graph)
    if isinstance(picture, Folded):
        data |= _folds(graph, picture, position)
    return picture, data


def _folds(graph: Graph, picture: Folded, position: dict[Value, int]) -> dict[str, Any]:
    """Where the picture shows each node, what its nodes read, and the weights of its neurons."""
    place = {node: i for i, node in enumerate(picture.nodes)}
    shown = [picture.drawn.get(x) for x in graph.nodes]
    neurons = {}
    for node, neuron in picture.neurons.items():
        if node not in picture.several:
            pairs = zip(neuron.inputs, neuron.weights)
            weights = [position[w] for x, w in pairs if picture.drawn[x] not in picture.several]
            neurons[place[node]] = [position[neuron.sum], weights]
    return {
        "drawn": [-1 if node is None else place[node] for node in shown],
        "picture": [[place[x] for x in node.inputs] for node in picture.nodes],
        "several": {i: escape(picture.names[x]) for x, i in place.items() if x in picture.several},
        "neurons": neurons,
    }


def _samples(graph: Graph, inputs: Sequence[Value], rows: Any, found: Found) -> dict[str, Any]:
    """The samples, and which leaves they set."""
    if rows is None:
        raise ValueError(
            f"{len(inputs)} inputs without data; give a row of {len(inputs)} numbers per sample"
        )
    if not inputs:
        raise ValueError("data without inputs; name the leaves of a row, as inputs=[x_1, x_2, t]")
    at = [*map(found, inputs)]
    for i, x in zip(at, inputs):
        if graph.nodes[i].inputs:
            raise ValueError(f"{x!r} is computed; a sample sets leaves")
        if at.count(i) > 1:
            raise ValueError(f"{x!r} is named twice among the inputs")
    numbers = check_rows(rows, len(inputs), in_lists=True)
    for i, row in enumerate(numbers):
        for number, x in zip(row, inputs):
            if not math.isfinite(number):
                raise ValueError(
                    f"row {i} has {number} for {x!r}; leave it out, or put a number there"
                )
    return {"inputs": at, "rows": numbers}


def _place(title: str, at: Place, found: Found) -> dict[str, Any]:
    """Where a chapter begins: a pass, and perhaps a node in it; and its note."""
    name, value, note = (*(at if isinstance(at, tuple | list) else (at,)), None, None)[:3]
    if name not in PASSES:
        raise ValueError(f"chapter {title!r} is in {name!r}; it can be in {', '.join(PASSES)}")
    told: dict[str, Any] = {"title": escape(title), "pass": name}
    told |= {} if value is None else {"node": found(value)}
    return told | ({"note": escape(str(note))} if note else {})


def _node(node: Value, position: dict[Value, int], forms: dict[Any, int]) -> dict[str, Any]:
    if node.op is None:
        return {"data": _json(node.data)}
    form = forms.setdefault((node.op, len(node.inputs)), len(forms))
    told: dict[str, Any] = {"form": form, "inputs": [position[x] for x in node.inputs]}
    if node.op.n is not None:
        told["n"] = _json(node.op.n)
    if moved(node):
        told |= {"set": True, "data": _json(node.data)}
    if isinstance(node.op, Given):
        told |= {"data": _json(node.data), "slopes": [*map(_json, node.slopes)]}
    return told


def _refusal(op: Given) -> str:
    """Why the page cannot compute an operation of a program's own at other numbers."""
    return f"{escape(op.name)} is an operation of the program's own; the page has no formula for it"


def _names(graph: Graph) -> list[str]:
    """The name of each node as HTML; a product of a dot is called by its factors."""
    names = {name: label_html(name) for name in graph.names.values()}
    writing = replace(HTML, name=lambda x: names.get(x) or label_html(x))
    for node in graph.nodes:
        name = graph.names[node]
        if node.inputs and not node.label and not re.fullmatch(r"v\d+", name):
            names[name] = f"({forward_step(graph, node).line(writing).symbols})"
    return [names[graph.names[node]] for node in graph.nodes]


def _json(x: float) -> float | str:
    """`x`, or as JavaScript calls it if JSON has no such number."""
    return x if math.isfinite(x) else str(x).replace("inf", "Infinity").replace("nan", "NaN")


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
