"""What the official SDKs of OpenAI and Anthropic have in common: both are made by one generator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ringline.workers.base import CannotStart
from ringline.workers.extras import require
from ringline.workers.retry import retry_pause_s

log = logging.getLogger("ringline.llm")

CONNECT_S = 3.0
KEEP_ALIVE_S = 120.0
"""A caller may speak for long: the connection is still there when they have finished."""


def http_client(sdk: Any, extra: str, timeout_s: float, max_calls: int) -> Any:
    """A pool of connections: one for each call is kept open between its turns."""
    httpx = require("httpx2", extra)
    limits = httpx.Limits(max_keepalive_connections=max_calls, keepalive_expiry=KEEP_ALIVE_S)
    return sdk.DefaultAsyncHttpxClient(timeout=httpx.Timeout(timeout_s, connect=CONNECT_S), limits=limits)


def connection_errors(extra: str) -> tuple[type[Exception], ...]:
    """What breaks a response off that has begun, silence for too long left out."""
    httpx = require("httpx2", extra)
    return httpx.NetworkError, httpx.ProtocolError, httpx.DecodingError


async def list_models(sdk: Any, client: Any, api_key: str) -> list[str]:
    """The models that the server has; none if it does not say. ``api_key``: as configured.

    Raises CannotStart, and closes the client, where the key is refused. A server that does not answer may come later.
    """
    try:
        return [model.id for model in (await client.models.list()).data or ()]
    except (sdk.AuthenticationError, sdk.PermissionDeniedError) as error:
        await client.close()
        name = api_key if api_key.startswith("$") else "api_key"
        raise CannotStart(f"{client.base_url} refuses the key in {name}: {error}") from error
    except (sdk.APIError, ValueError, TypeError, AttributeError) as error:  # the last two: it answers something else
        log.error("the server does not list its models", extra={"url": str(client.base_url), "error": str(error)})
        return []


async def open_stream(sdk: Any, create: Callable[[], Awaitable[Any]]) -> Any:
    """The server's answer to a request, as a stream of which nothing is read yet."""
    attempt = 0
    while True:
        try:
            return await create()
        except sdk.APITimeoutError:
            raise
        except sdk.APIConnectionError as error:
            failure, pause_s = error, retry_pause_s(attempt, None)
        except sdk.APIStatusError as error:
            retry_after = error.response.headers.get("retry-after")
            failure, pause_s = error, retry_pause_s(attempt, error.status_code, retry_after)
        if pause_s is None:
            raise failure
        attempt += 1
        await asyncio.sleep(pause_s)
