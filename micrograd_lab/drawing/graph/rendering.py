"""DOT text to a picture: `_renderer` finds a Graphviz, in the process, the page or a program."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from threading import Lock
from types import ModuleType

from ..showing import DPI
from .dot import NAMES, WORDS, advances

_INSTALL = (
    "there is no Graphviz to draw with: pip install pygraphviz, which includes it, or install "
    "Graphviz from https://graphviz.org/download with `dot` on the PATH, or pip install "
    "graphviz-pure, which draws SVG and PNG; "
    "the DOT text is in .source, and .save('graph.dot') writes it"
)
_CHILD = (
    "import sys; from micrograd_lab.drawing.graph.rendering import render; "
    "sys.stdout.buffer.write(render(sys.stdin.buffer.read().decode(), sys.argv[1], "
    "dpi=float(sys.argv[2])))"
)
FONTS: tuple[str, ...] = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold"
FONTS += ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol")
MAX_PIXELS_PER_SIDE, MAX_PIXELS = 32_000, 100_000_000
_one_at_a_time = Lock()  # Graphviz keeps its state in global variables


def render(source: str, suffix: str, *, dpi: float = DPI, quick: bool = True) -> bytes:
    """The picture that `source` describes, as "svg", "png" or "pdf"; a huge PNG has fewer dots.

    What is not `quick` is laid out by a process of its own, since a layout cannot be interrupted,
    but a process can.
    """
    draw = _renderer()
    if draw is _by_pygraphviz and not quick and sys.executable:
        command = [sys.executable, "-c", _CHILD, suffix, f"{dpi}"]
        paths = f"{Path(__file__).parents[3]}", os.environ.get("PYTHONPATH", "")
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        return _printed(command, source, "Graphviz", environment)
    with _one_at_a_time:
        picture = draw(source, suffix, dpi)
    # the date in a PDF, blanked so that no offset in the file moves
    return re.sub(rb"/CreationDate \([^)]*\)", lambda date: b" " * len(date[0]), picture)


def _renderer() -> Callable[[str, str, float], bytes]:
    """Who lays out here: the first of those that may be there, which all give the same picture."""
    if sys.platform == "emscripten":
        return _by_page
    if _in_process():
        return _by_pygraphviz
    for program in ("dot", "graphviz-pure"):
        if path := which(program) or which(program, path=sysconfig.get_path("scripts")):
            return partial(_by_program, path)
    raise RuntimeError(_INSTALL)


def _by_page(source: str, suffix: str, dpi: float) -> bytes:
    """What the page around Pyodide makes of it, which has `registerJsModule`d a Graphviz."""
    if suffix != "svg":
        raise RuntimeError(f"in a browser Graphviz draws SVG, not {suffix}; save graph.svg instead")
    try:
        from graphviz_wasm import render as draw  # a function from DOT to SVG

        return str(draw(source)).encode()
    except Exception as error:  # of JavaScript, or there is no such module
        does = 'pyodide.registerJsModule("graphviz_wasm", {render: dot => svg})'
        raise RuntimeError(f"Graphviz, which a page gives by {does}, failed: {error}") from error


def _by_program(path: str, source: str, suffix: str, dpi: float) -> bytes:
    """What a program makes of it, for which Matplotlib's fonts are in the user's own folder."""
    command = [path, f"-T{suffix}", *([f"-Gdpi={dpi:g}"] if suffix == "png" else [])]
    there = find_spec("matplotlib")
    data = f"{Path(there.origin).parent}/mpl-data" if there and there.origin else ""
    return _printed(command, source, path, {"XDG_DATA_HOME": data} if data else {})


def _in_process() -> bool:
    """Whether there is a pygraphviz with its own Graphviz."""
    try:
        from pygraphviz import graphviz
    except ImportError:  # not there, or built for a Graphviz that is gone
        return False
    return hasattr(graphviz, "gvContextWithBuiltins")  # since 2.0


def _by_pygraphviz(source: str, suffix: str, dpi: float) -> bytes:
    from pygraphviz import graphviz

    add = _font_list()
    if add and not {*advances(NAMES), *advances(WORDS), "\n", "\t"}.issuperset(source):
        _add_machine_fonts(add)
    with tempfile.TemporaryFile() as file, ExitStack() as closing:
        file.write(source.encode())
        file.seek(0)
        graph, context = graphviz.agread(file, None), graphviz.gvContextWithBuiltins()
        closing.callback(graphviz.gvFreeContext, context)
        closing.callback(graphviz.agclose, graph)
        if graphviz.gvLayout(context, graph, b"dot"):
            raise RuntimeError("Graphviz could not lay this graph out")
        closing.callback(graphviz.gvFreeLayout, context, graph)
        if suffix == "png":
            _zoom(graphviz, graph, dpi)
        failed, picture = graphviz.gvRenderData(context, graph, suffix.encode())
    if failed:
        raise RuntimeError(f"this Graphviz cannot write {suffix}")
    return bytes(picture)


def _printed(command: list[str], source: str, program: str, more: Mapping[str, str]) -> bytes:
    """The picture from another process, with `more` in its environment; of its errors the last."""
    text, env = source.encode(), os.environ | more
    done = subprocess.run(command, input=text, capture_output=True, check=False, env=env)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip() or "killed"
        raise RuntimeError(f"{program} failed: {message.splitlines()[-1]}")
    return done.stdout


def _zoom(graphviz: ModuleType, graph: object, dpi: float) -> None:
    """Ask for enough pixels to enlarge a PNG, but not so many that Cairo complains on stderr."""
    corners = graphviz.agget(graph, b"bb").replace(b",", b" ").split()
    pad = 144 * float(graphviz.agget(graph, b"pad"))
    width, height = (float(points) + pad for points in corners[2:])
    side, area = MAX_PIXELS_PER_SIDE / max(width, height), MAX_PIXELS / width / height
    zoom = min(dpi / 72, side, area**0.5) * 72 / 96  # of pixels at 96 to the inch
    viewport = f"{width * zoom:.2f},{height * zoom:.2f},{zoom:.6f}"
    graphviz.agsafeset(graph, b"viewport", viewport.encode(), b"")


@cache
def _font_list() -> Callable[[str], object] | None:
    """Give the wheel's font lookup Matplotlib's fonts; a function that adds one from a file.

    So every machine draws the same picture, even one without fonts, and the machine's font
    configuration, which may raise complaints on stderr, is never read.  A wheel without fontconfig
    (macOS) uses the machine's fonts.
    """
    from matplotlib import get_data_path
    from pygraphviz import _graphviz

    package = Path(_graphviz.__file__)
    for path in (package, *package.parents[1].glob("pygraphviz.libs/cgraph*.dll")):
        with suppress(OSError, AttributeError):  # Graphviz would give some texts more room, no need
            ctypes.CDLL(f"{path}").agseterr(1)  # to warn of that, but of errors
    try:
        library = ctypes.CDLL(_graphviz.__file__)
        create, add = library.FcConfigCreate, library.FcConfigAppFontAddFile
        activate = library.FcConfigSetCurrent
    except (OSError, AttributeError):
        return None
    create.restype = ctypes.c_void_p
    add.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    activate.argtypes = [ctypes.c_void_p]
    configuration = create()
    activate(configuration)
    for name in FONTS:
        add(configuration, os.fsencode(f"{get_data_path()}/fonts/ttf/{name}.ttf"))
    return lambda path: add(configuration, os.fsencode(path))


@cache
def _add_machine_fonts(add: Callable[[str], object]) -> None:
    """Add the fonts of this machine, for letters that Matplotlib's lack."""
    from matplotlib.font_manager import findSystemFonts

    for path in sorted(findSystemFonts()):
        add(path)
