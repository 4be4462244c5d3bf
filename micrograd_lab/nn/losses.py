"""The loss of one sample, as one value: the distance of its outputs from their targets.

Every loss takes an output or a sequence of outputs, and as many targets, which may be values too.
Losses for classes start from scores, the outputs before any sigmoid or softmax, so that nothing
overflows.  What a loss records does not depend on its numbers, and so is right for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import TypeAlias

from ..calculus import dot, logsumexp, take, total
from ..context import Number, set_aside
from ..engine import Value
from ..rows import leaves
from ..tell.notation import subscripted

Numbers: TypeAlias = "Sequence[Number] | Number"


def squared_error(outputs: Numbers, targets: Numbers) -> Value:
    """The lecture's error E = ½ Σ (t − y)².

    Source:
        Lecture 7, "Backpropagation algorithm - Forwarding"; the slide prints 0.191.

    >>> squared_error([Value(0.669), Value(0.659)], [0.1, 0.9])
    Value(E: 0.190921, grad=0)
    """
    errors = []
    for k, output, target in _pairs(outputs, targets):
        difference = labelled(output - target, subscripted("e", k))
        errors.append(labelled(difference.half_square(), subscripted("E", k)))
    return _sum(errors, "E")


def mean_squared_error(outputs: Numbers, targets: Numbers) -> Value:
    """The mean of (t − y)² over the outputs, torch's `MSELoss`.

    >>> mean_squared_error([Value(1), Value(2)], [0, 4]).data
    2.5
    """
    squares = [(output - target) ** 2 for _, output, target in _pairs(outputs, targets)]
    return labelled(total(squares) / len(squares) if len(squares) > 1 else squares[0], "E")


def binary_cross_entropy(scores: Numbers, targets: Numbers) -> Value:
    """The cross entropy of σ(score) with a target between 0 and 1, in nats, summed over the scores.

    Computes  t·softplus(−s) + (1 − t)·softplus(s),  which is  −t·ln σ(s) − (1 − t)·ln(1 − σ(s)).

    Raises:
        ValueError: if a target is not between 0 and 1.

    >>> binary_cross_entropy(Value(1000), 0).data
    1000.0
    """
    losses = []
    for _, score, target in _pairs(scores, targets):
        if not 0 <= target.data <= 1:
            raise ValueError(f"target {target.data:g} is not a probability between 0 and 1")
        loss = dot([target, 1 - target], [(-score).softplus(), score.softplus()])
        set_aside(loss, textbook=(_binary_by_the_book, (score, target)))
        losses.append(loss)
    return _sum(losses, "H")


def cross_entropy(scores: Numbers, targets: Numbers) -> Value:
    """The cross entropy of ``softmax(scores)`` with `targets`, in nats; 0 is certain and right.

    Computes  ln Σ exp(s − Σ t·s),  which is  ln Σ exp(s) − Σ t·s  because the targets sum to 1:
    without probabilities a confident mistake and a confident success keep their digits.

    Args:
        scores: K values, one per class: the network's outputs before softmax.
        targets: the class, counted from 0; or K numbers that sum to 1, a one-hot or soft label.

    Raises:
        ValueError: if the numbers of scores and targets differ, there is only one score or no such
            class, or the targets do not sum to 1 or one is negative.

    Source:
        Lecture 7, "cross entropy with softmax": scores -5, -1, 1, 5 and label 4.  The slide
        prints 0.020621, from probabilities rounded to five places.

    >>> round(cross_entropy([Value(-5), Value(-1), Value(1), Value(5)], [0, 0, 0, 1]).data, 6)
    0.020626
    >>> round(cross_entropy([-5, -1, 1, 5], 3).data, 6)
    0.020626
    """
    if isinstance(targets, str):
        raise TypeError(f"target {targets!r} is a name; give its number, or let fit know the names")
    values, weights = leaves(scores, "y"), leaves(targets, "t", bare=True)
    if len(values) == 1:
        raise ValueError("1 score; cross_entropy needs one per class, binary_cross_entropy takes 1")
    if len(weights) == 1:
        if weights[0].data not in range(len(values)):
            raise ValueError(
                f"class {weights[0].data:g} of {len(values)} scores; they count from 0"
            )
        picked = take(values, weights[0])
        return _entropy([score - picked for score in values], (*values, *weights))
    _pairs(values, weights)
    lowest = min(target.data for target in weights)
    if lowest < -1e-9:
        raise ValueError(f"target {lowest:g} is negative; each is a probability, from 0 to 1")
    target_sum = sum(target.data for target in weights)
    if not abs(target_sum - 1) <= 1e-9:
        raise ValueError(f"targets sum to {target_sum:g}, not 1; divide them by their sum")
    expected = dot(weights, values)
    return _entropy([score - expected for score in values], (*values, *weights))


def hinge(scores: Numbers, targets: Numbers) -> Value:
    """max(0, 1 − t·s) for targets −1 and 1, summed over the scores.

    Raises:
        ValueError: if a target is neither −1 nor 1.

    >>> hinge(Value(0.25), 1).data, hinge(Value(3), 1).data
    (0.75, 0.0)
    """
    losses = []
    for _, score, target in _pairs(scores, targets):
        if abs(target.data) != 1:
            raise ValueError(f"target {target.data:g}; hinge needs -1 or 1")
        losses.append((1 - target * score).relu())
    return _sum(losses, "E")


def softmax(scores: Sequence[Number]) -> list[Value]:
    """The probability of each class: exp(s) / Σ exp(s), computed as exp(s − ln Σ exp(s)).

    Source:
        Lecture 7, "cross entropy with softmax".

    >>> [round(p.data, 5) for p in softmax([-5, -1, 1, 5])]
    [4e-05, 0.00243, 0.01794, 0.97959]
    """
    values = leaves(scores, "s", bare=True)
    found = _numbered(logarithm.exp() for logarithm in log_softmax(values))
    for k, p in enumerate(found):
        set_aside(p, textbook=(partial(_probability, k), values))
    return found


def log_softmax(scores: Sequence[Number]) -> list[Value]:
    """The logarithm of each of the probabilities of `softmax`: s − ln Σ exp(s), without underflow.

    >>> [round(p.data, 5) for p in log_softmax([-1000, 0, 1])]
    [-1001.31326, -1.31326, -0.31326]
    """
    values = leaves(scores, "s", bare=True)
    if not values:
        raise ValueError("0 scores; softmax needs at least 1")
    log_sum = logsumexp(values)
    return [score - log_sum for score in values]


def _entropy(differences: list[Value], computed_from: Sequence[Value]) -> Value:
    loss = labelled(logsumexp(differences), "H")
    count = len(differences)
    set_aside(loss, textbook=(partial(_entropy_by_the_book, count), computed_from))
    return loss


def _entropy_by_the_book(classes: int, *values: Value) -> Value:
    """−Σ t ln p of the probabilities p; or −ln of that of a class."""
    probabilities, targets = _probabilities(values[:classes]), values[classes:]
    if len(targets) == 1:
        return -take(probabilities, targets[0]).log()
    return -dot(targets, [p.log() for p in probabilities])


def _binary_by_the_book(score: Value, target: Value) -> Value:
    """−t ln p − (1 − t) ln(1 − p) of the probability p."""
    p = labelled(score.sigmoid(), "p")
    return -(target * p.log() + (1 - target) * (1 - p).log())


def _probability(k: int, *scores: Value) -> Value:
    return _probabilities(scores)[k]


@lru_cache(maxsize=1)  # what several probabilities of the same scores share is drawn once
def _probabilities(scores: tuple[Value, ...]) -> list[Value]:
    """exp(s) / Σ exp(s) for each score, computed like that."""
    exponentials = [score.exp() for score in scores]
    normalizer = total(exponentials)
    return _numbered(each / normalizer for each in exponentials)


def _numbered(probabilities: Iterable[Value]) -> list[Value]:
    return [labelled(p, subscripted("p", k)) for k, p in enumerate(probabilities, start=1)]


def _pairs(outputs: Numbers, targets: Numbers) -> list[tuple[object, Value, Value]]:
    """A subscript, the output and the target, for each output."""
    y, t = leaves(outputs, "y", bare=True), leaves(targets, "t", bare=True)
    if len(y) != len(t) or not y:
        other = ", or loss=cross_entropy for a class by its number" if len(t) == 1 < len(y) else ""
        raise ValueError(
            f"{len(y)} outputs but {len(t)} targets; give one target per output{other}"
        )
    return [(k if len(y) > 1 else "", *pair) for k, pair in enumerate(zip(y, t), start=1)]


def _sum(losses: list[Value], label: str) -> Value:
    return labelled(total(losses) if len(losses) > 1 else losses[0], label)


def labelled(value: Value, label: str) -> Value:
    """`value`, called `label`."""
    value.label = label
    return value
