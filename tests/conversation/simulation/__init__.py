"""Calls in virtual time, with everything that can happen in them at random, and what must hold whatever happens."""
