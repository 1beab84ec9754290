"""How late a call's frames leave: a histogram of tenths of milliseconds."""

from __future__ import annotations

BUCKET_NS = 100_000
NUM_BUCKETS = 500
"""Up to 50 ms; what is later counts as that."""


class Lateness:
    """Counts of frames by how long after their deadline they were sent."""

    def __init__(self) -> None:
        self.counts = [0] * NUM_BUCKETS

    def add(self, late_ns: int) -> None:
        """One frame."""
        self.counts[min(max(0, late_ns // BUCKET_NS), NUM_BUCKETS - 1)] += 1

    def percentile_ms(self, percent: float) -> float:
        """Upper bound of the bucket in which the percentile lies; 0 without any frame."""
        wanted = sum(self.counts) * percent / 100
        seen = 0
        for bucket, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return (bucket + 1) * BUCKET_NS / 1e6
        return 0.0

    def stats(self) -> dict[str, float]:
        """What `CallEnded` says of it."""
        return {f"late_p{percent}_ms": self.percentile_ms(percent) for percent in (50, 99, 100)}
