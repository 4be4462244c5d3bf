"""``python -m micrograd_lab`` is ``micrograd-lab``."""

import sys

from .cli import main

sys.exit(main())
