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
    def __pos__(self) -> Self: ...
    def __abs__(self) -> Self: ...
    def __add__(self, other: SupportsFloat) -> Self: ...
    def __radd__(self, other: SupportsFloat) -> Self: ...
    def __sub__(self, other: SupportsFloat) -> Self: ...
    def __rsub__(self, other: SupportsFloat) -> Self: ...
    def __mul__(self, other: SupportsFloat) -> Self: ...
    def __rmul__(self, other: SupportsFloat) -> Self: ...
    def __truediv__(self, other: SupportsFloat) -> Self: ...
    def __rtruediv__(self, other: SupportsFloat) -> Self: ...
    def __pow__(self, other: SupportsFloat) -> Self: ...
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
    def expm1(self) -> Self:
        """expm1(x), with ∂/∂x = exp(x)."""
    def log1p(self) -> Self:
        """log1p(x), with ∂/∂x = 1 / (1 + x)."""
    def sqrt(self) -> Self:
        """sqrt(x), with ∂/∂x = 1 / (2 * f)."""
    def sin(self) -> Self:
        """sin(x), with ∂/∂x = cos(x)."""
    def cos(self) -> Self:
        """cos(x), with ∂/∂x = -sin(x)."""
    def tan(self) -> Self:
        """tan(x), with ∂/∂x = 1 + f ** 2."""
    def atan(self) -> Self:
        """atan(x), with ∂/∂x = 1 / (1 + x * x)."""
    def erf(self) -> Self:
        """erf(x), with ∂/∂x = 2 / sqrt(3.141592653589793) * exp(-x ** 2)."""
    def erfc(self) -> Self:
        """erfc(x), with ∂/∂x = -1.1283791670955126 * exp(-x * x)."""
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
    def silu(self) -> Self:
        """x * sigmoid(x), with ∂/∂x = sigmoid(x) + f * sigmoid(-x)."""
    def gelu(self) -> Self:
        """x * (1 + erf(x / sqrt(2))) / 2, with ∂/∂x = 0.5 + 0.5 * erf(0.7071067811865476 * x) +
        0.3989422804014327 * x * exp(-0.5 * x ** 2)."""
    def gelu_tanh(self) -> Self:
        """x * sigmoid(x * (1.5957691216057308 + 0.07135481627260025 * x * x)), with ∂/∂x =
        sigmoid(x * (1.5957691216057308 + 0.07135481627260025 * x * x)) + f * sigmoid(-x *
        (1.5957691216057308 + 0.07135481627260025 * x * x)) * (1.5957691216057308 +
        0.21406444881780076 * x * x)."""
    def step(self) -> Self:
        """1 if x >= 0 else 0, with ∂/∂x = 0."""
    def identity(self) -> Self:
        """x, with ∂/∂x = 1."""
    def leaky_relu(self, n: SupportsFloat = 0.01) -> Self:
        """x if x > 0 else n * x, with ∂/∂x = 1 if x > 0 else n."""
    def elu(self, n: SupportsFloat = 1.0) -> Self:
        """x if x > 0 else n * (exp(x) - 1), with ∂/∂x = 1 if x > 0 else n * exp(x)."""
    def pow_scalar(self, n: SupportsFloat = 2.0) -> Self:
        """x ** n, with ∂/∂x = n * x ** (n - 1)."""
