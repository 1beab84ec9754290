"""``python -m ringline.tools.caller URL ...``"""

from __future__ import annotations

import typer

from ringline.tools.caller.cli import mount

app = typer.Typer(add_completion=False)
mount(app)

if __name__ == "__main__":
    app(prog_name="ringline call")
