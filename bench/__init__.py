"""Measurements: what each stage costs, and what else there is that does the same."""
