"""What the site shows and nobody wrote: made from the package before Sphinx reads the sources.

The reference has a page for every room with public names and one for the table of operations, the
architecture page gets a drawing of the house, the benchmarks a plot of each workload's times, the
home page the lecture's network to step through, and the notebooks come as they are stored.  All of
it goes into ``docs/reference`` and ``docs/notebooks``, which belong to no commit.
"""

import ast
import itertools
import math
import re
import shutil
from pathlib import Path
from types import ModuleType

import measured
from graphviz import Digraph
from workloads import duration

import micrograd_lab
from micrograd_lab import Picture, Value, lecture, step
from micrograd_lab.drawing.graph.rendering import render
from micrograd_lab.drawing.plots import MAX_X, _with_gaps, axes_of
from micrograd_lab.drawing.showing import SANS, TEXT
from micrograd_lab.drawing.themes import find_theme, slim
from micrograd_lab.engine import method
from micrograd_lab.ops import OPS
from micrograd_lab.tell.languages import formula_latex, spell_out

PACKAGE = Path(micrograd_lab.__file__).parent
ROOMS = {  # those with public names
    name: getattr(room, "__all__", ["Value"])
    for name, room in sorted(vars(micrograd_lab).items())
    if isinstance(room, ModuleType) and (name == "engine" or hasattr(room, "__all__"))
}
ABOUT = r"""The table of `ops.py`, which is all the calculus that the package knows. An operation of
one input is a method, such as `x.sigmoid()`; `+`, `-`, `*`, `/` and `**` are operators; a sum is
what `total` records, and the others are functions of their names. $f$ is the value just computed,
$n$ a number of the operation's own. A plot shows $f$ over $x$, and dashed its slope there."""
MAX_VALUE = 300  # characters
REST = {"y": 0.5, "z": 3.0}  # where a plot over x holds the other inputs


def make(app):
    """Write everything that is made; what did not change is left alone."""
    docs = Path(app.srcdir)
    reference, notebooks = docs / "reference", docs / "notebooks"
    made = {f"{room}.rst": room_page(room) for room in ROOMS}
    made["operations.md"] = operations_page()
    made |= {f"plots/{name}.svg": plot for name in OPS if (plot := curves(OPS[name]))}
    made["house.svg"] = house((docs / "architecture.md").read_text("utf-8"))
    for file in measured.FILES:
        for title, times in measured.load(file)["workloads"].items():
            made[measured.plot_name(title)] = race(title, times)
    network = lecture.network()
    made["network.html"] = step(network.result, chapters=network.chapters).html
    shutil.rmtree(notebooks, ignore_errors=True)
    notebooks.mkdir()
    for path in sorted((docs.parent / "notebooks").glob("*.ipynb")):
        shutil.copy2(path, notebooks)
    for path in reference.rglob("*.*"):
        if path.relative_to(reference).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        path = reference / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def room_page(room):
    """The page of a room: its public names, each with its docstring."""
    module = getattr(micrograd_lab, room)
    where = "micrograd_lab.lecture" if room == "lecture" else "micrograd_lab"
    about = module.__doc__.strip().splitlines()[0]
    blocks = [f"{room}\n{'=' * len(room)}", about, f".. currentmodule:: {where}"]
    for name in ROOMS[room]:
        thing = getattr(module, name)
        if isinstance(thing, type):
            blocks.append(f".. autoclass:: {name}\n   :members:")
        elif callable(thing):
            blocks.append(f".. autofunction:: {name}")
        else:
            shown = repr(thing) if len(repr(thing)) < MAX_VALUE else "..."
            blocks.append(f".. py:data:: {name}\n   :value: {shown}")
    if room == "engine":
        blocks.append("What else a value can do is in :doc:`the table of operations <operations>`.")
    return "\n\n".join(blocks) + "\n"


def operations_page():
    """The table of operations, row by row."""
    lines = ["# Operations", "", ABOUT]
    titles = {1: "One input", 2: "Two inputs", 3: "Three inputs", 0: "Any number of inputs"}
    for count, rows in itertools.groupby(OPS.values(), inputs):
        lines += ["", f"## {titles[count]}"]
        for op in rows:
            lines += ["", *entry(op)]
    return "\n".join(lines) + "\n"


def inputs(op):
    """How many inputs an operation takes; 0 for any number."""
    return 0 if op.variadic else len(op.partials)


def entry(op):
    """The lines about one operation."""
    formula, *partials = op.shown
    wrt = [x for x in "xyzb" if re.search(rf"\b{x}\b", op.formula)]
    written = {x: x for x in wrt}
    if op.variadic:  # a few inputs, numbered; a partial is that for the one with the number i
        formula, places = spell_out(op, len(partials) + 2)
        letters = {x: re.sub(r"(\d)", lambda k: f"_{int(k[0]) + 1}", x) for x in places}
        numbered = {x[0] for x in places if x[1:]}
        written = {x: f"{x}_i" if x in numbered else x for x in wrt} | {"n": "i"}
    else:
        letters = written
    yield f"### {op.name}"
    yield ""
    held = ", ".join(f"{y} = {REST[y]:g}" for y in "yz"[: max(inputs(op) - 1, 0)])
    if not op.variadic:
        yield f"```{{image}} plots/{op.name}.svg"
        yield f":alt: {op.name} and its slope over x{f', at {held}' if held else ''}"
        yield "```"
        yield ""
    domain = f", where `{op.domain}`" if op.domain else ""
    yield f"Drawn as `{op.symbol}`{domain}."
    if op.n is not None:
        yield f"Unless given, $n = {op.n:g}$."
    if held:
        yield f"The plot has ${held}$."
    yield ""
    yield f"$$f = {formula_latex(formula, letters)}$$"
    for x, partial in zip(wrt, partials):
        yield ""
        slope = formula_latex(partial, written)
        yield rf"$$\frac{{\partial f}}{{\partial {written[x]}}} = {slope}$$"


def curves(op):
    """A small plot of an operation over its first input, with its slope there; an SVG."""
    if op.variadic:
        return ""
    theme = find_theme("auto")
    axes, figure = axes_of(None, theme, 150, 0.1, 0.12, 0.86, 0.84, width=230)
    points = [at(op, MAX_X * (i / 200 - 1)) for i in range(401)]
    for which, colour, dashes in ((1, theme.value, (None, None)), (2, theme.grad, (4, 1.5))):
        xs, ys = _with_gaps([point[0] for point in points], [point[which] for point in points])
        axes.plot(xs, ys, color=colour, linewidth=2, dashes=dashes)
    axes.axhline(0, color=theme.wire, linewidth=0.6, zorder=0)
    axes.axvline(0, color=theme.wire, linewidth=0.6, zorder=0)
    axes.set(xlim=(-MAX_X, MAX_X), ylim=(-2.5, 4.5), xticks=[-4, -2, 0, 2, 4], yticks=[-2, 0, 2, 4])
    return Picture(figure, f"Curves of {op.name}", theme).svg


def at(op, x):
    """x, and the value and slope of `op` there; NaN outside the domain."""
    try:
        f = method(op)(Value(x), *(REST[y] for y in "yz"[: inputs(op) - 1]))
    except ValueError:
        return x, float("nan"), float("nan")
    return x, f.data, f.slopes[0]


def race(title, times):
    """The times of a workload on a logarithmic scale, the fastest first; an SVG.

    A dot is the median, and the line from it ends at the least.
    """
    theme = find_theme("auto")
    ways = sorted(times, key=lambda way: -times[way]["median"])
    rows = range(len(ways))
    least, middle = ([times[way][kind] for way in ways] for kind in ("least", "median"))
    width, height = 340, 17 * len(ways) + 44
    left, below, right, above = 92, 20, 56, 22  # points around the axes, for the texts
    place = left / width, below / height, 1 - (left + right) / width, 1 - (below + above) / height
    axes, figure = axes_of(None, theme, height, *place, width=width)
    colours = [theme.grad if way == "tape" else theme.wire for way in ways]
    axes.hlines(rows, least, middle, color=colours, linewidth=2)
    axes.scatter(middle, rows, color=colours, s=42, zorder=2)
    axes.set_yticks(rows, ways)
    for row, (way, name) in enumerate(zip(ways, axes.get_yticklabels())):
        colour, weight = (theme.grad, "bold") if way == "tape" else (theme.ink, "normal")
        name.set(color=colour, fontweight=weight)
        at = {"xy": (middle[row], row), "xytext": (7, 0), "textcoords": "offset points"}
        look = {"color": colour, "fontsize": TEXT, "va": "center"} | SANS
        axes.annotate(duration(middle[row]), **at, **look)
    first, last = math.floor(math.log10(min(least) * 1.2)), math.ceil(math.log10(middle[0] / 1.2))
    decades = {k: float(f"1e{k}") for k in range(first, last + 1)}
    names = [duration(x) if len(decades) < 5 or k % 3 == 0 else "" for k, x in decades.items()]
    axes.set(xscale="log", ylim=(-0.7, len(ways) - 0.3))
    axes.set_xlim(min(*least, decades[first]) / 1.1, max(middle[0], decades[last]) * 1.1)
    axes.set_xticks([*decades.values()], names)
    axes.tick_params(axis="both", which="both", length=0)
    axes.grid(axis="x", color=theme.wire, linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)
    figure.text(0, 1 - 10 / height, title, color=theme.ink, fontsize=TEXT, va="center", **SANS)
    return Picture(figure, f"Times of {title}", theme).svg


def house(architecture):
    """The rooms of the package on their floors, and who imports from whom; an SVG.

    An import that follows from others, through a room between, is left out.
    """
    floors = {}
    for line in architecture.splitlines():
        if cells := re.match(r"\|\s*(\d+)\s*\|([^|]*)\|", line):
            for name in re.findall(r"`(\w+)(?:\.py|/)`", cells[2]):
                floors[name] = int(cells[1])
    below = {room: set(imports(room)) & floors.keys() - {room} for room in floors}
    reach = {}
    for room in sorted(floors, key=floors.get):
        reach[room] = below[room].union(*(reach[other] for other in below[room]))
    theme = find_theme("auto")
    graph = Digraph(graph_attr={"rankdir": "BT", "ranksep": "0.3", "nodesep": "0.2"})
    graph.attr(bgcolor="transparent", pad="0.1")
    graph.attr("edge", color=theme.wire, arrowsize="0.6", penwidth="0.9", dir="back")
    graph.attr("node", shape="box", style="rounded,filled", fontname="DejaVu Sans", fontsize="11")
    graph.attr("node", fontcolor=theme.ink, margin="0.12,0.05", height="0.3")
    for floor in sorted(set(floors.values())):
        with graph.subgraph() as level:
            level.attr(rank="same")
            for room in (room for room in floors if floors[room] == floor):
                wing = (PACKAGE / room).is_dir()
                line, fill = theme.shapes["parameter" if wing else "computed"]
                level.node(room, f"{room}/" if wing else f"{room}.py", color=line, fillcolor=fill)
    for room, others in below.items():
        for other in sorted(others):
            if not any(other in reach[between] for between in others - {other}):
                graph.edge(other, room)
    return slim(render(graph.source, "svg").decode(), theme.dark)


def imports(room):
    """The rooms that a room imports from."""
    path = PACKAGE / room
    for file in path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]:
        depth = len(file.relative_to(PACKAGE).parts)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == depth:
                yield from (
                    [node.module.split(".")[0]]
                    if node.module
                    else [name.name for name in node.names]
                )


def leads_within_the_site(app, docname, source):
    """Links to the notebooks lead to their pages, and from them to the documentation."""
    source[0] = source[0].replace("](../notebooks/", "](notebooks/").replace("](../docs/", "](../")
    source[0] = re.sub(
        r"<!-- drawn: (\S+), (.*) -->", r"```{image} reference/\1\n:alt: \2\n```", source[0]
    )


def is_an_operation(app, what, name, thing, skip, options):
    """Leave methods to the page of operations, where the table has them."""
    return True if what == "class" and name in OPS else None


def without_factories(app, what, name, thing, options, signature, returns):
    """A signature that Sphinx can read."""
    return signature and signature.replace("<factory>", "..."), returns


def setup(app):
    app.connect("builder-inited", make)
    app.connect("source-read", leads_within_the_site)
    app.connect("autodoc-skip-member", is_an_operation)
    app.connect("autodoc-process-signature", without_factories)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
