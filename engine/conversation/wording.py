"""What the engine itself says, where neither the agent nor its model can: by language."""

from __future__ import annotations

import msgspec

from ringline.engine.conversation.language_tags import primary_language


class Phrasebook(msgspec.Struct, frozen=True):
    """One language."""

    hello: str
    """Where the model had nothing to say when the call began, asked twice, ..."""
    again: str
    """... to what the caller said, ..."""
    still_there: str
    """... when they said nothing, ..."""
    goodbye: str
    """... and when the call is ended for that."""
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
        "Hello, how can I help you?",
        "Sorry, could you say that again?",
        "Are you still there?",
        "I cannot hear you. Please call again. Goodbye.",
        ("One moment, please.", "I am still on it.", "Thank you for waiting."),
        "I am sorry, something went wrong on our side. Please call again a little later.",
        "I am sorry, something went wrong on our side. I will put you through to a colleague.",
        "Sorry, I lost my thread there.",
    ),
    "de": Phrasebook(
        "Guten Tag, was kann ich für Sie tun?",
        "Entschuldigung, können Sie das noch einmal sagen?",
        "Sind Sie noch da?",
        "Ich kann Sie nicht hören. Bitte rufen Sie noch einmal an. Auf Wiederhören.",
        ("Einen Moment, bitte.", "Ich bin noch dabei.", "Danke für Ihre Geduld."),
        "Es tut mir leid, bei uns ist etwas schiefgegangen. Bitte rufen Sie etwas später noch einmal an.",
        "Es tut mir leid, bei uns ist etwas schiefgegangen. Ich verbinde Sie mit einer Kollegin.",
        "Entschuldigung, ich habe den Faden verloren.",
    ),
    "fr": Phrasebook(
        "Bonjour, que puis-je faire pour vous ?",
        "Pardon, pouvez-vous répéter ?",
        "Vous êtes toujours là ?",
        "Je ne vous entends pas. Merci de rappeler. Au revoir.",
        ("Un instant, s'il vous plaît.", "Je m'en occupe.", "Merci de patienter."),
        "Je suis désolé, nous avons un problème technique. Merci de rappeler un peu plus tard.",
        "Je suis désolé, nous avons un problème technique. Je vous passe un collègue.",
        "Pardon, j'ai perdu le fil.",
    ),
    "es": Phrasebook(
        "Hola, ¿en qué puedo ayudarle?",
        "Perdone, ¿puede repetirlo?",
        "¿Sigue usted ahí?",
        "No le oigo. Por favor, vuelva a llamar. Adiós.",
        ("Un momento, por favor.", "Sigo en ello.", "Gracias por esperar."),
        "Lo siento, tenemos un problema técnico. Por favor, vuelva a llamar un poco más tarde.",
        "Lo siento, tenemos un problema técnico. Le paso con un compañero.",
        "Perdone, he perdido el hilo.",
    ),
}


def phrasebook(language: str) -> Phrasebook:
    """That of a language tag such as ``en`` or ``de-AT``; English for languages without one."""
    return _PHRASEBOOKS.get(primary_language(language), _PHRASEBOOKS["en"])
