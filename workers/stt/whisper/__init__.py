"""Whisper on CTranslate2: one model for all calls, short contexts, partials as the caller speaks."""
