"""A Matplotlib figure that shows itself in a notebook, saves in full, and never touches pyplot."""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ..tell.notation import label_latex, label_places, printable
from .showing import Shown
from .svg import slim
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

MAX_CHARACTERS = 24
TEXT = 10.0  # points, of the smallest text
WORLDWIDE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "Hiragino Sans", "PingFang SC",
    "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Segoe UI Symbol",
)  # fmt: skip
SANS: dict[str, Any] = {"fontfamily": "DejaVu Sans", "usetex": False}
DIGITS: dict[str, Any] = {"fontfamily": "DejaVu Sans Mono", "fontweight": "bold", "usetex": False}
MATH: dict[str, Any] = {"math_fontfamily": "stix", "fontfamily": "DejaVu Serif", "usetex": False}

_TYPESETTING = threading.RLock()


class Picture(Shown):
    """A Matplotlib figure that shows itself in a notebook.

    Attributes:
        figure: the Matplotlib figure, free for further changes.

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
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.wire)
    look: dict[str, Any] = {"labelsize": TEXT, "labelfontfamily": "DejaVu Sans"}
    axes.tick_params(which="both", colors=theme.quiet, **look)
    return axes


def axes_of(
    ax: Axes | None, theme: Theme, height: float, *place: float, width: float = 460
) -> tuple[Axes, Figure]:
    """`ax`, or else axes at this place of a new figure, in the colours of `theme`; the figure."""
    figure = ax.get_figure(root=True) if ax else new_figure(width, height, theme)
    assert figure, "axes are in a figure"
    return style_axes(ax or figure.add_axes((*place,)), theme), figure  # type: ignore[arg-type]


def plain_legend(axes: Axes, theme: Theme, *entries: Any, **more: Any) -> Legend:
    font = {"family": "DejaVu Sans", "size": TEXT}
    return axes.legend(*entries, frameon=False, labelcolor=theme.quiet, prop=font, **more)


def mathtext(label: str) -> dict[str, Any]:
    r"""A label as the keyword arguments of a Matplotlib text: mathematics, or words as they are.

    >>> mathtext("w_{1,1}^{(1)}")["text"]
    '$w_{1{,}1}^{(1)}$'
    >>> mathtext("costs $5")["parse_math"]
    False
    """
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
    r"""LaTeX of `formula_latex` in the names that mathtext has for its signs.

    >>> settable(r"\left|x\right| \le y")
    '|x| \\leq y'
    """
    text = re.sub(r"\\(ge|le|ne)\b", r"\\\1q", formula)
    return text.replace(r"\left|", "|").replace(r"\right|", "|")
