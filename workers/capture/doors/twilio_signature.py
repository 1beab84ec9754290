"""Whether a WebSocket upgrade was signed by Twilio: base64(HMAC-SHA1(auth token, URL as Twilio dialled it)).

The signature covers the URL alone, so whoever has seen one upgrade could send it again; TLS in front keeps it unseen.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlsplit, urlunsplit


def sign(auth_token: str, url: str) -> str:
    """The signature Twilio sends in ``X-Twilio-Signature``."""
    digest = hmac.new(auth_token.encode(), url.encode("utf-8", "surrogateescape"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def is_signed(auth_token: str, url: str, signature: str) -> bool:
    """Whether the signature is right for the URL, with or without its port: Twilio has signed both forms."""
    given = signature.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(sign(auth_token, form).encode("ascii"), given) for form in _forms(url)]
    return any(matches)


def _forms(url: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(url)
    except ValueError:  # the Host header is the peer's, and may be anything
        return (url,)
    host, _, port = parts.netloc.rpartition(":")
    if host and port.isdigit():
        return url, urlunsplit(parts._replace(netloc=host))
    return url, urlunsplit(parts._replace(netloc=f"{parts.netloc}:443"))
