"""What is worth keeping of an exchange, when a call outgrows what its model is given: extracts, word for word.

No model writes a summary: what is kept depends on the words alone, and costs no time. Kept are the sentences with
numbers, dates, names and addresses, short answers with the question they answer, keyed digits, and what tools were
asked and said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ringline.engine.conversation.language_tags import primary_language
from ringline.ipc.messages import ChatMessage

MAX_TOOL_CHARS = 160
"""Of a tool's arguments, and of its result."""
MAX_SENTENCE_CHARS = 300
MAX_QUESTION_CHARS = 120
SHORT_ANSWER_WORDS = 6
"""So few words are an answer to a question, and mean nothing without it."""

# Recognisers often write numbers as words and names in small letters: these words give such a sentence away.
_ENGLISH = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million half quarter first
    second third monday tuesday wednesday thursday friday saturday sunday today tomorrow tonight january february march
    april june july august september october november december name called mister mrs miss doctor street road avenue
    address mail dot birth born account order reference yes no not correct right wrong sure agreed confirm confirmed
    cancel cancelled booked prefer instead"""
_GERMAN = """
    null eins ein zwei zwo drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn zwanzig dreißig
    vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend halb viertel erste zweite dritte montag dienstag
    mittwoch donnerstag freitag samstag sonnabend sonntag heute morgen übermorgen januar februar märz april mai juni
    juli august september oktober november dezember name heiße herr frau doktor straße adresse mail punkt geboren konto
    nummer ja nein nicht kein richtig falsch stimmt genau einverstanden bestätigt abgesagt gebucht lieber stattdessen"""
_FRENCH = """
    zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante
    cinquante soixante cent mille demi quart premier deuxième troisième lundi mardi mercredi jeudi vendredi samedi
    dimanche aujourd demain janvier février mars avril mai juin juillet août septembre octobre novembre décembre nom
    appelle monsieur madame docteur rue adresse mail point né née compte numéro oui non pas exact correct faux accord
    confirme confirmé annulé réservé plutôt"""
_SPANISH = """
    cero uno una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince veinte treinta
    cuarenta cincuenta sesenta setenta ochenta noventa cien ciento mil media cuarto primero segundo tercero lunes
    martes miércoles jueves viernes sábado domingo hoy mañana enero febrero marzo abril mayo junio julio agosto
    septiembre octubre noviembre diciembre nombre llamo señor señora doctor calle dirección correo punto nacido nacida
    cuenta número sí no correcto cierto acuerdo confirmo confirmado cancelado reservado prefiero"""
_WORDS = {
    language: frozenset(words.split())
    for language, words in (("en", _ENGLISH), ("de", _GERMAN), ("fr", _FRENCH), ("es", _SPANISH))
}
_ALL_WORDS = frozenset().union(*_WORDS.values())

_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
_WORD = re.compile(r"[^\W_]+")


def gist(messages: Sequence[ChatMessage], asked: str, language: str) -> list[str]:
    """What to keep of an exchange, as lines. ``asked``: what the bot had said before it."""
    words = _WORDS.get(primary_language(language), _ALL_WORDS)
    results = {message.tool_call_id: message.content for message in messages if message.role == "tool"}
    lines = []
    for message in messages:
        if message.role == "user":
            lines += _of_caller(message, asked, words)
        elif message.role == "assistant":
            lines += [f"You: {told}" for told in _telling(message.content, words)]
            for call in message.tool_calls:
                arguments = shortened(msgspec.json.encode(call.arguments).decode(), MAX_TOOL_CHARS)
                result = shortened(results.get(call.id, ""), MAX_TOOL_CHARS)
                lines.append(f"Tool {call.name} {arguments}: {result}")
            asked = message.content or asked
    return lines


def shortened(text: str, max_chars: int) -> str:
    """``text`` on one line, cut with an ellipsis to ``max_chars``."""
    text = " ".join(text.split())
    return text if len(text) <= max_chars else text[: max_chars - 1] + "\u2026"


def _of_caller(message: ChatMessage, asked: str, words: frozenset[str]) -> list[str]:
    sentences = _SENTENCE_END.split(asked.strip())
    question = shortened(sentences[-1], MAX_QUESTION_CHARS) if sentences[-1].endswith(("?", "\uff1f")) else ""
    if message.keyed or len(message.content.split()) <= SHORT_ANSWER_WORDS:
        if message.content and question:
            return [f'You: "{question}" Caller: {message.content}']
        if message.keyed:
            return [f"Caller: {message.content}"]
    return [f"Caller: {told}" for told in _telling(message.content, words)]


def _telling(text: str, words: frozenset[str]) -> list[str]:
    """The sentences that hold a number, a date, a name, an address, or a decision."""
    sentences = _SENTENCE_END.split(text.strip())
    return [shortened(sentence, MAX_SENTENCE_CHARS) for sentence in sentences if _is_telling(sentence, words)]


def _is_telling(sentence: str, words: frozenset[str]) -> bool:
    if "@" in sentence or any(character.isdigit() for character in sentence):
        return True
    found = _WORD.findall(sentence)
    if any(word.lower() in words for word in found):
        return True
    return any(word[0].isupper() and word != "I" for word in found[1:])
