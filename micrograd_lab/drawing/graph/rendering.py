"""DOT text to a picture: by the Graphviz inside the pygraphviz wheel, else by the `dot` program."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from shutil import which
from threading import Lock
from types import ModuleType

_INSTALL = (
    "nothing here can draw: pip install pygraphviz, which brings Graphviz along, or install "
    "Graphviz from https://graphviz.org/download so that `dot` is found; "
    "the DOT text is in .source, and .save('graph.dot') writes it"
)
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralItalic.ttf",
)
PIXELS_PER_POINT = 8 / 3  # of a PNG: two for each CSS pixel of the SVG
LONGEST, MOST = 32_000, 100_000_000  # pixels along one side, and in all
_one_at_a_time = Lock()  # Graphviz keeps its state in global variables


def render(source: str, suffix: str) -> bytes:
    """The picture that `source` describes, as "svg", "png" or "pdf".

    Raises:
        RuntimeError: if there is no Graphviz, or it failed.
    """
    with _one_at_a_time:
        if _in_process():
            picture = _by_pygraphviz(source, suffix)
        elif program := which("dot"):
            picture = _by_program(program, source, suffix)
        else:
            raise RuntimeError(_INSTALL)
    # the hour in a PDF, blanked so that no offset in the file moves
    return re.sub(rb"/CreationDate \([^)]*\)", lambda hour: b" " * len(hour[0]), picture)


def _in_process() -> bool:
    """Whether there is a pygraphviz that carries its own Graphviz."""
    if find_spec("pygraphviz") is None:
        return False
    try:
        from pygraphviz import graphviz
    except ImportError:  # built for a Graphviz that is gone
        return False
    return hasattr(graphviz, "gvContextWithBuiltins")  # since 2.0


def _by_pygraphviz(source: str, suffix: str) -> bytes:
    from pygraphviz import graphviz

    _find_fonts_for(source)
    with tempfile.TemporaryFile() as file:
        file.write(source.encode())
        file.seek(0)
        graph = graphviz.agread(file, None)
        context = graphviz.gvContextWithBuiltins()
        try:
            if graphviz.gvLayout(context, graph, b"dot"):
                raise RuntimeError("Graphviz could not lay this graph out")
            try:
                if suffix == "png":
                    _zoom(graphviz, graph)
                failed, picture = graphviz.gvRenderData(context, graph, suffix.encode())
            finally:
                graphviz.gvFreeLayout(context, graph)
        finally:
            graphviz.agclose(graph)
            graphviz.gvFreeContext(context)
    if failed:
        raise RuntimeError(f"this Graphviz cannot write {suffix}")
    return bytes(picture)


def _zoom(graphviz: ModuleType, graph: object) -> None:
    """Ask for pixels enough to enlarge a PNG, but not so many that Cairo complains on stderr."""
    corners = graphviz.agget(graph, b"bb").replace(b",", b" ").split()
    width, height = (
        float(points) + 144 * float(graphviz.agget(graph, b"pad")) for points in corners[2:]
    )
    zoom = min(PIXELS_PER_POINT, LONGEST / max(width, height), (MOST / width / height) ** 0.5)
    zoom = zoom * 72 / 96  # one point is 96 / 72 pixels unless zoomed
    viewport = f"{width * zoom:.2f},{height * zoom:.2f},{zoom:.6f}"
    graphviz.agsafeset(graph, b"viewport", viewport.encode(), b"")


def _by_program(program: str, source: str, suffix: str) -> bytes:
    command = [program, f"-T{suffix}", *(["-Gdpi=192"] if suffix == "png" else [])]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{program} failed: {message}")
    return done.stdout


def _find_fonts_for(source: str) -> None:
    """Let the wheel's font lookup find what `source` needs.

    It gets the fonts that Matplotlib brings, so every machine draws the same picture, also one
    without fonts, and nothing reads the machine's font configuration, about which the lookup may
    complain on stderr.  The machine's own fonts join them for a script that these do not cover.
    Where the wheel has no fontconfig (macOS) the machine's fonts are used.
    """
    add = _font_list()
    if add and not _matplotlib_fonts(add).issuperset(source):
        _machine_fonts(add)


@cache
def _font_list() -> Callable[[str], object] | None:
    """What adds a font file to a new, empty font configuration, which is put into force."""
    from pygraphviz import _graphviz

    try:
        library = ctypes.CDLL(_graphviz.__file__)
        create, add = library.FcConfigCreate, library.FcConfigAppFontAddFile
        put_into_force = library.FcConfigSetCurrent
    except (OSError, AttributeError):
        return None
    create.restype = ctypes.c_void_p
    add.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    put_into_force.argtypes = [ctypes.c_void_p]
    configuration = create()
    put_into_force(configuration)
    return lambda path: add(configuration, os.fsencode(path))


@cache
def _matplotlib_fonts(add: Callable[[str], object]) -> frozenset[str]:
    """Add the fonts that Matplotlib brings; all characters that they can show."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    covered = {"\n", "\t"}
    for name in FONTS:
        path = os.path.join(get_data_path(), "fonts", "ttf", name)
        add(path)
        covered.update(map(chr, FT2Font(path).get_charmap()))
    return frozenset(covered)


@cache
def _machine_fonts(add: Callable[[str], object]) -> None:
    """Add the fonts of this machine."""
    from matplotlib.font_manager import findSystemFonts

    for path in sorted(findSystemFonts()):
        add(path)
