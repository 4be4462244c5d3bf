"""Lecture 7, "Neural Networks", as data: its examples recorded, its numbers computed, its errata.

The engine computes every number here from the lecture's inputs.  Each printed number stands beside
its slide's title: `PRINTED` explains how it comes about, and `ERRATA` lists the mistakes,
roundings and ambiguities of the slides.

>>> from micrograd_lab import lecture
>>> example = lecture.network()
>>> example.result.backward()
>>> round(example["w_{1,1}^{(2)}"].grad, 6)
0.068602

Source:
    Suyong Eum, "Practical Machine Learning", lecture 7.
"""

from . import examples, printed
from .examples import *
from .printed import *

__all__ = examples.__all__ + printed.__all__
