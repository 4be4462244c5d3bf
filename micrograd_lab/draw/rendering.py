"""DOT text to a picture: by the Graphviz inside the pygraphviz wheel, else by the `dot` program."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from threading import Lock

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
_one_at_a_time = Lock()  # Graphviz keeps its state in global variables


def render(source: str, format: str) -> bytes:
    """The picture that `source` describes, as "svg", "png" or "pdf".

    Raises:
        RuntimeError: if there is no Graphviz, or it failed.
    """
    with _one_at_a_time:
        if _in_process():
            return _by_pygraphviz(source, format)
        program = which("dot")
        if program is None:
            raise RuntimeError(_INSTALL)
        return _by_program(program, source, format)


def _in_process() -> bool:
    """Whether there is a pygraphviz that carries its own Graphviz."""
    if find_spec("pygraphviz") is None:
        return False
    try:
        from pygraphviz import graphviz
    except ImportError:  # built for a Graphviz that is gone
        return False
    return hasattr(graphviz, "gvContextWithBuiltins")  # since 2.0


def _by_pygraphviz(source: str, format: str) -> bytes:
    from pygraphviz import graphviz

    _use_matplotlib_fonts()
    with tempfile.TemporaryFile() as file:
        file.write(source.encode())
        file.seek(0)
        graph = graphviz.agread(file, None)
        context = graphviz.gvContextWithBuiltins()
        try:
            if graphviz.gvLayout(context, graph, b"dot"):
                raise RuntimeError("Graphviz could not lay this graph out")
            try:
                failed, picture = graphviz.gvRenderData(context, graph, format.encode())
            finally:
                graphviz.gvFreeLayout(context, graph)
        finally:
            graphviz.agclose(graph)
            graphviz.gvFreeContext(context)
    if failed:
        raise RuntimeError(f"this Graphviz cannot write {format}")
    return bytes(picture)


def _by_program(program: str, source: str, format: str) -> bytes:
    command = [program, f"-T{format}"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{program} failed: {message}")
    return done.stdout


@cache
def _use_matplotlib_fonts() -> None:
    """Give the wheel's font lookup the fonts that Matplotlib brings, and nothing else.

    Every machine then draws the same picture, also one without fonts, and the lookup need not
    read the machine's configuration, about which it may complain on stderr.  Where the wheel has
    no fontconfig (macOS) the machine's own fonts are used.
    """
    import matplotlib
    from pygraphviz import _graphviz

    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    try:
        library = ctypes.CDLL(_graphviz.__file__)
        create, add = library.FcConfigCreate, library.FcConfigAppFontAddFile
        set_current = library.FcConfigSetCurrent
    except (OSError, AttributeError):
        return
    create.restype = ctypes.c_void_p
    add.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    set_current.argtypes = [ctypes.c_void_p]
    configuration = create()
    for font in FONTS:
        add(configuration, os.fsencode(fonts / font))
    set_current(configuration)
