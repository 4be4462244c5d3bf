"""Networks: neurons and layers, losses, optimisers, data, training and files of weights."""

from .datasets import Data, circles, digits, gate, moons, spirals
from .losses import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    log_softmax,
    mean_squared_error,
    softmax,
    squared_error,
)  # fmt: skip
from .modules import MLP, Layer, Module, Neuron
from .optim import SGD, Adam, AdamW, cosine, step_decay
from .training import History, accuracy, fit
from .weights import from_torch, load, save, to_torch

__all__ = [
    "MLP", "SGD", "Adam", "AdamW", "Data", "History", "Layer", "Module", "Neuron", "accuracy",
    "binary_cross_entropy", "circles", "cosine", "cross_entropy", "digits", "fit", "from_torch",
    "gate", "hinge", "load", "log_softmax", "mean_squared_error", "moons", "save", "softmax",
    "spirals", "squared_error", "step_decay", "to_torch",
]  # fmt: skip
