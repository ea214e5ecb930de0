"""Addresses of cameras as people write them: names, IPv4, IPv6 with or without brackets and scope."""

from __future__ import annotations


def bare_host(text: str) -> str:
    """``[fe80::1%eth0]`` without the brackets; everything else as it is."""
    text = text.strip()
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def address_text(host: str, port: int) -> str:
    """``192.0.2.1:15740`` or ``[::1]:15740``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
