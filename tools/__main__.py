"""``python -m ringline.tools``: the command line."""

from ringline.tools.cli import main

main()
