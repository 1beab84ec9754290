"""What benches say, as Markdown."""

from bench.markdown import MarkdownConsole, beginning
from rich.table import Table


def test_tables_become_markdown_and_everything_else_paragraphs():
    out = MarkdownConsole()
    table = Table("rule", "a | b", title="both <kinds>", caption="[dim]of two[/]")
    table.add_row("[bold]fixed[/]", "400 ms", end_section=True)
    table.add_row("first\nsecond", "")
    out.print("twilio", table, style="dim")
    out.print("[dim]round 1[/]")
    assert out.text == "\n\n".join(
        (
            "twilio",
            "**both &lt;kinds>**",
            "| rule | a \\| b |\n|---|---|\n| fixed | 400 ms |\n| first<br>second |  |",
            "*of two*",
            "round 1",
        )
    )


def test_a_docstrings_beginning_is_its_first_paragraph_without_the_usage():
    doc = """What it costs.

        python -m bench.this [--json]

    One ``ring`` is measured.

    Nobody reads on.
    """
    assert beginning(doc) == "What it costs.\n\nOne `ring` is measured."


def test_a_list_that_the_paragraph_announces_belongs_to_it():
    doc = """What it costs.

    Two systems, in turn:

    one process    all in it,
                   and more
    several        one each

    Nobody reads on.
    """
    announced = "- **one process**: all in it, and more\n- **several**: one each"
    assert beginning(doc) == f"What it costs.\n\nTwo systems, in turn:\n\n{announced}"
