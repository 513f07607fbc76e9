"""The command line: one file a command; they parse, call and show, and compute nothing."""

import sys
from typing import Annotated

import typer

from dreamer.cli import (
    class_,
    compare,
    exemplars,
    filters,
    image,
    models,
    presets,
    search,
    show,
    video,
)
from dreamer.cli.once import Once
from dreamer.errors import DreamerError

app = typer.Typer(
    name="dream",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: [bold]dream image photo.jpg[/bold]  dreams on a photo, offline, in seconds.",
)
app.command("image", cls=Once, epilog=image.EXAMPLES)(image.command)
app.command("video", cls=Once, epilog=video.EXAMPLES)(video.command)
app.command("class", cls=Once, epilog=class_.EXAMPLES)(class_.command)
app.command("filters", cls=Once, epilog=filters.EXAMPLES)(filters.command)
app.command("search", cls=Once, epilog=search.EXAMPLES)(search.command)
app.command("exemplars", cls=Once, epilog=exemplars.EXAMPLES)(exemplars.command)
app.command("compare", cls=Once, epilog=compare.EXAMPLES)(compare.command)
app.add_typer(models.app, name="models")
app.add_typer(presets.app, name="presets")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        show.say(f"dreamer {version('dreamer')}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """DeepDream for photos and films."""


def main() -> None:
    """The `dream` command. An error is one sentence on stderr and exit code 2."""
    show.make_legible()
    try:
        app()
    except DreamerError as error:
        show.complain(str(error))
    except MemoryError:
        show.complain("There is not enough memory for this: give a smaller --size.")
    except OSError as error:
        show.complain(show.of_system(error))
    else:
        return
    sys.exit(2)
