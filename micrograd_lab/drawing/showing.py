"""What shows itself, in notebooks, in marimo and from scripts; Matplotlib's figures among it."""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
import threading
import warnings
import webbrowser
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ..saving import check_suffix, write_whole
from ..tell.notation import label_latex, label_places, printable
from .themes import Theme, slim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PIXELS = 1_000_000  # of a PNG in a notebook
DPI = 192.0  # of a PNG in a file: two pixels for each of a page
MAX_CHARACTERS = 24  # of a label
TEXT = 10.0  # points, of the smallest text
WORLDWIDE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "Hiragino Sans", "PingFang SC",
    "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Segoe UI Symbol",
)  # fmt: skip
SANS: dict[str, Any] = {"fontfamily": "DejaVu Sans", "usetex": False}
DIGITS: dict[str, Any] = {"fontfamily": "DejaVu Sans Mono", "fontweight": "bold", "usetex": False}
MATH: dict[str, Any] = {"math_fontfamily": "stix", "fontfamily": "DejaVu Serif", "usetex": False}

_TYPESETTING = threading.RLock()


class Shown:
    """A picture that shows itself wherever it is the last thing in a cell."""

    _about: str  # for readers who do not see it
    _name: str  # at a prompt
    _file: str  # to save it in
    _smallest = 9.0  # points, of a text
    _kinds: tuple[str, ...] = (".svg", ".png", ".pdf")
    _beside: Mapping[str, str] = {"image/png": "png", "application/pdf": "pdf"}
    _render: Callable[..., bytes]  # the picture as "png" or "pdf", of so many dots to an inch

    @property
    def svg(self) -> str:
        """The picture as self-contained SVG text."""
        raise NotImplementedError

    @property
    def html(self) -> str:
        """A fragment for your own page, as wide as it; a click or Enter shows the picture large.

        It scrolls rather than that its text gets too small to read, and needs no scripts.
        """
        svg = self.svg  # which may take a while
        name = f"picture-{crc32(svg.encode()):08x}"
        return (
            f'<div class="micrograd-picture"><style>{resource("picture.css")}</style>'
            f'<div id="{name}" popover style="display:block"><button type="button" title="large" '
            f'popovertarget="{name}" style="border:0;padding:0;width:100%;background:none">'
            f"{img(svg, self._about, self._smallest)}</button></div></div>"
        )

    def save(self, path: str | os.PathLike[str], *, dpi: float = DPI) -> Path:
        """Write a file, in full or not at all; equal pictures give equal files.

        Args:
            path: a name that ends in .svg, .png or .pdf, of a graph also in .tex (TikZ) or .dot,
                of steps in .html, a page that works offline; anything else is a ValueError.
            dpi: pixels to an inch, of a PNG.

        Raises:
            RuntimeError: if there is no Graphviz to draw a graph.
            OSError: if the file cannot be written.
        """
        kind = check_suffix(path, *self._kinds)[1:]
        write_whole(path, self.svg.encode() if kind == "svg" else self._render(kind, dpi))
        return Path(path)

    @property
    def _points(self) -> tuple[float, float]:
        """Width and height."""
        return _size(self.svg)

    def show(self) -> None:
        """Open the picture in a browser, from a script."""
        path = Path(tempfile.mkdtemp()) / "picture.html"
        path.write_text(page(self.html, self._about), encoding="utf-8")
        webbrowser.open(path.as_uri())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """HTML for notebooks; a small PNG, and PDF, for what shows or prints them without HTML."""
        width, height = self._points
        dpi = min(96.0, 72 * (MAX_PIXELS / width / height) ** 0.5)
        shown = {"text/html": self.html, "text/plain": repr(self)}
        beside = {} if sys.platform == "emscripten" else self._beside  # a browser shows HTML
        for mime, kind in beside.items():
            picture = io.BytesIO(self._render(kind, dpi))
            if kind == "png":  # with a palette, a third as long
                from PIL import Image

                image = Image.open(picture).convert("RGB").quantize(64)
                image.save(picture := io.BytesIO(), "png", optimize=True)
            shown[mime] = b64encode(picture.getvalue()).decode()
        return shown

    def __repr__(self) -> str:
        return f'{self._name}; show it in a notebook, or .save("{self._file}")'

    def _mime_(self) -> tuple[str, str]:
        return "text/html", self.html


def img(svg: str, alt: str, smallest: float = 9.0) -> str:
    """HTML that shows a picture even where, as in a notebook from elsewhere, no SVG is trusted.

    Its smallest text, of so many points, keeps 10 pixels.
    """
    encoded, (points, _) = b64encode(svg.encode()).decode(), _size(svg)
    least, most = 10 * points / smallest, 4 / 3 * points
    return (
        f'<img src="data:image/svg+xml;base64,{encoded}" alt="{escape(alt)}" '
        f'style="--large:{1.5 * most:.0f}px;width:100%;min-width:{least:.0f}px;'
        f'max-width:{most:.0f}px">'
    )


def page(html: str, title: str) -> str:
    """A page that works offline around a fragment."""
    return resource("page.html").format(title=escape(title), fragment=html)


def _size(svg: str) -> tuple[float, float]:
    """Width and height of an SVG in points."""
    width, height = re.findall(r'\b(?:width|height)="([\d.]+)pt"', svg)[:2]
    return float(width), float(height)


@cache
def resource(name: str, package: str = __package__) -> str:
    """The text of a file in a package; by default beside this one."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


class Picture(Shown):
    """A Matplotlib figure that shows itself in a notebook; `figure` is free for further changes.

    >>> from micrograd_lab.nn import MLP
    >>> from micrograd_lab import draw_network
    >>> draw_network(MLP(2, [3, 1], seed=1))
    Network of 2, 3 and 1 nodes, 8.2 by 9.7 inches; show it in a notebook, or .save("picture.svg")
    """

    _smallest = TEXT
    _file = "picture.svg"

    def __init__(self, figure: Figure, about: str, theme: Theme | None = None) -> None:
        self.figure = figure
        self._dark = theme.dark if theme else {}
        self._about = about
        width, height = figure.get_size_inches()
        self._name = f"{about}, {width:.1f} by {height:.1f} inches"

    @property
    def svg(self) -> str:
        """The picture as self-contained SVG text."""
        svg = self._render("svg").decode()
        return slim(svg, self._dark) if self._dark else svg

    @property
    def _points(self) -> tuple[float, float]:
        width, height = self.figure.get_size_inches() * 72
        return width, height

    def _render(self, kind: str, dpi: float = 180) -> bytes:
        import matplotlib

        target = io.BytesIO()
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
        settings: dict[Any, Any] = {"svg.hashsalt": "micrograd_lab", "svg.fonttype": "path"}
        settings |= {"savefig.bbox": None, "savefig.facecolor": "auto"}  # the figure's
        with typesetting(), matplotlib.rc_context(settings):
            self.figure.savefig(target, format=kind, dpi=dpi, metadata=undated[kind])
        return target.getvalue()


@contextmanager
def typesetting() -> Iterator[None]:
    """Inside, a letter that no font has becomes a box, without a warning.

    One thread at a time: Matplotlib's parser of formulas, its settings and Python's filters of
    warnings belong to the whole process.
    """
    with _TYPESETTING, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


def new_figure(width: float, height: float, theme: Theme) -> Figure:
    """An empty figure, its size in points, unknown to pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=100, facecolor=theme.page)
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Axes, theme: Theme) -> Axes:
    """Give `axes` the colours of `theme`, and a frame only at the numbered sides."""
    axes.set_facecolor(theme.page)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(theme.wire)
    look: dict[str, Any] = {"labelsize": TEXT, "labelfontfamily": "DejaVu Sans"}
    axes.tick_params(which="both", colors=theme.quiet, **look)
    return axes


def mathtext(label: str) -> dict[str, Any]:
    """A label as the keyword arguments of a Matplotlib text: mathematics, or words as they are."""
    label = printable(label)
    words = label_places(label, lambda _, face, place: face) == {"": "words"}
    formula = label_latex(label).replace(r"\&", "&")
    if words or re.search(r"\\text[a-z]|\\#|\$|[\u0590-\u1dff\u2c00-\U0010ffff]", formula):
        text = label if len(label) <= MAX_CHARACTERS else label[: MAX_CHARACTERS - 1] + "…"
        style = MATH | {"text": text, "parse_math": False}
        return style if label.isascii() else style | {"fontfamily": _families()}
    text = re.sub(r"(\\text\{.*?\})|,", lambda found: found[1] or "{,}", formula)
    return {"text": f"${text}$", "parse_math": True, **MATH}


@cache
def _families() -> list[str]:
    """The font for names, then fonts of this machine for letters that it lacks."""
    from matplotlib.font_manager import fontManager

    fonts = set(fontManager.get_font_names())
    return [str(MATH["fontfamily"]), *(name for name in WORLDWIDE_FONTS if name in fonts)]


def settable(formula: str) -> str:
    """LaTeX of `formula_latex` in the names that mathtext has for its signs."""
    text = re.sub(r"\\(ge|le|ne)\b", r"\\\1q", formula)
    return text.replace(r"\left|", "|").replace(r"\right|", "|")
