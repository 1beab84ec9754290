"""The engine decides; the workers know nothing of conversations."""
