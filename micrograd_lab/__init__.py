"""See every scalar of backpropagation, then run it at array speed.

A core that records, and six wings that read the record: tell, draw, step, learn, replay, lecture.
"""

from . import calculus, checks, context, drawing, graph, nn, replaying, stepper, tell
from .calculus import *
from .checks import *
from .context import *
from .drawing import *
from .engine import Value
from .graph import *
from .nn import *
from .replaying import *
from .stepper import *
from .tell import *

# what the core shows in a notebook, which it knows nothing of
Value._repr_mimebundle_ = tell.value_bundle  # type: ignore[attr-defined]
Graph._repr_mimebundle_ = drawing.graph_bundle  # type: ignore[attr-defined]

__version__ = "0.1.0"

__all__ = ["Value"]
__all__ += calculus.__all__
__all__ += context.__all__
__all__ += graph.__all__
__all__ += checks.__all__
__all__ += tell.__all__
__all__ += drawing.__all__
__all__ += stepper.__all__
__all__ += nn.__all__
__all__ += replaying.__all__
