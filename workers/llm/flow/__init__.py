"""The flow brain: a flow file (TOML) of states decides what the bot says, what it understands, and what it does.

One definition serves both ends: a state's phrases become the grammar that the recogniser listens with, and the parser
that reads the transcript back into slots. See `flow_file` for the format and ``examples/clinic`` for a whole one.
"""

from ringline.workers.llm.flow.backend import FlowBackend
from ringline.workers.llm.flow.flow_file import FlowError

__all__ = ["FlowBackend", "FlowError"]
