"""What phrasing costs per token, on replies as models write them.

python -m bench.phrasing [--rounds 300] [--json]
"""

from __future__ import annotations

import argparse
import re
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.reporting import Result, options_of, tell
from ringline.engine.conversation.phrasing import Phraser

REPLIES = (
    ("en", "Sure, I can help you with that! Your appointment with Dr. Smith is on November 24, 2026 at 10:30 a.m. "
     "It costs $25.50. Would you like me to send the details to anna@example.com, or is there anything else?"),
    ("en", "You have **three** options:\n\n1. The standard room, at $120 per night.\n2. The *deluxe* room.\n"
     "3. The suite, with a [view](https://example.com/view) 😊.\n\nWhich one would you like?"),
    ("de", "Gerne, ich schaue kurz nach. Ihr Termin ist am 3. Mai um 10:30 Uhr und kostet 25,50 €. Passt das?"),
    ("zh", "好的，我来帮您查一下，请稍等。您的预约是明天上午！可以吗？"),
)  # fmt: skip


def measure(options: argparse.Namespace) -> Result:
    """Percentiles of microseconds per token."""
    spent_us = []
    for number in range(options.rounds + 1):
        for language, text in REPLIES:
            phraser = Phraser(language)
            for token in re.findall(r"\s?\w{1,6}|.", text, re.DOTALL):
                start_ns = time.perf_counter_ns()
                phraser.feed(token)
                if number:  # the first warms up
                    spent_us.append((time.perf_counter_ns() - start_ns) / 1_000)
            phraser.flush()
    p50, p90, p99, most = (float(us) for us in np.percentile(spent_us, (50, 90, 99, 100)))
    return {"tokens": len(spent_us), "p50_us": p50, "p90_us": p90, "p99_us": p99, "max_us": most}


def show(result: Result, out: Console) -> None:
    """The table."""
    table = Table("tokens", "p50 us", "p90 us", "p99 us", "max us")
    table.add_row(str(result["tokens"]), *(f"{result[f'{name}_us']:.1f}" for name in ("p50", "p90", "p99", "max")))
    out.print(table)


if __name__ == "__main__":
    parser = options_of(__doc__, seed=None, plots=False)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    tell(measure(given), given, show)
