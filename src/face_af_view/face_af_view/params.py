"""Parameters of the debug view and of the page."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import ParamError, param


@dataclass(frozen=True)
class DebugViewParams:
    height: int = param(
        720,
        "rows of the debug image, its bar included; a smaller camera image is not enlarged",
        unit="px",
        low=120,
        high=4320,
    )
    jpeg_quality: int = param(80, "quality of debug/image/compressed", low=10, high=100)
    max_rate: float = param(30.0, "most debug images drawn in a second", unit="Hz", low=0.5, high=120.0)
    patience: float = param(
        0.3,
        "seconds that a frame waits for its faces, boxes and state before it is drawn without them",
        unit="s",
        low=0.02,
        high=2.0,
    )


@dataclass(frozen=True)
class PageParams:
    bind: str = param(
        "127.0.0.1",
        "address to serve the page on; anything but loopback asks every device to be paired (0.0.0.0: all networks)",
        read_only=True,
    )
    port: int = param(8443, "TCP port of the page; 0 takes a free one", low=0, high=65535, read_only=True)
    tls: str = param(
        "auto",
        "serve https; auto: unless the page is on loopback only",
        choices=("auto", "on", "off"),
        read_only=True,
    )
    certificate: str = param("", "certificate chain, a PEM file; empty: one of the machine's own", read_only=True)
    key: str = param("", "the certificate's private key, a PEM file; empty: in the same file", read_only=True)
    mdns_name: str = param("face-af", "the page is NAME.local on the network; empty: no such name", read_only=True)
    max_rate: float = param(30.0, "most frames sent to a viewer in a second", unit="Hz", low=0.5, high=120.0)
    upload_mb: int = param(25, "largest photograph that is taken", unit="MB", low=1, high=100)

    def check(self) -> None:
        if self.key and not self.certificate:
            raise ParamError("key is of no use without certificate")
