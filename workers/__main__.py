"""``python -m ringline.workers``: one worker process; started by the engine only."""

from ringline.workers.base import main

main()
