"""Models of true architecture and format with random weights, for benches and tests: they cost what real ones do."""
