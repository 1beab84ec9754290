"""What the engine itself says, where neither the agent nor its model can: by language."""

from __future__ import annotations

import msgspec

from ringline.engine.conversation.language_tags import primary_language


class Phrasebook(msgspec.Struct, frozen=True):
    """One language."""

    again: str
    """Where the model had nothing to say to what the caller said, asked twice."""
    fillers: tuple[str, ...]
    """While the caller waits, in turn."""
    apology: str
    """Before the call is ended because nothing works."""
    transfer: str
    """... or handed to a person."""
    lost_thread: str
    """Behind a reply whose end could not be spoken."""


_PHRASEBOOKS = {
    "en": Phrasebook(
        "Sorry, could you say that again?",
        ("One moment, please.", "I am still on it.", "Thank you for waiting."),
        "I am sorry, something went wrong on our side. Please call again a little later.",
        "I am sorry, something went wrong on our side. I will put you through to a colleague.",
        "Sorry, I lost my thread there.",
    ),
    "de": Phrasebook(
        "Entschuldigung, können Sie das noch einmal sagen?",
        ("Einen Moment, bitte.", "Ich bin noch dabei.", "Danke für Ihre Geduld."),
        "Es tut mir leid, bei uns ist etwas schiefgegangen. Bitte rufen Sie etwas später noch einmal an.",
        "Es tut mir leid, bei uns ist etwas schiefgegangen. Ich verbinde Sie mit einer Kollegin.",
        "Entschuldigung, ich habe den Faden verloren.",
    ),
    "fr": Phrasebook(
        "Pardon, pouvez-vous répéter ?",
        ("Un instant, s'il vous plaît.", "Je m'en occupe.", "Merci de patienter."),
        "Je suis désolé, nous avons un problème technique. Merci de rappeler un peu plus tard.",
        "Je suis désolé, nous avons un problème technique. Je vous passe un collègue.",
        "Pardon, j'ai perdu le fil.",
    ),
    "es": Phrasebook(
        "Perdone, ¿puede repetirlo?",
        ("Un momento, por favor.", "Sigo en ello.", "Gracias por esperar."),
        "Lo siento, tenemos un problema técnico. Por favor, vuelva a llamar un poco más tarde.",
        "Lo siento, tenemos un problema técnico. Le paso con un compañero.",
        "Perdone, he perdido el hilo.",
    ),
}


def phrasebook(language: str) -> Phrasebook:
    """That of a language tag such as ``en`` or ``de-AT``; English for languages without one."""
    return _PHRASEBOOKS.get(primary_language(language), _PHRASEBOOKS["en"])
