"""A port for the collector of a pod: all pods share the loopback address of this machine."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port of loopback at which no program listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
