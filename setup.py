"""Ringline installs as one import package, ``ringline``, whose parts live at the top of the repository."""

from pathlib import Path

from setuptools import find_packages, setup

# What backends need beyond the plain install; each is named by the error of the backend that misses it.
EXTRAS = {
    # The plain onnxruntime has to make way for it: see docs/models.md. CTranslate2 (whisper and llm) loads cuBLAS 12,
    # whichever ONNX Runtime brings. NVIDIA's libraries are under NVIDIA's own licence.
    "gpu": ["onnxruntime-gpu[cuda,cudnn]>=1.20", "nvidia-cublas-cu12>=12.4"],
    # On this machine, without torch. The plain install has all that kokoro and piper need; their phonemes come from
    # espeak-ng, which is under the GPL-3.0, and each Piper voice has a licence of its own.
    "kokoro": ["espeakng-loader>=0.2.4", "onnxruntime>=1.20", "onnx>=1.17"],
    "piper": ["espeakng-loader>=0.2.4", "onnxruntime>=1.20", "onnx>=1.17"],
    "whisper": ["faster-whisper>=1.2.1"],  # MIT; in the plain install, too
    "ctranslate2": ["jinja2>=3.1"],  # chat templates; ctranslate2 and tokenizers come with faster-whisper
    "sherpa": ["sherpa-onnx>=2.0.1,<3"],  # Apache-2.0; an ONNX Runtime of its own
    "webrtc": ["webrtcvad-wheels>=2.0.14"],  # MIT, WebRTC's part BSD; WebRTC VAD, 0.1 MB
    # With torch. XTTS's code is under MPL-2.0, its model under CPML: no commercial use of it, nor of what it speaks.
    "kokoro-torch": ["kokoro>=0.9.4; python_version < '3.13'"],  # by its publishers' package; brings spaCy, too
    "xtts": ["coqui-tts[cpu,codec]>=0.28"],
    "llama-cpp": ["xllamacpp>=2026.1", "openai>=3.50,<4"],  # MIT, Apache-2.0: llama.cpp's server, and what talks to it
    "vllm": ["vllm>=0.11"],  # Apache-2.0; a server, best in an environment of its own
    # Hosted: each sends what is said to its vendor, whose terms apply.
    "openai": ["openai>=3.50,<4"],  # Apache-2.0; any server with OpenAI's API
    "anthropic": ["anthropic>=2.12"],  # MIT
    "deepgram": ["deepgram-sdk>=7.17,<8", "websockets>=14"],  # MIT
    "google": ["google-cloud-speech>=2.41,<3"],  # Apache-2.0; brings grpcio
    "elevenlabs": ["elevenlabs>=2.78,<3"],  # MIT
    "cartesia": ["cartesia>=4.2,<5", "websockets>=14"],  # Apache-2.0; its own extra for websockets stops below 16
}
ALL_LOCAL = ("whisper", "ctranslate2", "kokoro", "piper", "sherpa", "xtts")

setup(
    name="ringline",
    version="0.1.0",
    description="The realtime core of self-hosted phone voice bots",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.11",
    package_dir={"": "src"},
    packages=find_packages("src"),
    package_data={
        "ringline": ["py.typed", "examples/**/*.toml", "examples/**/*.py"],
        "ringline.engine.conversation": ["*.toml"],
        "ringline.workers.models": ["*.toml"],
        "ringline.workers.capture.prosody": ["*.json"],
        "ringline.workers.stt": ["*.json"],
    },
    install_requires=[
        "aiohttp>=3.10",  # the control API
        "docstring_parser>=0.16",  # what a tool's docstring says of each parameter; pure Python, no dependencies
        "espeakng-loader>=0.2.4",  # espeak-ng and its data, as a wheel
        "faster-whisper>=1.2.1",  # carries the Silero VAD file, and is the STT of the larger profiles
        "huggingface_hub>=0.27",  # fetches models, and finds those that others have fetched; faster-whisper brings it
        "msgspec>=0.19",
        "numba>=0.61",
        "numpy>=1.26",
        "onnx>=1.17",  # opens the batch axis of the Silero file at start
        "onnxruntime>=1.20",
        "picows>=2.3,<2.4",  # the Twilio door counts connections before the upgrade, beneath its public API
        "pocketsphinx>=5.0.4",
        "pyzmq>=26.2",
        "rich>=13.7",
        "sentencex>=1.0.32",  # where sentences end, in the languages of Wikipedia
        "setproctitle>=1.3.3",
        "typer>=0.15",
        "unicode-rbnf>=2.4",  # numbers in words, by Unicode's rules
        "uvloop>=0.21",
    ],
    extras_require={
        **EXTRAS,
        "all-local": [package for name in ALL_LOCAL for package in EXTRAS[name]],
        "dev": [
            "anthropic>=2.12",
            "cartesia>=4.2,<5",
            "deepgram-sdk>=7.17,<8",
            "elevenlabs>=2.78,<3",
            "gguf>=0.17",  # writes the tiny model for xllamacpp
            "google-cloud-speech>=2.41,<3",
            "hypothesis>=6.120",
            "jinja2>=3.1",
            "matplotlib>=3.9",  # the plot of bench/turns.py
            "mypy>=1.14",
            "openai>=3.50,<4",
            "py-spy>=0.4",  # bench/profile.py
            "pytest>=8.3",
            "pytest-benchmark>=5.1",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6",
            "ruff>=0.9",
            "sherpa-onnx>=2.0.1,<3",
            "webrtcvad-wheels>=2.0.14",
            "websockets>=14",  # a second WebSocket implementation, as the peer in tests and the rival in bench/
            "xllamacpp>=2026.1",  # llama.cpp's server, as a wheel of 34 MB: the peer of the openai backend
        ],
    },
    entry_points={"console_scripts": ["ringline = ringline.tools.cli:main"]},
)
