"""Models in the formats of the real ones, for tests and benchmarks: made on the spot, with random weights."""
