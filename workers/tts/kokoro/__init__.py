"""Kokoro: a small model (82 million weights) with many voices, in seven languages.

`model.py` makes a sound of a text, `alphabet.py` writes espeak-ng's phonemes as Kokoro knows them, `voices.py` reads
and blends voices, `files.py` knows what lies in the model's folder, `runtimes.py` runs the network.
"""
