"""A port for a server that has to be told one."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

HOST = "127.0.0.1"


def free_port() -> int:
    """Below those that the system hands out by itself: until the server has it, no other program is given it."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)  # not of a seed, which other workers have too
        with suppress(OSError), socket.create_server((HOST, port)):
            return port
