"""ringline.toml -> frozen configuration, validated once at the door.

Every table is a struct; its fields are the keys, with their units in the names. Unknown keys and bad values are
`ConfigError`s that name the key and the line. The backends of a stage stand in a file of their own.
"""

from ringline.engine.config.capture import DoorConfig as DoorConfig
from ringline.engine.config.capture import SileroVad as SileroVad
from ringline.engine.config.capture import VadConfig as VadConfig
from ringline.engine.config.capture import WebRtcVad as WebRtcVad
from ringline.engine.config.config import STAGES as STAGES
from ringline.engine.config.config import AgentConfig as AgentConfig
from ringline.engine.config.config import Config as Config
from ringline.engine.config.config import ControlConfig as ControlConfig
from ringline.engine.config.config import EngineConfig as EngineConfig
from ringline.engine.config.config import EventsConfig as EventsConfig
from ringline.engine.config.config import Stage as Stage
from ringline.engine.config.llm import AnthropicLlm as AnthropicLlm
from ringline.engine.config.llm import CTranslate2Llm as CTranslate2Llm
from ringline.engine.config.llm import FlowLlm as FlowLlm
from ringline.engine.config.llm import LlmConfig as LlmConfig
from ringline.engine.config.llm import OpenAiLlm as OpenAiLlm
from ringline.engine.config.llm import SyntheticLlm as SyntheticLlm
from ringline.engine.config.load import ConfigError as ConfigError
from ringline.engine.config.load import load as load
from ringline.engine.config.load import parse as parse
from ringline.engine.config.stt import DeepgramStt as DeepgramStt
from ringline.engine.config.stt import GoogleStt as GoogleStt
from ringline.engine.config.stt import OpenAiStt as OpenAiStt
from ringline.engine.config.stt import PocketsphinxStt as PocketsphinxStt
from ringline.engine.config.stt import SherpaStt as SherpaStt
from ringline.engine.config.stt import SttConfig as SttConfig
from ringline.engine.config.stt import SyntheticStt as SyntheticStt
from ringline.engine.config.stt import WhisperStt as WhisperStt
from ringline.engine.config.tts import CartesiaTts as CartesiaTts
from ringline.engine.config.tts import ComputedTts as ComputedTts
from ringline.engine.config.tts import ElevenLabsTts as ElevenLabsTts
from ringline.engine.config.tts import EspeakTts as EspeakTts
from ringline.engine.config.tts import KokoroTts as KokoroTts
from ringline.engine.config.tts import PiperTts as PiperTts
from ringline.engine.config.tts import SyntheticTts as SyntheticTts
from ringline.engine.config.tts import TtsConfig as TtsConfig
from ringline.engine.config.tts import XttsTts as XttsTts
from ringline.engine.config.turn import TurnConfig as TurnConfig
