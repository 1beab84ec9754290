"""The simulated caller: a process that knows nothing of an engine but its wire, and measures it there.

`ringline.tools.caller.run.run_calls` places calls; `ringline.tools.caller.cli` is ``ringline call``.
"""
