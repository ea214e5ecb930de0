"""Face detectors behind one interface: pictures in, boxes with landmarks out."""

from .base import Detection, Detector, PictureError
from .centerface import CenterFace
from .factory import open_detector
from .scrfd import Scrfd

__all__ = ["CenterFace", "Detection", "Detector", "PictureError", "Scrfd", "open_detector"]
