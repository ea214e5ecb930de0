"""Finds, follows and recognises faces."""

import os

# The matrices here are small: OpenBLAS with several threads waits for busy cores and takes 40 times as long on a loaded
# machine. It reads this when NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
