"""The reply's text, as it streams in, made into phrases for TTS.

`reader.py` takes the markup out and finds the words, `phraser.py` groups them into phrases, `boundaries.py` knows where
a sentence or a clause ends, `speaking/` writes numbers and the like as people say them. Everything here is a function
of the text alone: the same reply gives the same phrases, however it was cut into deltas.
"""

from ringline.engine.conversation.phrasing.phrase import Phrase, Word
from ringline.engine.conversation.phrasing.phraser import Phraser

__all__ = ["Phrase", "Phraser", "Word"]
