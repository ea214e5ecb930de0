"""A virtual Nikon Z8: answers PTP as the body does, over PTP/IP or as an in-memory USB device, and fails on request.

>>> server = PtpIpServer(VirtualZ8(controls), host="127.0.0.1", port=0)
>>> server.start(); server.port; server.stop()
"""

from .faults import Fault, FaultKind, Faults
from .grip import GripEar, grip_of
from .ptpip_server import PtpIpServer
from .responder import VirtualZ8

__all__ = ["Fault", "FaultKind", "Faults", "GripEar", "PtpIpServer", "VirtualZ8", "grip_of"]
