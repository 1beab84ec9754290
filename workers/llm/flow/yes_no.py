"""Yes and no, as callers say them."""

from __future__ import annotations

from ringline.workers.llm.flow.pattern import Node, choice, optional, sequence, unspoken

_AGREEMENT = ("yep", "yup", "sure", "okay", "of course", "absolutely", "exactly", "right", "fine", "perfect", "correct")


def yes() -> Node:
    """Agreement."""
    return choice(
        sequence(choice("yes", "yeah"), optional("please", sequence("that's", choice("right", "correct")))),
        sequence("that's", choice("right", "correct", unspoken("fine", "okay", "perfect"))),
        "correct",
        unspoken(*_AGREEMENT),
    )


def no() -> Node:
    """Refusal."""
    return choice(
        sequence("no", optional("that's wrong", unspoken("thank you", "thanks", "not really"))),
        unspoken("nope", "nah", "wrong", "incorrect"),
        # What they are not sure of is not agreed to.
        unspoken(sequence("not", optional("quite", "really", "so", "at all"), choice(*_AGREEMENT, "yes"))),
    )
