"""A certificate for ``localhost`` that nobody trusts unless told to, and its key."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

# Self-signed, 2020 to 2120; made for these tests and of use nowhere else.
_CERTIFICATE = (
    "MIIBaDCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAw"
    "WhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA"
    "BMJn2URqP9x2Q1pAQ3l9KUDzDoX60Ul7PH+rppvZMl7iwjRbZuHpq4OrLeYCsAfjkF2eg2qrnB6PBBbyE69Wh2Wj"
    "TjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBS8t0qC8otJ"
    "qJN3bMFyc+a7be/EOzAKBggqhkjOPQQDAgNJADBGAiEAkPBgvva992uoK7LdVNuUNvy+obJDY63SjskGWzl1BVwC"
    "IQD5gxynYUMFqv5PQW6nzbahefA8VCBfZDACJ+wbqMnbNg=="
)
_KEY = (
    "MHcCAQEEIN+XTELHWnL40OVZtonUli5kV3TFxsx+gUUyhp9Sjcs0oAoGCCqGSM49AwEHoUQDQgAEwmfZRGo/3HZD"
    "WkBDeX0pQPMOhfrRSXs8f6umm9kyXuLCNFtm4emrg6st5gKwB+OQXZ6DaqucHo8EFvITr1aHZQ=="
)


def certificate(folder: Path) -> Path:
    """Write the certificate."""
    file = folder / "localhost.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(base64.b64decode(_CERTIFICATE)))
    return file


def server_context(folder: Path) -> ssl.SSLContext:
    """Build the context of a server that shows the certificate."""
    kind = "EC PRIVATE KEY"
    key = folder / "localhost.key"
    key.write_text(f"-----BEGIN {kind}-----\n{_KEY}\n-----END {kind}-----\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder), key)
    return context
