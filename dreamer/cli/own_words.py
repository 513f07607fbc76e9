"""`dream words`: words of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dreamer.cli import shared_options, show, words

app = typer.Typer(help="Words of your own: learn one from photos, and forget it.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The word, as --of will have it.")]
Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO…", help="Five to twenty photos, or folders, that show it."),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FOLDER",
        help="Photos of all kinds, some hundred, for a network of your own.",
    ),
]

LEARN = """Examples:

dream words learn rex rex/*.jpg  ·  and then: dream image photo.jpg --of rex

dream words learn "our house" house/  ·  from all photos of a folder

dream presets new rex --from dreamt-of-rex.png  ·  a preset carries the word to others
"""


@app.command("learn", epilog=LEARN)
def learn(
    name: Name,
    photos: Photos,
    network: shared_options.Network = None,
    settings: shared_options.Settings = None,
    weights: shared_options.Weights = None,
    against: Against = None,
    overwrite: shared_options.Overwrite = False,
    quiet: shared_options.Quiet = False,
) -> None:
    """Learn a word for your own subject, such as your dog, your house or a logo."""
    from dreamer.jobs import learn_word

    recipe, file = words.resolve(network, settings, weights)
    lesson = learn_word.Lesson(name, photos, recipe, file, against, overwrite)
    with show.terminal(quiet=quiet) as emit:
        learn_word.run(lesson, emit)


@app.command("forget", epilog="Example: dream words forget rex")
def forget(
    name: Name,
    network: shared_options.Network = None,
    weights: shared_options.Weights = None,
) -> None:
    """Forget a word of your own; pictures and presets that use it stay as they are."""
    from dreamer.jobs import learn_word

    recipe, file = words.resolve(network, None, weights)
    path = learn_word.forget(name, recipe.network, file)
    show.say(f"{path}: {name} is forgotten.")
