"""``[llm]`` and ``[[llm.fallback]]``."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ringline.engine.config.table import Count, Milliseconds, Positive, StageBackend, remote_host

FILE = "{file}"
"""In ``serve``: the file of ``model``."""

Temperature = Annotated[float, Meta(ge=0, le=2)]
Seconds = Annotated[float, Meta(gt=0)]


class LlmBackend(StageBackend, frozen=True):
    """What all tables of the stage share."""

    @property
    def warms_prompt(self) -> bool:
        """Whether the prompt is sent ahead."""
        return False


class FlowLlm(LlmBackend, frozen=True, tag="flow"):
    """``[llm] backend = "flow"``: the agent's flow file decides what to say."""


class SyntheticLlm(LlmBackend, frozen=True, tag="synthetic"):
    """``[llm] backend = "synthetic"``"""

    first_token_ms: Milliseconds = 100
    tokens_per_s: Annotated[float, Meta(gt=0)] = 50.0
    text: str = "This is a synthetic reply. It has two sentences."
    fail_every: Count = 0
    """A worker fails every so many-th reply after its first word; 0: none. For tests of fallbacks."""
    hang_every: Count = 0
    """... and writes nothing more of every so many-th."""
    out_of_memory_every: Count = 0
    """... and runs out of memory over every so many-th that the process takes."""


class OpenAiLlm(LlmBackend, frozen=True, tag="openai"):
    """``[llm] backend = "openai"``: any server that speaks OpenAI's chat completions."""

    packages = ("openai",)
    extra = "openai"

    base_url: str = "https://api.openai.com/v1"
    api_key: str = "$OPENAI_API_KEY"
    """``$NAME`` reads the environment variable NAME; a server on this machine needs none."""
    model: str = ""
    """As the server calls it; empty: the first that it lists. Where ``serve`` has ``{file}``: a GGUF file or its
    folder, as a path or a name in the model store."""
    server: Literal["openai", "vllm", "llama.cpp", "other"] = "openai"
    """What answers there: how a reply is continued, and which names settings have, differs. Ollama is one of the
    others."""
    system_role: bool = True
    """Whether the model's chat template takes a system message. One that refuses it is found out by that; what it
    refuses without a word, such as a template that leaves the system message out, must be said here."""
    temperature: Temperature | None = None
    """None: the server's default."""
    max_tokens: Positive = 300
    """Of a reply, tool calls included."""
    extra_body: dict[str, object] = msgspec.field(default_factory=dict)
    """Further fields of each request, as the server has them: ``{ top_k = 20 }``."""
    priority: bool = False
    """Send a ``priority`` with each request, so that committed replies pass drafts. vLLM refuses it unless it runs with
    ``--scheduling-policy priority``, others ignore it."""
    warm_prompt: bool | None = None
    """Send the prompt ahead when the engine starts and when a call begins, so that the server has it computed. None:
    where the server is on this machine; elsewhere it costs money."""
    timeout_s: Seconds = 20.0
    """Without a byte from the server."""
    serve: str = ""
    """A command line that starts the server at ``base_url``; the engine watches it. ``{model}``, ``{host}`` and
    ``{port}`` stand for what is configured here, ``{file}`` for the model's file on this machine, ``{python}`` for the
    interpreter that runs the engine."""
    serve_ready_s: Seconds = 300.0
    """How long the server may take to load its model, started by ``serve`` or by the first request."""

    @property
    def models(self) -> tuple[str, ...]:
        """The one whose file the server is started with."""
        return (self.model,) if FILE in self.serve else ()

    @property
    def remote_host(self) -> str:
        """The server's host, if it is another machine."""
        return remote_host(self.base_url)

    @property
    def warms_prompt(self) -> bool:
        """As configured."""
        return not self.remote_host if self.warm_prompt is None else self.warm_prompt


class AnthropicLlm(LlmBackend, frozen=True, tag="anthropic"):
    """``[llm] backend = "anthropic"``: Anthropic's messages API."""

    packages = ("anthropic",)
    extra = "anthropic"

    base_url: str = "https://api.anthropic.com"
    api_key: str = "$ANTHROPIC_API_KEY"
    """``$NAME`` reads the environment variable NAME."""
    model: str = "claude-haiku-4-5"
    max_tokens: Positive = 300
    """Of a reply, tool calls included."""
    extra_body: dict[str, object] = msgspec.field(default_factory=dict)
    """Further fields of each request, as the service has them: ``{ temperature = 0.5 }`` for models that take it."""
    warm_prompt: bool = False
    """Send the prompt ahead when the engine starts and when a call begins, so that the service has it cached. It is
    paid for."""
    timeout_s: Seconds = 20.0
    """Without a byte from the service."""

    @property
    def remote_host(self) -> str:
        """The service's host."""
        return remote_host(self.base_url)

    @property
    def warms_prompt(self) -> bool:
        """As configured."""
        return self.warm_prompt


class CTranslate2Llm(LlmBackend, frozen=True, kw_only=True, tag="ctranslate2"):
    """``[llm] backend = "ctranslate2"``: a small chat model in the worker itself, on the CPU."""

    packages = ("ctranslate2", "tokenizers", "jinja2")
    extra = "ctranslate2"
    model_keys = ("model",)

    model: str
    """A folder of ct2-transformers-converter, with the model's tokenizer.json and tokenizer_config.json: its path, or
    its name in the folder of models."""
    compute_type: str = "int8"
    """As CTranslate2 calls it."""
    max_batch: Positive = 8
    """Replies that are written together."""
    max_tokens: Positive = 120
    """Of a reply, tool calls included."""
    temperature: Temperature = 0.7
    top_k: Positive = 20
    """So many of the likeliest tokens are drawn from."""

    @property
    def warms_prompt(self) -> bool:
        """It keeps what it has computed."""
        return True


LlmConfig = FlowLlm | SyntheticLlm | OpenAiLlm | AnthropicLlm | CTranslate2Llm
