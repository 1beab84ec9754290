"""LLM: replies."""

from __future__ import annotations

from ringline.engine.config import AnthropicLlm, Config, CTranslate2Llm, FlowLlm, LlmConfig, OpenAiLlm, SyntheticLlm
from ringline.workers.llm.backend import LlmBackend


def make_backend(config: Config) -> LlmBackend:
    """The configured backend; its imports happen here."""
    match config.llm:
        case FlowLlm():
            from ringline.workers.llm.flow import FlowBackend

            return FlowBackend()
        case SyntheticLlm():
            from ringline.workers.llm.synthetic import SyntheticLlm as SyntheticBackend

            return SyntheticBackend(config.llm)
        case OpenAiLlm():
            from ringline.workers.llm.openai import OpenAiBackend

            return OpenAiBackend(config.llm, config.engine.max_calls)
        case AnthropicLlm():
            from ringline.workers.llm.anthropic import AnthropicBackend

            return AnthropicBackend(config.llm, config.engine.max_calls)
        case CTranslate2Llm():
            from ringline.workers.llm.ctranslate2.backend import CTranslate2Backend

            return CTranslate2Backend(config.llm)


def examine(config: LlmConfig) -> str:
    """Whether the backend would find what it loads, without loading it.

    Returns what there is, in a few words; empty where there is nothing to look at. Raises
    `ringline.workers.base.CannotStart`.
    """
    if isinstance(config, CTranslate2Llm):
        from ringline.workers.llm.ctranslate2.chat_model import ChatModel
        from ringline.workers.models.store import locate

        ChatModel(locate(config.model))
        return "a chat template"
    if isinstance(config, OpenAiLlm) and config.models:
        from ringline.workers.llm.llama_cpp import find

        return find(config.model).name
    return ""
