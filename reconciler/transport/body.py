"""Reads a streamed body up to a cap; compressed bytes never unfold beyond it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

ENCODINGS = "gzip"
"""What a request may ask for in ``Accept-Encoding``."""


class BodyTooLargeError(ValueError):
    """The body is larger than its cap."""


class BodyDamagedError(ValueError):
    """The body cannot be decompressed, or it ends too early."""


def read_body(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes:
    """Join the chunks of a body.

    Args:
        chunks: As received, still compressed.
        encoding: ``Content-Encoding`` of the answer; empty and ``identity`` are plain.
        limit: Most bytes, decompressed.

    Raises:
        BodyTooLargeError: As soon as the cap is passed; the rest is not read.
        BodyDamagedError: For broken or unknown compression.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return _plain(chunks, limit)
        case "gzip" | "x-gzip":
            return _gzip(chunks, limit)
        case other:
            message = f"the answer is compressed by {other!r}, which was not asked for"
            raise BodyDamagedError(message)


def _plain(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise BodyTooLargeError
    return bytes(body)


def _gzip(chunks: Iterable[bytes], limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    body = bytearray()
    try:
        for chunk in chunks:
            body += unpacker.decompress(chunk, limit + 1 - len(body))
            if len(body) > limit:
                raise BodyTooLargeError
    except zlib.error as error:
        raise BodyDamagedError(str(error)) from None
    if body and not unpacker.eof:
        message = "the compressed answer ends too early"
        raise BodyDamagedError(message)
    return bytes(body)
