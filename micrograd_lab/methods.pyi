"""What the table of ``ops.py`` gives to `Value`; written by tests/core/methods.py, and tested."""

from collections.abc import Callable
from typing import Any, SupportsFloat

from typing_extensions import Self

class Methods:
    m: Any
    v: Any
    velocity: Any
    momentum: Any
    @property
    def _backward(self) -> Callable[[], None]: ...
    @_backward.setter
    def _backward(self, function: Callable[[], None]) -> None: ...
    def __array_ufunc__(self, ufunc: Any, how: str, *inputs: Any, **options: Any) -> Any: ...
    def __copy__(self) -> Self: ...
    def __neg__(self) -> Self: ...
    def __abs__(self) -> Self: ...
    def __add__(self, other: SupportsFloat) -> Self: ...
    def __sub__(self, other: SupportsFloat) -> Self: ...
    def __rsub__(self, other: SupportsFloat) -> Self: ...
    def __mul__(self, other: SupportsFloat) -> Self: ...
    def __rmul__(self, other: SupportsFloat) -> Self: ...
    def __truediv__(self, other: SupportsFloat) -> Self: ...
    def __rtruediv__(self, other: SupportsFloat) -> Self: ...
    def __rpow__(self, other: SupportsFloat) -> Self: ...
    def __lt__(self, other: SupportsFloat) -> bool: ...
    def __le__(self, other: SupportsFloat) -> bool: ...
    def __gt__(self, other: SupportsFloat) -> bool: ...
    def __ge__(self, other: SupportsFloat) -> bool: ...
    def neg(self) -> Self:
        """-x, with ∂/∂x = -1."""
    def half_square(self) -> Self:
        """x ** 2 / 2, with ∂/∂x = x."""
    def exp(self) -> Self:
        """exp(x), with ∂/∂x = f."""
    def log(self) -> Self:
        """log(x), with ∂/∂x = 1 / x."""
    def sqrt(self) -> Self:
        """sqrt(x), with ∂/∂x = 1 / (2 * f)."""
    def sin(self) -> Self:
        """sin(x), with ∂/∂x = cos(x)."""
    def cos(self) -> Self:
        """cos(x), with ∂/∂x = -sin(x)."""
    def abs(self) -> Self:
        """abs(x), with ∂/∂x = 1 if x > 0 else -1 if x < 0 else 0."""
    def tanh(self) -> Self:
        """tanh(x), with ∂/∂x = 1 - f ** 2."""
    def sigmoid(self) -> Self:
        """1 / (1 + exp(-x)), with ∂/∂x = f * (1 - f)."""
    def softplus(self) -> Self:
        """log(1 + exp(x)), with ∂/∂x = 1 / (1 + exp(-x))."""
    def relu(self) -> Self:
        """x if x > 0 else 0, with ∂/∂x = 1 if x > 0 else 0."""
    def step(self) -> Self:
        """1 if x >= 0 else 0, with ∂/∂x = 0."""
    def identity(self) -> Self:
        """x, with ∂/∂x = 1."""
    def leaky_relu(self, n: SupportsFloat = 0.01) -> Self:
        """x if x > 0 else n * x, with ∂/∂x = 1 if x > 0 else n."""
    def pow_scalar(self, n: SupportsFloat = 2.0) -> Self:
        """x ** n, with ∂/∂x = n * x ** (n - 1)."""
