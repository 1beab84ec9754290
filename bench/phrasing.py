"""What phrasing costs per token, on replies as models write them.

python -m bench.phrasing
"""

from __future__ import annotations

import re
import time

import numpy as np

from ringline.engine.conversation.phrasing import Phraser

REPLIES = (
    ("en", "Sure, I can help you with that! Your appointment with Dr. Smith is on November 24, 2026 at 10:30 a.m. "
     "It costs $25.50. Would you like me to send the details to anna@example.com, or is there anything else?"),
    ("en", "You have **three** options:\n\n1. The standard room, at $120 per night.\n2. The *deluxe* room.\n"
     "3. The suite, with a [view](https://example.com/view) 😊.\n\nWhich one would you like?"),
    ("de", "Gerne, ich schaue kurz nach. Ihr Termin ist am 3. Mai um 10:30 Uhr und kostet 25,50 €. Passt das?"),
    ("zh", "好的，我来帮您查一下，请稍等。您的预约是明天上午！可以吗？"),
)  # fmt: skip
ROUNDS = 300


def main() -> None:
    """Measure and print."""
    spent_us = []
    for round_ in range(ROUNDS + 1):
        for language, text in REPLIES:
            phraser = Phraser(language)
            for token in re.findall(r"\s?\w{1,6}|.", text, re.DOTALL):
                start_ns = time.perf_counter_ns()
                phraser.feed(token)
                if round_:  # the first warms up
                    spent_us.append((time.perf_counter_ns() - start_ns) / 1_000)
            phraser.flush()
    p50, p90, p99, most = np.percentile(spent_us, (50, 90, 99, 100))
    print(f"{len(spent_us)} tokens: p50 {p50:.1f} us, p90 {p90:.1f} us, p99 {p99:.1f} us, most {most:.1f} us")


if __name__ == "__main__":
    main()
