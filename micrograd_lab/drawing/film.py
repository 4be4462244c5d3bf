"""A training as a film: boundary, weights, gradients and loss, from moment to moment."""

from __future__ import annotations

import io
import json
import math
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from html import escape
from typing import TYPE_CHECKING, Any

from ..engine import Value
from ..formulas import np
from ..saving import check_suffix, write_whole
from .layers import Layers, find_layers
from .network.view import PAGE, SMALL, Drawing, find_links
from .plots import Plane, draw_boundary, draw_flow, draw_losses, hidden_lines
from .showing import DPI, Picture, Shown, new_figure, resource, style_axes
from .themes import THEMES, Theme, find_theme, variables

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

RESOLUTION = 48  # points of the plane in each direction
MAX_POINTS, MAX_CLASSES = 500, 10


class Film(Shown):
    """A fit that was watched, as a page with a slider or as a GIF.

    In the page the links show weights, gradients, or the change of weights since the moment before.
    Arrow keys, Home and End move, space plays.

    >>> from micrograd_lab import MLP, fit, moons
    >>> model = MLP(2, [4, 1], seed=1)
    >>> history = fit(model, *moons(20, seed=1), epochs=30, watch=11)
    >>> history.film()
    Film of 11 moments of 30 epochs; show it in a notebook, or .save("film.html")
    """

    _file, _beside = "film.html", {"image/png": "png"}

    def __init__(self, history: Any) -> None:
        self._about = f"{len(history.frames)} moments of {len(history.loss)} epochs"
        self._name = f"Film of {self._about}"
        if not history.frames or not history.loss:
            raise ValueError(f"{self._about} were kept; say how many to keep: fit(..., watch=60)")
        self.history = history
        model, points, labels = history.watched
        self.model: Any = deepcopy(model)
        self.parameters: list[Value] = self.model.parameters()
        self.layers: Layers = find_layers(self.model)
        self.plane: Plane | None = None
        if points.shape[1] == 2:
            plane = Plane(points, labels, self.model, RESOLUTION)
            few = len(set(plane.classes.tolist())) <= MAX_CLASSES  # not numbers to come near to
            self.plane = plane if few else None

    def save(  # type: ignore[override]
        self, path: str | os.PathLike[str], *, theme: str = "light"
    ) -> None:
        """Write a page that works offline, or a GIF, in full or not at all.

        Args:
            path: a name that ends in .html, .htm or .gif; anything else is a ValueError.
            theme: "light" or "dark", of a GIF; a page is as its reader's pages are.
        """
        gif = check_suffix(path, ".html", ".htm", ".gif") == ".gif"
        write_whole(path, self._gif(find_theme(theme)) if gif else self.page.encode())

    @property
    def html(self) -> str:
        """A frame around the page, for your own page."""
        look = "border:0;width:100%;height:1100px"
        return f'<iframe srcdoc="{escape(self.page)}" title="A film" style="{look}"></iframe>'

    @property
    def page(self) -> str:
        """A self-contained page."""
        theme = find_theme("auto")
        drawing, figure = self._network(theme, legend=False)
        svg = Picture(figure, "", theme).svg
        data = json.dumps(self._data(list(drawing.strokes)), separators=(",", ":"))
        parts = {
            "TITLE": self._about,
            "COLOURS": variables(),
            "NETWORK": svg[svg.index("<svg") :],
            "DATA": data.replace("<", r"\u003c"),  # nothing in it ends the script
            "SCRIPT": resource("film.js"),
        }
        return re.sub("__([A-Z]+)__", lambda part: parts[part[1]], resource("film.html"))

    def _data(self, drawn: list[Value]) -> dict[str, Any]:
        """What the page shows: of the parameters those that are drawn."""
        place = {p: i for i, p in enumerate(self.parameters)}
        shown, history, plane = [place[p] for p in drawn], self.history, None
        if self.plane:
            names, kinds = self.plane.names, sorted(set(self.plane.classes.tolist()))
            points = zip(self.plane.at[:MAX_POINTS].tolist(), self.plane.classes.tolist())
            plane = {
                "size": RESOLUTION,
                "low": self.plane.low.tolist(),
                "high": self.plane.high.tolist(),
                "names": names or [f"{kind:g}" for kind in kinds],
                "points": [[*_short(at), kinds.index(kind)] for at, kind in points],
                "moments": [self._regions(self.plane) for _ in self._frames()],
            }
        flow = []
        for _ in self._frames():
            sizes = self._flow().values()
            ends = [(min(filter(None, x), default=0), sum(x) / len(x), max(x)) for x in sizes]
            flow.append([*map(_short, ends)])
        return {
            "loss": _short(history.loss),
            "validation": _short(history.validation),
            "epochs": [frame.epoch for frame in history.frames],
            "labels": [p.label for p in drawn],
            "weights": [_short(frame.numbers[shown]) for frame in history.frames],
            "gradients": [_short(frame.gradients[shown]) for frame in history.frames],
            "flow": flow,
            "plane": plane,
        }

    def _regions(self, plane: Plane) -> dict[str, Any]:
        """The regions of the plane as bytes, and the lines of the hidden neurons."""
        scores = plane.scores(self.model)
        level, two = scores[:, :, 0], scores.shape[2] == 1
        usual = float(np.nanmedian(np.abs(level))) or 1.0
        level = 127 + 127 * level / (np.abs(level) + usual) if two else scores.argmax(axis=2)
        code = b64encode(np.nan_to_num(level).round().astype(np.uint8).tobytes()).decode()
        lines = [_short([*a, *b]) for _, (a, b) in hidden_lines(self.model, plane)]
        return {"two": two, "levels": code, "lines": lines}

    def _frames(self, start: int = 0) -> Iterator[Any]:
        """Every frame, while the copy of the model has its numbers and gradients."""
        for frame in self.history.frames[start:]:
            numbers = zip(frame.numbers.tolist(), frame.gradients.tolist())
            for p, (x, grad) in zip(self.parameters, numbers):
                p.data, p.grad = x, grad
            yield frame

    def _flow(self) -> dict[int, list[float]]:
        """The sizes of the gradients in each layer."""
        return {
            k: [abs(p.grad) for n in layer for p in (*n.weights, *filter(None, [n.bias]))]
            for k, layer in enumerate(self.layers.layers, start=1)
        }

    def _network(self, theme: Theme, *, legend: bool) -> tuple[Drawing, Figure]:
        """The network, whose links have the ids w0, w1 and so on."""
        most = max(abs(frame.numbers).max() for frame in self.history.frames)
        links = find_links(self.layers.graph, "weight", None, sample=False)
        links = links._replace(largest=float(most))
        drawing = Drawing(self.layers, links, theme, SMALL, sample=False)
        figure = drawing.figure(legend=legend)
        assert figure, "a small drawing always fits"
        for i, line in enumerate(drawing.strokes.values()):
            line.set_gid(f"w{i}")
        return drawing, figure

    def _images(self, theme: Theme, start: int = 0) -> Iterator[Image]:
        """Each moment: charts above, the network below."""
        from PIL import Image

        drawing, network = self._network(theme, legend=True)
        for frame in self._frames(start):
            for weight, line in drawing.strokes.items():
                thick, colour = drawing.look(weight.data)
                line.set(linewidth=thick, color=colour)
            pictures = (Picture(figure, "") for figure in (self._charts(frame, theme), network))
            above, below = (Image.open(io.BytesIO(x._render("png", 80))) for x in pictures)
            size = max(above.width, below.width), above.height + below.height
            image = Image.new("RGB", size, theme.page)
            image.paste(above)
            image.paste(below, (0, above.height))
            yield image

    def _gif(self, theme: Theme) -> bytes:
        first, *others = [image.quantize(128) for image in self._images(theme)]
        target, pace = io.BytesIO(), [150] * len(others) + [2000]
        first.save(target, "GIF", save_all=True, append_images=others, duration=pace, loop=0)
        return target.getvalue()

    @property
    def _points(self) -> tuple[float, float]:
        return PAGE, PAGE

    def _render(self, kind: str, dpi: float = DPI) -> bytes:
        """The last moment, for what shows no HTML."""
        (image,), target = self._images(THEMES["light"], -1), io.BytesIO()
        image.save(target, kind)
        return target.getvalue()

    def _charts(self, frame: Any, theme: Theme) -> Figure:
        """The boundary, the loss and the gradients at a moment."""
        figure = new_figure(PAGE, 400, theme)
        about = f"after epoch {frame.epoch}" if frame.epoch else "before training"
        figure.suptitle(about, x=0.02, ha="left", color=theme.ink, fontsize=11)
        left = 0.58 if self.plane else 0.1
        if self.plane:
            axes = style_axes(figure.add_axes((0.08, 0.15, 0.4, 0.77)), theme)
            draw_boundary(axes, self.model, self.plane, theme)
        axes = style_axes(figure.add_axes((left, 0.66, 0.97 - left, 0.26)), theme)
        draw_losses(axes, self.history, theme)
        axes.axvline(frame.epoch, color=theme.ink, linewidth=1)
        if frame.epoch:
            axes = style_axes(figure.add_axes((left, 0.12, 0.97 - left, 0.3)), theme)
            draw_flow(axes, {"": self._flow()}, theme)
        return figure


def _short(numbers: Any) -> list[float | None]:
    """Numbers to four digits; None for what is not finite."""
    return [float(f"{x:.4g}") if math.isfinite(x) else None for x in map(float, numbers)]
