"""Ringline installs as one import package, ``ringline``, whose parts live at the top of the repository."""

from pathlib import Path

from setuptools import find_packages, setup

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
        "ringline.workers.capture.prosody": ["*.json"],
    },
    install_requires=[
        "aiohttp>=3.10",  # the control API
        "docstring_parser>=0.16",  # what a tool's docstring says of each parameter; pure Python, no dependencies
        "espeakng-loader>=0.2.4",  # espeak-ng and its data, as a wheel
        "faster-whisper>=1.2.1",  # carries the Silero VAD file, and is the STT of the larger profiles
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
        "whisper": ["faster-whisper>=1.2.1"],  # in the plain install, too
        "dev": [
            "hypothesis>=6.120",
            "matplotlib>=3.9",  # the plot of bench/turns.py
            "mypy>=1.14",
            "pytest>=8.3",
            "pytest-benchmark>=5.1",
            "pytest-timeout>=2.3",
            "ruff>=0.9",
            "websockets>=14",  # a second WebSocket implementation, as the peer in tests and the rival in bench/
        ],
    },
    entry_points={"console_scripts": ["ringline = ringline.tools.cli:main"]},
)
