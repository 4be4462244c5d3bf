import pytest

from micrograd_lab.replaying.program import BACKENDS
from micrograd_lab.replaying.tape import kernel


@pytest.fixture(params=BACKENDS)
def backend(request):
    """Every backend that can run here, in turn."""
    if request.param in ("torch", "jax"):
        pytest.importorskip(request.param)
    if request.param == "tape" and not kernel.load():
        pytest.skip("no kernel was compiled for this checkout")
    return request.param
