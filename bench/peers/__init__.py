"""Ringline beside Pipecat and LiveKit Agents: the same caller, the same speech, the same stages, in one run."""
