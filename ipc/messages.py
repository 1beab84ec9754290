"""Every message between the engine and its workers.

A request is an imperative (`Speak`), a fact is in the past (`SpeechStarted`), a failure ends in ``Failed``. The ring is
the truth and a message is a hint: audio never travels here, and whatever a lost message said can be read again from
shared memory. Times are CLOCK_MONOTONIC in nanoseconds, which all processes of a machine share. ``call`` is the number
under which the call's slot was claimed; a message about a call that is over is ignored by whoever gets it.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What all messages share: a frozen struct, tagged with its name."""


# --- parts of messages --------------------------------------------------------------------------------------------


class ToolCall(msgspec.Struct, frozen=True):
    """The model's wish to run a tool."""

    id: str
    name: str
    arguments: dict[str, object]
    problem: str = ""
    """What is wrong with what the model wrote: it cannot be run, and the model is told so."""


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a conversation's history, in the form chat models take."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant's message: the tools it asked for."""
    tool_call_id: str = ""
    """Of a tool's message: the call it answers; ``content`` is then the result as JSON."""
    pending: bool = False
    """Of a tool's message: it still runs, and ``content`` says so."""
    keyed: str = ""
    """Of a user's message: the keys they pressed; ``content`` says so in words."""


class Usage(msgspec.Struct, frozen=True):
    """Tokens that a reply has cost; zeros where the backend does not count them."""

    prompt: int = 0
    """All that the model was given ..."""
    cached: int = 0
    """... of which so many were in its cache."""
    completion: int = 0
    """What it wrote."""


class Expectation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the bot expects the caller to say next: helps the recogniser, and tells when keyed digits are complete."""

    grammar: str = ""
    """A JSGF grammar; empty for free dictation."""
    phrases: tuple[str, ...] = ()
    """What the caller is likely to say, as they would say it, for recognisers without grammars: the most likely first,
    since each of them takes only so much."""
    dtmf_digits: int = 1
    """So many keyed digits are a complete answer; fewer are one after ``#`` or a pause."""
    spoken_digits: int = 0
    """So many spoken digits are a complete answer; 0 where the bot does not wait for digits."""


# --- worker -> engine ---------------------------------------------------------------------------------------------


class WorkerReady(Message, frozen=True):
    """Any worker -> engine, once: models loaded and warmed up, ready for requests."""

    pid: int
    doors: tuple[str, ...] = ()
    """Capture: the URLs of its doors, with the ports they really have."""


class WorkerRefused(Message, frozen=True):
    """Any worker -> engine, once, instead of `WorkerReady`: it cannot start, and starting it again would not help."""

    reason: str


class WorkerBehind(Message, frozen=True):
    """Any worker -> engine, whenever it changes: how far its model lags behind."""

    lag_s: float
    """So long what somebody waits for is kept waiting by the work of other calls, averaged over some seconds."""


class PromptWarmed(Message, frozen=True):
    """LLM -> engine, the answer to a `WarmPrompt` that is for no call in particular: the prompt is computed, as far as
    the backend keeps any, or it cannot be."""


class Rehearsed(Message, frozen=True):
    """TTS -> engine, the answer to a `Rehearse`: the phrases that calls wait for are made, or cannot be."""

    number: int
    """That of the `Rehearse`."""


class CallArrived(Message, frozen=True):
    """Capture -> engine: a door has claimed a slot and put the call through; its media clock runs."""

    call: int
    slot: int
    door: str
    """URL of the door the call came through."""
    wire_rate_hz: int
    call_id: str
    """The peer's name for the call: AudioSocket UUID, Twilio call SID."""
    parameters: dict[str, str] = {}
    """What else the peer said of the call (Twilio's custom parameters, ...)."""
    time_ns: int = 0


class CallEnded(Message, frozen=True):
    """Capture -> engine, once per `CallArrived`: the wire is closed, nothing more will be played or heard."""

    call: int
    reason: str
    """``caller``, ``bot``, or what went wrong."""
    stats: dict[str, float] = {}
    """Counts of the call: frames sent and missed, how late they were sent (percentiles in ms, upper bounds of tenths),
    underruns, audio filled in and dropped."""


class CallReleased(Message, frozen=True):
    """Any worker -> engine, the answer to `ReleaseCall`: it will not touch the call's slot again."""

    call: int


class SpeechStarted(Message, frozen=True):
    """Capture -> engine: the VAD heard the caller begin. ``start_sample`` (caller ring) may lie some windows back."""

    call: int
    start_sample: int
    time_ns: int
    """When the deciding sample arrived."""


class SpeechStopped(Message, frozen=True):
    """Capture -> engine: the VAD heard the caller fall silent; the endpoint is the engine's decision."""

    call: int
    end_sample: int
    """Caller ring: behind the last audible sample of speech."""
    time_ns: int
    """When that sample arrived."""
    background: bool = False
    """It was the bot's own voice coming back from the line, or voices behind the caller: the caller said nothing."""
    doubtful: bool = False
    """Over the bot: it hardly sounded like speech. A note, a cough, or a consonant that a sentence begins with."""


class TurnJudged(Message, frozen=True):
    """Capture -> engine, soon after some `SpeechStopped`: how finished the caller's turn sounds."""

    call: int
    end_sample: int
    """That of the `SpeechStopped` it belongs to."""
    finished: float
    """Probability, by melody and rhythm alone, that the caller has finished and will not go on."""


class DtmfReceived(Message, frozen=True):
    """Capture -> engine: the caller pressed a key."""

    call: int
    digit: str
    time_ns: int


class PlayoutStarted(Message, frozen=True):
    """Capture -> engine: the first audible sample of a turn has been sent."""

    call: int
    turn: int
    line_sample: int
    time_ns: int


class PlayoutStopped(Message, frozen=True):
    """Capture -> engine: nothing more of a turn will be sent: it is played out, or the gate closed on it."""

    call: int
    turn: int
    reply_sample: int
    """Reply ring: behind the last sample that was sent."""
    finished: bool
    """Whether that was the turn's last sample."""
    time_ns: int


class TranscriptPartial(Message, frozen=True):
    """STT -> engine, while the caller speaks: the hypothesis so far."""

    call: int
    utterance: int
    text: str
    stable: int = 0
    """So many of its characters successive hypotheses agree on; what follows may still change."""


class TranscriptFinal(Message, frozen=True):
    """STT -> engine, the answer to `Finalise`. Empty text: nothing was understood."""

    call: int
    utterance: int
    text: str
    confidence: float
    """0 to 1, as the backend sees it."""
    time_ns: int
    lost_samples: int = 0
    """Samples of the utterance the recogniser could no longer find in the ring."""
    other_words: float | None = None
    """Of a sound over the bot: how likely it is, whatever ``text`` says, that words were said that are no listener's.
    None: nothing beside the text is known."""
    closed_vocabulary: bool = False
    """The recogniser knows a few words only, and hears one of them where another was said."""


class TranscriptFailed(Message, frozen=True):
    """STT -> engine: this utterance could not be recognised."""

    call: int
    utterance: int
    reason: str


class ReplyDelta(Message, frozen=True):
    """LLM -> engine: a piece of the reply's text."""

    call: int
    turn: int
    step: int
    text: str
    time_ns: int


class ReplyFinished(Message, frozen=True):
    """LLM -> engine: the reply's text is complete. If it asks for tools, the engine runs them and generates again."""

    call: int
    turn: int
    step: int
    tool_calls: tuple[ToolCall, ...] = ()
    state: bytes = b""
    """What the backend wants to be given back with the call's next request."""
    expect: Expectation = Expectation()
    time_ns: int = 0
    usage: Usage = Usage()


class ReplyFailed(Message, frozen=True):
    """LLM -> engine: no reply, or no further text of it."""

    call: int
    turn: int
    step: int
    reason: str


class PhraseStarted(Message, frozen=True):
    """TTS -> engine: a phrase's first sample is in the reply ring."""

    call: int
    turn: int
    phrase: int
    start_sample: int
    time_ns: int


class WordMarks(Message, frozen=True):
    """TTS -> engine, from backends that know it: where words of a phrase begin in the reply ring. All marks of a phrase
    may come in one message or in several, in order."""

    call: int
    turn: int
    phrase: int
    chars: tuple[int, ...]
    """Index of each word's first character in the phrase's text ..."""
    samples: tuple[int, ...]
    """... and the reply sample at which its sound begins."""


class PhraseFinished(Message, frozen=True):
    """TTS -> engine: a phrase's last sample is in the reply ring."""

    call: int
    turn: int
    phrase: int
    start_sample: int
    end_sample: int
    time_ns: int


class PhraseFailed(Message, frozen=True):
    """TTS -> engine: this phrase could not be spoken, or only a part of it; the next ones may be.

    The worker writes nothing more for the call until the engine has decided: `ReleaseSpeech`, or a `CancelSpeech`.
    """

    call: int
    turn: int
    phrase: int
    reason: str


class Bridged(Message, frozen=True):
    """TTS -> engine, the answer to `Bridge`: its words are in the ring, before the phrase that is waited for."""

    call: int
    turn: int
    phrase: int
    number: int
    start_sample: int
    end_sample: int
    time_ns: int
    chars: tuple[int, ...] = ()
    """Where its words are: as in `WordMarks`."""
    samples: tuple[int, ...] = ()


class SpeechReleased(Message, frozen=True):
    """TTS -> engine, the answer to `ReleaseSpeech`: the worker will not write into the call's reply ring again, unless
    it is asked to speak anew."""

    call: int


FromWorker = (
    WorkerReady
    | WorkerRefused
    | WorkerBehind
    | PromptWarmed
    | Rehearsed
    | CallArrived
    | CallEnded
    | CallReleased
    | SpeechStarted
    | SpeechStopped
    | TurnJudged
    | DtmfReceived
    | PlayoutStarted
    | PlayoutStopped
    | TranscriptPartial
    | TranscriptFinal
    | TranscriptFailed
    | ReplyDelta
    | ReplyFinished
    | ReplyFailed
    | PhraseStarted
    | WordMarks
    | PhraseFinished
    | PhraseFailed
    | Bridged
    | SpeechReleased
)


# --- engine -> worker ---------------------------------------------------------------------------------------------


class Transcribe(Message, frozen=True):
    """Engine -> STT: read the caller ring from ``start_sample`` on and report hypotheses, until told to finalise."""

    call: int
    slot: int
    utterance: int
    start_sample: int
    expect: Expectation = Expectation()
    overlap: bool = False
    """The bot was speaking when the caller began: backchannels ("uh-huh", "right") and coughs are likely."""
    language: str = ""
    """The agent's, as a BCP 47 tag; empty: unknown."""
    partials: bool = True
    """Whether hypotheses are worth computing; over the bot they always are."""
    alone: bool = False
    """A worker has died while it may have worked on this: it is to share no batch."""
    asked: str = ""
    """The end of what the caller has last heard the bot say: what they say now is likely to answer it."""


class Finalise(Message, frozen=True):
    """Engine -> STT: the utterance ends at ``end_sample``; answer with its `TranscriptFinal`."""

    call: int
    utterance: int
    end_sample: int
    due_ns: int = 0
    """When the transcript is needed: at the endpoint, as far as it is known; 0 for at once."""


class DropUtterance(Message, frozen=True):
    """Engine -> STT: forget the utterance; no answer is wanted."""

    call: int
    utterance: int


class Generate(Message, frozen=True):
    """Engine -> LLM: write the reply of a turn. ``(call, turn, step)`` names the request; the answer carries it."""

    call: int
    turn: int
    step: int
    """0, then one more after each round of tools."""
    cause: Literal["opening", "speech", "dtmf", "no_input", "tools"]
    """Why the bot speaks. ``dtmf``: the last user message has ``keyed``. ``no_input``: the caller said nothing."""
    messages: tuple[ChatMessage, ...]
    state: bytes = b""
    """The ``state`` of the call's last `ReplyFinished`: the backend itself remembers nothing of a call."""
    said: str = ""
    """What was already spoken of this very reply before a worker died: the answer continues behind it."""
    tools: tuple[dict[str, object], ...] = ()
    """The agent's tools, as JSON schemas in the form chat models take."""
    draft: bool = False
    """The caller may go on, and the reply be for nothing: others go first."""
    alone: bool = False
    """A worker has died while it may have worked on this: it is to share no batch."""
    agent: str = ""
    """Which agent answers, for brains that were given its `FlowText`."""


class FlowText(msgspec.Struct, frozen=True, array_like=True):
    """The flow of an agent."""

    agent: str
    """As `Generate` names it."""
    file: str
    """Where it was read."""
    text: str
    """TOML."""


class UseFlows(Message, frozen=True):
    """Engine -> LLM, where a flow decides what is said, before any `Generate` that names one of their agents: the flows
    of the agents in use. All others may be forgotten."""

    flows: tuple[FlowText, ...]


class WarmPrompt(Message, frozen=True):
    """Engine -> LLM, ahead of the call's next `Generate`, whose prompt will begin like this: backends that keep what
    they have computed of a prompt compute it now."""

    call: int
    """0: for the calls to come, as many at once as the backend can take. Only this has an answer: `PromptWarmed`."""
    messages: tuple[ChatMessage, ...]
    tools: tuple[dict[str, object], ...] = ()


class CancelReply(Message, frozen=True):
    """Engine -> LLM: no more text of this turn is wanted."""

    call: int
    turn: int


class Speak(Message, frozen=True):
    """Engine -> TTS: put a phrase of a turn into the call's reply ring. Phrases of a turn come in order, from 0."""

    call: int
    slot: int
    turn: int
    phrase: int
    text: str
    """May be empty, to mark the turn's end."""
    last: bool
    """Whether the turn ends with this phrase."""
    voice: str = ""
    speed: float = 1.0
    keys: str = ""
    """Instead of ``text``: telephone keys to send as tones."""
    other_voice: bool = False
    """What the ring holds of the phrase was made by another backend: go on by its words, not by its samples."""
    language: str = ""
    """The agent's, as a BCP 47 tag; empty: that of the voice."""
    alone: bool = False
    """A worker has died while it may have worked on this: it is to share no batch."""
    phonemes: dict[str, str] = {}
    """IPA of words of ``text`` that are not to be said by the rules, by the word in lower case without marks."""


class Bridge(Message, frozen=True):
    """Engine -> TTS: the caller has waited for this phrase too long. Put these words before it, if nothing of it is in
    the ring yet and they were made before; else do nothing. A hint: there may be no answer."""

    call: int
    turn: int
    phrase: int
    number: int
    """Of the turn's bridges: `Bridged` carries it."""
    text: str
    voice: str = ""
    speed: float = 1.0
    language: str = ""
    phonemes: dict[str, str] = {}


class PhraseText(msgspec.Struct, frozen=True):
    """What is said in a phrase: see `Speak`."""

    text: str
    phonemes: dict[str, str] = {}


class Rehearse(Message, frozen=True):
    """Engine -> TTS, when it is ready and when the agent changes: phrases that calls will need, to be made in time."""

    phrases: tuple[PhraseText, ...]
    """What calls begin with first."""
    number: int = 0
    """Counts up; the answer carries it."""
    num_awaited: int = 0
    """So many of the first are waited for: when they are made, `Rehearsed` says so."""
    voice: str = ""
    speed: float = 1.0
    language: str = ""


class CancelSpeech(Message, frozen=True):
    """Engine -> TTS: turns up to this one are dead; write nothing more of them."""

    call: int
    turn: int


class ReleaseSpeech(Message, frozen=True):
    """Engine -> TTS: another worker is to speak in this call. Drop all that is open in it, let go of its reply ring,
    and answer `SpeechReleased`: the ring has one writer."""

    call: int


class FlushPlayout(Message, frozen=True):
    """Engine -> capture: the gate has closed on a turn; empty the carrier's buffer too, where it has one."""

    call: int
    turn: int


class HangUp(Message, frozen=True):
    """Engine -> capture: end the call."""

    call: int
    reason: str = "bot"


class ReleaseCall(Message, frozen=True):
    """Engine -> every worker that may know the call: it is over; let go of its slot and answer `CallReleased`."""

    call: int


class ShutDown(Message, frozen=True):
    """Engine -> any worker: finish and exit."""


ToWorker = (
    Transcribe
    | Finalise
    | DropUtterance
    | Generate
    | UseFlows
    | WarmPrompt
    | CancelReply
    | Speak
    | Bridge
    | Rehearse
    | CancelSpeech
    | ReleaseSpeech
    | FlushPlayout
    | HangUp
    | ReleaseCall
    | ShutDown
)

encode = msgspec.msgpack.Encoder().encode
decode_from_worker = msgspec.msgpack.Decoder(FromWorker).decode
decode_to_worker = msgspec.msgpack.Decoder(ToWorker).decode
