"""``python -m ringline.workers.llm.flow FOLDER [STATE...]`` prints the grammars of an agent's flow."""

from __future__ import annotations

import sys

from ringline.workers.llm.flow.compile import load
from ringline.workers.llm.flow.flow_file import FlowError


def main(arguments: list[str]) -> int:
    """Print the grammar of each state that waits for the caller. Returns the exit status."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        flow = load(arguments[0])
    except (FlowError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for name, state in flow.states.items():
        if state.expect.grammar and name in (arguments[1:] or flow.states):
            print(state.expect.grammar)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
