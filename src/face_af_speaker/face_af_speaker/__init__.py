"""Knows people by their voices."""

import os

# as in face_af_perception: small matrices, and OpenBLAS reads this when NumPy is first imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
