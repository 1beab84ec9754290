"""How finished a caller sounds: melody and rhythm of what was said last."""
