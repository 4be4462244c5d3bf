"""What shows itself: in notebooks and what is made of them, in marimo, and from scripts."""

from __future__ import annotations

import io
import os
import re
import tempfile
import webbrowser
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from zlib import crc32

from ..saving import check_suffix, write_whole

MAX_PIXELS = 1_000_000  # of a PNG in a notebook
DPI = 192.0  # of a PNG in a file: two pixels for each of a page


class Shown:
    """A picture that shows itself wherever it is the last thing in a cell."""

    _about: str  # for readers who do not see it
    _name: str  # at a prompt
    _file: str  # to save it in
    _smallest = 9.0  # points, of a text
    _kinds: tuple[str, ...] = (".svg", ".png", ".pdf")
    _beside: Mapping[str, str] = {"image/png": "png", "application/pdf": "pdf"}

    @property
    def svg(self) -> str:
        """The picture as self-contained SVG text."""
        raise NotImplementedError

    @property
    def html(self) -> str:
        """A fragment for your own page, as wide as it; a click or Enter shows the picture large.

        It scrolls rather than that its text gets too small to read, and needs no scripts.
        """
        name = f"picture-{crc32(self.svg.encode()):08x}"
        return (
            f'<div class="micrograd-picture"><style>{resource("picture.css")}</style>'
            f'<div id="{name}" popover style="display:block"><button type="button" title="large" '
            f'popovertarget="{name}" style="border:0;padding:0;width:100%;background:none">'
            f"{img(self.svg, self._about, self._smallest)}</button></div></div>"
        )

    def save(self, path: str | os.PathLike[str], *, dpi: float = DPI) -> Path:
        """Write a file, in full or not at all; equal pictures give equal files.

        Args:
            path: a name that ends in .svg, .png or .pdf, of a graph also in .tex
                (TikZ) or .dot; or for steps in
                .html, a page that works offline.
            dpi: pixels to an inch, of a PNG.

        Raises:
            ValueError: if the name ends in anything else.
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

    def _render(self, kind: str, dpi: float) -> bytes:
        """The picture as "png" or "pdf"."""
        raise NotImplementedError

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
        for mime, kind in self._beside.items():
            picture = self._render(kind, dpi)
            picture = _in_few_colours(picture) if kind == "png" else picture
            shown[mime] = b64encode(picture).decode()
        return shown

    def __repr__(self) -> str:
        return f'{self._name}; show it in a notebook, or .save("{self._file}")'

    def _mime_(self) -> tuple[str, str]:
        return "text/html", self.html


def _in_few_colours(png: bytes) -> bytes:
    """`png` with a palette, a third as long."""
    from PIL import Image

    target = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(64).save(target, "png", optimize=True)
    return target.getvalue()


def img(svg: str, alt: str, smallest: float = 9.0) -> str:
    """HTML that shows a picture even where neither SVG nor scripts are trusted.

    A notebook that was saved elsewhere is not trusted until it is run, and shows no bare SVG.
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
    sides = (re.search(rf'\b{side}="([\d.]+)pt"', svg) for side in ("width", "height"))
    width, height = (float(side[1]) for side in sides if side)
    return width, height


@cache
def resource(name: str, package: str = __package__) -> str:
    """The text of a file in a package; by default beside this one."""
    return files(package).joinpath(name).read_text(encoding="utf-8")
