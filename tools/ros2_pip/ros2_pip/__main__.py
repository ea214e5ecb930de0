"""``python -m ros2_pip`` is ``ros2``."""

import sys

from .main import main

sys.exit(main())
