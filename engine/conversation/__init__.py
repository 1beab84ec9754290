"""The sans-IO core: turn-taking as a pure function of state, event and time."""

from ringline.engine.conversation.conversation import Action, Conversation, Event

__all__ = ["Action", "Conversation", "Event"]
