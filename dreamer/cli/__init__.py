"""The command line: it parses, runs a job and shows its events, and computes nothing."""

import sys
from typing import Annotated

import typer

from dreamer.cli import models, own_words, presets, show
from dreamer.cli.command_help import TEXTS
from dreamer.cli.commands import Command, make_command
from dreamer.errors import DreamerError
from dreamer.jobs.failures import describe_system
from dreamer.jobs.requests import REQUESTS
from dreamer.networks import runtime

app = typer.Typer(
    name="dream",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: [bold]dream image photo.jpg[/bold]  dreams on a photo, offline, in seconds.",
)
for _name, _request in REQUESTS.items():
    _text = TEXTS[_name]
    _command = make_command(_request, _text.help)
    app.command(_name, cls=Command, epilog=_text.examples)(_command)
app.add_typer(models.app, name="models")
app.add_typer(presets.app, name="presets")
app.add_typer(own_words.app, name="words")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        show.say(f"dreamer {version('dreamer')}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """DeepDream for photos and films."""


def main() -> None:
    """Run the `dream` command. An error is one sentence on stderr and exit code 2."""
    runtime.collect_garbage_rarely()
    show.make_legible()
    try:
        app()
    except DreamerError as error:
        show.complain(str(error))
    except MemoryError:
        show.complain("There is not enough memory for this: give a smaller --size.")
    except OSError as error:
        show.complain(describe_system(error))
    else:
        return
    sys.exit(2)
