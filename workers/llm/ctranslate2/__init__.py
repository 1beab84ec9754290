"""A chat model in the worker's own process, by CTranslate2: for CPU machines without a server."""
