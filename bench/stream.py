"""Streams, one at a time: when the first event comes, and how evenly the others follow.

A raw socket, so that the times are those of the bytes and not of a client library.
"""

from __future__ import annotations

import socket
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Streamed:
    """Times of one stream, in milliseconds."""

    first_ms: float
    gaps_ms: list[float]

    @property
    def median_gap_ms(self) -> float:
        return statistics.median(self.gaps_ms)


def request(port: int, path: str, body: bytes) -> Streamed:
    """Sends one request and notes when each event arrives."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"accept: text/event-stream\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent = time.perf_counter()
        connection.sendall(head.encode() + body)
        arrivals, received = [], b""
        while chunk := connection.recv(65536):
            if b"data:" in chunk:
                arrivals.append(time.perf_counter())
            received += chunk
    if b" 200 " not in received.split(b"\r\n", 1)[0] or len(arrivals) < 2:
        raise RuntimeError(f"no stream: {received[:300]!r}")
    gaps = [(b - a) * 1e3 for a, b in zip(arrivals, arrivals[1:], strict=False)]
    return Streamed((arrivals[0] - sent) * 1e3, gaps)
