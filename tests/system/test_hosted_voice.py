"""Hosted voices in worker processes of their own."""

from __future__ import annotations

from typing import Any

from voice_servers import KEY, CartesiaServer, ElevenLabsServer

from ringline.ipc.messages import PhraseFailed, WordMarks

TABLE = """
[[tts.fallback]]
backend = "{vendor}"
base_url = "http://127.0.0.1:{port}"
api_key = "{key}"
language = "en"
"""


async def test_call_is_answered_by_the_hosted_voice_that_works(start: Any) -> None:
    with CartesiaServer() as refusing, ElevenLabsServer() as working:
        tables = [TABLE.format(vendor=server.vendor, port=server.port, key=KEY) for server in (refusing, working)]
        async with start(text="This is the sentence.", tts="fail_every = 1", extra="".join(tables)) as running:
            await running.until_ready()
            refusing.errors = [{"type": "error", "done": True, "title": "Credit limit", "status_code": 402}] * 9
            result = await running.call()
        assert result.succeeded
        reasons = {failed.reason for failed in running.of(PhraseFailed)}
        assert reasons == {"RuntimeError: this one fails, as configured", "ServiceError: Credit limit"}
        assert len(running.of(WordMarks)) > 0
        assert (len(refusing.handshakes), len(working.handshakes)) == (1, 1)
