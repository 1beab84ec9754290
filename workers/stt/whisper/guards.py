"""Against what Whisper makes of telephone audio: loops, and, out of noise and silence, the ends of subtitles."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

TOKENS_PER_S, TOKENS_AT_LEAST = 12, 8
"""A fast speaker says six words a second; a language that Whisper's vocabulary knows badly has two tokens to a word."""

MIN_SPEECH_S = 0.06
"""A sound shorter than that is a click. "No" takes 150 ms."""

NO_SPEECH = 0.6
AVERAGE_LOG_PROB = -1.2
"""Silence if the one is exceeded and the other missed. Whisper's own -1.0 is fitted to sentences: single words have
fewer tokens, and are less sure."""
TOLD_NO_SPEECH, TOLD_LOG_PROB = 0.45, -0.8
"""The same behind a text before: noise has the model go on in the words of the question, at -0.85 or less. Answers are
surer there: of 164, at 10 dB over noise too, none that was right is lost (``bench.wer_answers``)."""
HOPELESS_LOG_PROB = -1.8
"""Hardly any text is that unsure of itself and right."""
PHANTOM_NO_SPEECH, PHANTOM_LOG_PROB = 0.3, -0.5
"""The ends of films are believed if the model is sure of them: music, however long, has it say "you" at -0.76 or less,
and with a probability of silence of 0.4 or more."""

_PHANTOMS = {
    "en": (
        "thank you", "thanks", "thank you for watching", "thanks for watching", "thank you very much",
        "thank you so much for watching", "please subscribe", "subscribe", "like and subscribe", "see you next time",
        "see you in the next video", "bye", "bye bye", "you", "the end", "i'm sorry", "music", "applause",
        "silence", "so",
        "subtitles by the amara org community", "transcription by castingwords",
    ),
    "de": (
        "vielen dank", "vielen dank fürs zuschauen", "danke fürs zuschauen", "danke", "untertitel",
        "untertitel im auftrag des zdf 2020", "untertitel der amara org community", "bis zum nächsten mal", "tschüss",
        "untertitelung des zdf 2020", "untertitelung aufgrund der audioqualität nicht möglich", "musik",
    ),
    "fr": (
        "merci", "merci d'avoir regardé cette vidéo", "merci d'avoir regardé", "sous titres réalisés par la communauté "
        "d'amara org", "sous titrage société radio canada", "abonnez vous", "à bientôt", "musique",
    ),
    "es": (
        "gracias", "gracias por ver el vídeo", "gracias por ver", "muchas gracias", "suscríbete", "hasta la próxima",
        "subtítulos realizados por la comunidad de amara org", "subtítulos por la comunidad de amara org", "música",
    ),
}  # fmt: skip
"""What it says of noise, by language: the ends of the films it was trained on."""

_ALWAYS = re.compile(
    r"(amara\W?org|for watching|fürs zuschauen|avoir regardé|por ver|subtitles by|sous-?titrage|untertitel"
    r"|subscribe to|castingwords)",
    re.IGNORECASE,
)
"""No caller says that, however long."""


class Heard(msgspec.Struct, frozen=True):
    """What a pass made of an utterance, before the guards."""

    text: str
    log_prob: float
    """Average over its tokens."""
    no_speech: float
    """Probability of the token for silence."""
    speech_s: float
    """Of audible sound in the audio."""
    language: str
    is_told: bool
    """A text went before."""


def max_tokens(audio_s: float) -> int:
    """What can be said in so much time."""
    return TOKENS_AT_LEAST + round(TOKENS_PER_S * audio_s)


def without_loop(tokens: Sequence[int]) -> tuple[int, ...]:
    """``tokens`` up to where they begin to turn in a circle.

    A circle: eight tokens or more twice in a row, four to seven three times, fewer five times. "No, no, no" is none,
    and neither are the three zeros of a number.
    """
    for end in range(1, len(tokens) + 1):
        for size in range(1, end // 2 + 1):
            times = 2 if size >= 8 else 3 if size >= 4 else 5
            start = end - times * size
            if start >= 0 and all(tokens[i] == tokens[i + size] for i in range(start, end - size)):
                return tuple(tokens[: start + size])
    return tuple(tokens)


def is_phantom(heard: Heard) -> bool:
    """Whether nobody said it."""
    plain = " ".join(re.findall(r"[\w']+", heard.text.casefold()))
    if not plain or heard.speech_s < MIN_SPEECH_S or heard.log_prob < HOPELESS_LOG_PROB:
        return True
    no_speech, log_prob = (TOLD_NO_SPEECH, TOLD_LOG_PROB) if heard.is_told else (NO_SPEECH, AVERAGE_LOG_PROB)
    if heard.no_speech > no_speech and heard.log_prob < log_prob:
        return True
    if _ALWAYS.search(heard.text):
        return True
    is_unsure = heard.no_speech > PHANTOM_NO_SPEECH or heard.log_prob < PHANTOM_LOG_PROB
    return is_unsure and plain in _PHANTOMS.get(heard.language, ())
