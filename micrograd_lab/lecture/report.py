"""The lecture's numbers as text for a terminal; ``report.txt`` has the words around them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from textwrap import fill

from ..tell.notation import number
from .errata import ERRATA
from .examples import RATE, WEIGHTS, network, packaged, toy_steps, trained
from .printed import PRINTED


def report() -> str:
    """The slides' numbers beside the engine's, with reasons; updated weights; errata.

    >>> print(*report().splitlines()[:5], sep="\\n")
    Lecture 7, "Neural Networks": the numbers on the slides, computed
    <BLANKLINE>
    Role of hidden layers: a simple example
                           slide says  engine says   why they differ
      NAND(1, 1)                    0  0             exact
    """
    climb, fast, slow = toy_steps(5), toy_steps(4, target=3), toy_steps(4, 0.01, target=3)
    text = packaged("report.txt").format(
        rate=RATE,
        comparison="\n".join(_comparison()),
        updates="\n".join(_updates()),
        toy=number(climb[0]),
        climb=", ".join(map(number, climb)),
        fast=", ".join(map(number, fast)),
        slow=", ".join(map(number, slow)),
        errata="\n".join(_corrections()),
    )
    return text.rstrip()


def _comparison() -> Iterator[str]:
    """A table of the numbers for each slide."""
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


def _updates() -> Iterator[str]:
    """Each weight, then the error, before and after an update."""
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


def _corrections() -> Iterator[str]:
    for erratum in ERRATA:
        text = f"{erratum.where} → {erratum.right}"
        yield fill(text, 80, initial_indent=f"  {erratum.id:5}", subsequent_indent=" " * 7)
