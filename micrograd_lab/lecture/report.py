"""The lecture's numbers as text: a report for a terminal, and the errata page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from textwrap import fill

from ..tell.notation import number
from .errata import ERRATA
from .examples import RATE, WEIGHTS, network, toy_steps, trained
from .printed import PRINTED
from .tables import ACTIVATIONS


def report() -> str:
    """The slides' numbers beside the engine's, with reasons; updated weights; errata.

    >>> print(*report().splitlines()[:5], sep="\\n")
    Lecture 7, "Neural Networks": the numbers on the slides, computed
    <BLANKLINE>
    Role of hidden layers: a simple example
                           slide says  engine says   why they differ
      NAND(1, 1)                    0  0             exact
    """
    return "\n".join([*_comparison(), *_updates(), *_toy(), *_corrections()])


def errata_page() -> str:
    """The errata as a page of Markdown.

    >>> errata_page().splitlines()[0]
    '# Errata of the lecture'
    """
    return "\n".join(_page()) + "\n"


def _comparison() -> Iterator[str]:
    yield 'Lecture 7, "Neural Networks": the numbers on the slides, computed'
    for slide, group in groupby(PRINTED, key=lambda p: p.slide):
        numbers = list(group)
        both = any(p.corrected != p.computed for p in numbers)
        corrected = f"{'corrected':14}" if both else ""
        yield f"\n{slide}"
        yield f"  {'':20}{'slide says':>11}  {'engine says':14}{corrected}why they differ"
        for p in numbers:
            corrected = f"{p.corrected:<14.8g}" if both else ""
            errata = " ".join(p.errata)
            line = f"  {p.quantity:20}{p.printed:>11}  {p.computed:<14.8g}{corrected}{p.kind}"
            yield line if p.reason or not errata else f"{line}  {errata}"
            if p.reason:
                yield f"{'':35}{p.reason}  {errata}".rstrip()
    yield """
exact            the computed number, rounded to the printed digits
rounded factors  the slide's own arithmetic on rounded factors
truncated        that arithmetic, cut off instead of rounded
erratum          none of these
E1, E2, ...      the errata below that concern it

The engine computes the wiring of the slides; "corrected" has z_1 = σ(a_1) and
z_2 = σ(a_2) (E1)."""


def _updates() -> Iterator[str]:
    yield f"""
Updated weights, η = {RATE}: descent is w − η ∂E/∂w; the slides print w + η ∂E/∂w,
which climbs (E3)
  {"":28}corrected wiring          wiring as printed
  {"":16}{"before":>8}{"descent":>12}{"with +":>12}  {"descent":>12}{"with +":>12}"""
    wirings = [network("corrected"), network("printed")]
    for example in wirings:
        example.result.backward()
    moved = [example.moved(rate) for example in wirings for rate in (-RATE, RATE)]
    for name, before in WEIGHTS.items():
        a, b, c, d = (f"{weights[name]:12.6f}" for weights in moved)
        yield f"  {name:16}{before:8.2f}{a}{b}  {c}{d}"
    for when, steps in [("before", 0), ("after", 1)]:
        a, b, c, d = (
            f"{trained(steps, rate, wiring).result.data:12.6f}"
            for wiring in ("corrected", "printed")
            for rate in (-RATE, RATE)
        )
        yield f"  {f'E {when}':16}{'':8}{a}{b}  {c}{d}"


def _toy() -> Iterator[str]:
    climb, fast = toy_steps(5), toy_steps(4, target=3)
    slow = toy_steps(4, 0.01, target=3)
    yield f"""
The toy's "+" is right: f = {number(climb[0])} has to rise to 3; a network's E has to fall (E13)
  the slide's rule, η = 0.1               f = {", ".join(map(number, climb))}
  descent of E = ½(f − 3)², η = 0.1       f = {", ".join(map(number, fast))}
  descent of E = ½(f − 3)², η = 0.01      f = {", ".join(map(number, slow))}"""


def _corrections() -> Iterator[str]:
    yield "\nErrata → what is right"
    for erratum in ERRATA:
        text = f"{erratum.where} → {erratum.right}"
        yield fill(text, 80, initial_indent=f"  {erratum.id:5}", subsequent_indent=" " * 7)


def _page() -> Iterator[str]:
    yield """# Errata of the lecture

Lecture 7, "Neural Networks", as its slides print it and as the engine computes it.
`micrograd_lab.lecture` generates this page from computed numbers, and a test keeps it up to date.

| | where | the slides | right |
|---|---|---|---|"""
    for erratum in ERRATA:
        yield f"| {erratum.id} | {erratum.where} | {erratum.printed} | {erratum.right} |"
    yield """
## The derivative of ReLU at 0

ReLU has no derivative at 0: from the left the slope is 0, from the right 1.  The lecture's table
counts x = 0 to the right branch and prints 1.  Here the derivative of ReLU at 0 is 0, as in
PyTorch, JAX and micrograd, so a network has the same gradients in all of them; leaky ReLU has its
negative slope there, as in PyTorch.

| activation | f(x) | f′(x) | f′(0), slides | f′(0), here |
|---|---|---|---|---|"""
    for row in ACTIVATIONS:
        slide = "?" if row.slope_on_slide is None else f"{row.slope_on_slide:g}"
        shown = f"`{row.formula}` | `{row.derivative}`"
        yield f"| {row.name} | {shown} | {slide} | {row.slope_at_0:g} |"
    yield """
## Every printed number

*exact*: the computed number, rounded.  *rounded factors*: the slide's own arithmetic on rounded
factors.  *truncated*: that arithmetic, cut off.  *erratum*: none of these.  The engine computes the
wiring of the slides; E1 explains the swap in it.

| slide | quantity | printed | engine | corrected wiring | kind | |
|---|---|---|---|---|---|---|"""
    for p in PRINTED:
        more = "; ".join(filter(None, [p.reason, " ".join(p.errata)]))
        corrected = "" if p.corrected == p.computed else f"{p.corrected:.12g}"
        numbers = f"{p.printed} | {p.computed:.12g} | {corrected}"
        yield f"| {p.slide} | {p.quantity} | {numbers} | {p.kind} | {more} |"
