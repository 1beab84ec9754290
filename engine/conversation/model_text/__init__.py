"""What a language model writes, before it is speech: thoughts, control tokens, tools asked for in text, JSON."""

from __future__ import annotations

from ringline.engine.conversation.model_text.model_text import ModelText
from ringline.engine.conversation.model_text.openings import ends_in_thought
from ringline.engine.conversation.model_text.tool_text import Tools, WrittenCall, tools_of

__all__ = ["ModelText", "Tools", "WrittenCall", "ends_in_thought", "tools_of"]
