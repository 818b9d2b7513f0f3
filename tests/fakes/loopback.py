"""HTTP to an emulator on loopback, which speaks no TLS: no authorities are read for it."""

from __future__ import annotations

import ssl

import httpx

# Reading the world's authorities takes 20 ms, and a test opens many clients.
_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client(url: str, seconds: float) -> httpx.Client:
    """A client for one emulator; close it."""
    return httpx.Client(base_url=url, timeout=seconds, trust_env=False, verify=_NOBODY)
