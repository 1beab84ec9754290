"""Hosted recognisers on loopback: each speaks its vendor's documented protocol and keeps what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TEXT = "I'd like a table for two."
BYTES_PER_S = 32_000


class OpenAiServer:
    """``POST /v1/audio/transcriptions``."""

    def __init__(self) -> None:
        self.requests: list[dict[str, bytes]] = []
        """The form fields of each request; ``authorization`` and ``path`` besides."""
        self.text = TEXT
        self.answers = threading.Event()
        """Clear it, and a request that comes then waits until it is set."""
        self.answers.set()
        self.port = 0


@contextmanager
def openai_server() -> Iterator[OpenAiServer]:
    server = OpenAiServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            form = BytesParser(policy=HTTP).parsebytes(head + body)
            fields = {
                str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
                for part in form.iter_parts()
            }
            fields |= {"authorization": self.headers["Authorization"].encode(), "path": self.path.encode()}
            answers = server.answers
            server.requests.append(fields)  # type: ignore[arg-type]
            answers.wait(20)
            if fields.get("stream") == b"true":
                events = [{"type": "transcript.text.delta", "delta": word + " "} for word in server.text.split()]
                events.append({"type": "transcript.text.done", "text": server.text})
                self._answer("text/event-stream", "".join(f"data: {json.dumps(event)}\n\n" for event in events))
            else:
                self._answer("application/json", json.dumps({"text": server.text}))

        def _answer(self, content_type: str, body: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.block_on_close = False
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, name="test-server")
        thread.start()
        server.port = http.server_port
        yield server
        http.shutdown()
        thread.join()


class Conversation:
    """One WebSocket connection, as the server saw it."""

    def __init__(self, path: str, headers: Any) -> None:
        url = urlsplit(path)
        self.path = url.path
        self.query = {key: values if len(values) > 1 else values[0] for key, values in parse_qs(url.query).items()}
        self.authorization = headers["Authorization"]
        self.audio = b""
        self.controls: list[str] = []
        self.final_s = 0.0
        """Up to here, Nova has said its last word."""


class DeepgramServer:
    """``/v1/listen`` and ``/v2/listen``. It hears a word in every 0.4 s."""

    def __init__(self) -> None:
        self.conversations: list[Conversation] = []
        self.text = TEXT
        self.port = 0
        self.answers_finalize = True
        """As with Deepgram, that is not certain."""
        self.ends_turns = False
        """Report a (speech) final or an eager end of turn behind every message of audio."""

        self.ends_connections = 0
        """So many are closed, in good order, as soon as something was heard."""

    def wants_to_end(self, heard: Conversation) -> bool:
        if self.ends_connections and len(heard.audio) == BYTES_PER_S:
            self.ends_connections -= 1
            return True
        return False

    def words(self, heard: Conversation, start_s: float = 0.0) -> str:
        return " ".join(self.text.split()[int(start_s * 2.5) : len(heard.audio) * 10 // (4 * BYTES_PER_S)])

    def results(self, heard: Conversation, is_final: bool, **fields: Any) -> str:
        """What was said since the last final."""
        start_s, end_s = heard.final_s, len(heard.audio) / BYTES_PER_S
        alternative = {"transcript": self.words(heard, start_s), "confidence": 0.9, "words": []}
        if is_final:
            heard.final_s = end_s
        return json.dumps(
            {
                "type": "Results", "channel_index": [0, 1], "start": start_s, "duration": end_s - start_s,
                "is_final": is_final, "speech_final": False, "channel": {"alternatives": [alternative]},
                "metadata": {"request_id": "r", "model_uuid": "m", "model_info": {}}, **fields,
            }
        )  # fmt: skip

    def turn_info(self, heard: Conversation, event: str) -> str:
        words = [{"word": word, "confidence": 0.8} for word in self.words(heard).split()]
        return json.dumps(
            {
                "type": "TurnInfo", "request_id": "r", "sequence_id": 0, "event": event, "turn_index": 0,
                "audio_window_start": 0.0, "audio_window_end": len(heard.audio) / BYTES_PER_S,
                "transcript": self.words(heard), "words": words, "end_of_turn_confidence": 0.5,
            }
        )  # fmt: skip

    def nova(self, heard: Conversation, socket: Any) -> None:
        for message in socket:
            if isinstance(message, bytes):
                heard.audio += message
                socket.send(self.results(heard, is_final=self.ends_turns, speech_final=self.ends_turns))
                if self.wants_to_end(heard):
                    return
                continue
            heard.controls.append(json.loads(message)["type"])
            if heard.controls[-1] == "Finalize" and self.answers_finalize:
                socket.send(self.results(heard, is_final=True, from_finalize=True))
            elif heard.controls[-1] == "CloseStream":
                socket.send(self.results(heard, is_final=True))
                socket.send(json.dumps({"type": "Metadata", "request_id": "r", "duration": 1.0, "channels": 1}))
                return

    def flux(self, heard: Conversation, socket: Any) -> None:
        socket.send(json.dumps({"type": "Connected", "request_id": "r", "sequence_id": 0}))
        for message in socket:
            if isinstance(message, bytes):
                heard.audio += message
                socket.send(self.turn_info(heard, "EagerEndOfTurn" if self.ends_turns else "Update"))
                if self.wants_to_end(heard):
                    return
                continue
            heard.controls.append(json.loads(message)["type"])
            if heard.controls[-1] == "CloseStream":
                socket.send(self.turn_info(heard, "Update"))
                return


@contextmanager
def deepgram_server() -> Iterator[DeepgramServer]:
    from websockets.sync.server import serve

    server = DeepgramServer()

    def handle(socket: Any) -> None:
        heard = Conversation(socket.request.path, socket.request.headers)
        server.conversations.append(heard)
        (server.flux if heard.path.startswith("/v2/") else server.nova)(heard, socket)

    with serve(handle, "127.0.0.1", 0, compression=None) as made:
        thread = threading.Thread(target=made.serve_forever, name="test-server")
        thread.start()
        server.port = made.socket.getsockname()[1]
        yield server
        made.shutdown()
        thread.join()


class GoogleServer:
    """``google.cloud.speech.v2.Speech/StreamingRecognize``."""

    def __init__(self) -> None:
        self.streams: list[list[Any]] = []
        """The requests of each stream."""
        self.metadata: list[dict[str, Any]] = []
        self.text = TEXT
        self.refuses: Any = None
        """A status code to answer with."""
        self.port = 0


@contextmanager
def google_server() -> Iterator[GoogleServer]:
    import grpc
    from google.cloud.speech_v2.types import cloud_speech as types

    server = GoogleServer()

    def answer(is_final: bool, text: str) -> Any:
        alternative = types.SpeechRecognitionAlternative(transcript=text, confidence=0.9 if is_final else 0.0)
        result = types.StreamingRecognitionResult(alternatives=[alternative], is_final=is_final)
        return types.StreamingRecognizeResponse(results=[result])

    def recognize(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        seen: list[Any] = []
        server.streams.append(seen)
        server.metadata.append(dict(context.invocation_metadata()))
        if server.refuses is not None:
            context.abort(server.refuses, "refused")
        for request in requests:
            seen.append(request)
            if request.audio:
                yield answer(False, server.text.split()[0])
        yield answer(True, server.text)

    method = grpc.stream_stream_rpc_method_handler(
        recognize, types.StreamingRecognizeRequest.deserialize, types.StreamingRecognizeResponse.serialize
    )
    handlers = grpc.method_handlers_generic_handler("google.cloud.speech.v2.Speech", {"StreamingRecognize": method})
    with ThreadPoolExecutor(8, thread_name_prefix="test-server") as threads:
        made = grpc.server(threads)
        made.add_generic_rpc_handlers((handlers,))
        server.port = made.add_insecure_port("127.0.0.1:0")
        made.start()
        yield server
        made.stop(grace=0).wait()


def google_backend(config: Any, port: int, wake: Callable[[], None]) -> Any:
    """A backend that talks to a server on loopback, without TLS and credentials, which the SDK has no setting for."""
    import grpc

    from ringline.workers.stt.google import CHANNEL_OPTIONS, GoogleBackend

    class LocalBackend(GoogleBackend):
        def _load_credentials(self) -> tuple[Any, str]:
            return None, "project"

        def make_channel(self) -> Any:
            return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)

    return LocalBackend(config, wake)
