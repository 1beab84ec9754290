"""Model files: where they lie, and what to do where they are missing. Nothing is downloaded while calls run."""
