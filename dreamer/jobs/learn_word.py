"""The job behind `dream words learn`: a word of one's own, from a few photos."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dreamer.arrays import Image
from dreamer.errors import DreamerError, speaking_of
from dreamer.files import atomic, photo_sets
from dreamer.jobs.events import Done, Note, Progress, Sink, format_count
from dreamer.jobs.sources import find_sources
from dreamer.recipe import Recipe, words
from dreamer.recipe.words import Table

if TYPE_CHECKING:
    from dreamer.analysis.word_learning import Usual
    from dreamer.networks.network import Network

_NAME = re.compile(r"[^\W\d_][\w' -]{0,39}")
"""What a word may be called; the rest has a meaning in `--of`."""

FAINT = 1.5
"""A word that is not as many times as strong on its photos as on others is hardly one."""

FEW = 5
"""With fewer photos than these, what they have in common by chance is learnt, too."""


class Lesson(NamedTuple):
    """What is to be learnt.

    Attributes:
        name: of the word.
        photos: files and folders.
        recipe: names the network.
        file: with the network's weights, or its own `.keras` file.
        against: a folder or archive of photos of all kinds, for a network of one's own.
        overwrite: whether a word of this name is replaced.
    """

    name: str
    photos: Sequence[Path]
    recipe: Recipe
    file: Path | None = None
    against: Path | None = None
    overwrite: bool = False


def run(lesson: Lesson, emit: Sink) -> Path:
    """Learn a word, and keep it for `--of`; return the table's path.

    Raises DreamerError where the name or the photos will not do.
    """
    if not _NAME.fullmatch(lesson.name):
        raise DreamerError(
            f"A word cannot be called {lesson.name!r}: write letters, digits, spaces and hyphens."
        )
    network = lesson.recipe.network
    path = words.own_path(network, lesson.file)
    table = words.read(path) if path.is_file() else Table({})
    if lesson.name in table.subjects and not lesson.overwrite:
        raise DreamerError(
            f"There is a word {lesson.name!r} already: give another name, or --overwrite."
        )
    found, _ = find_sources(lesson.photos, None, 0)
    from dreamer.networks import runtime

    runtime.start()
    from dreamer.analysis import word_learning
    from dreamer.networks import loading

    emit(Progress(0, "network"))
    net = loading.load_for_recipe(lesson.recipe, lesson.file)
    usual = _find_usual(net, lesson.against)
    shown: list[Image] = []
    for number, source in enumerate(found):
        emit(Progress((number + 1) / (len(found) + 1), source.path.name))
        try:
            shown.append(source.read().image)
        except DreamerError as error:
            # One bad file never ends the lesson.
            emit(Note(f"Left out: {error}"))
    if not shown:
        raise DreamerError("None of the photos can be read: give others.")
    others = words.load(network) if network in words.SHARED_BY else table
    word = word_learning.learn(net, shown, usual, others)
    times = word_learning.measure_contrast(net, word, shown)
    _write(path, table.with_subjects({lesson.name: word}))
    if lesson.name in others.subjects and lesson.name not in table.subjects:
        emit(Note(f"{lesson.name} was a word already: yours comes first now."))
    if len(shown) < FEW:
        emit(Note(f"From {format_count(len(shown), 'photo')}: five to twenty say more."))
    if times < FAINT:
        emit(Note("The photos have little in common that the network sees: give more, and closer."))
    emit(
        Done(
            f"{lesson.name}: learnt from {format_count(len(shown), 'photo')}, and there "
            f"{times:.1f} times as strong as on others. Try: dream image PHOTO --of "
            f"{_quote(lesson.name)}",
            path,
        )
    )
    return path


def _quote(name: str) -> str:
    return f'"{name}"' if " " in name or "'" in name else name


def _find_usual(net: Network, against: Path | None) -> Usual:
    """Return what is usual to a network. Raises DreamerError where nobody has measured it."""
    from dreamer.analysis import word_fitting, word_learning

    usual = word_learning.find_usual(net)
    if against is not None:
        with speaking_of("--against"):
            pictures = photo_sets.load(against)
        layers = list(usual or [word_fitting.choose_layer(net)])
        return word_learning.measure_usual(net, layers, map(word_learning.of_picture, pictures))
    if usual is None:
        raise DreamerError(
            f"What photos usually show to {net.name} is not known: give --against with a folder of "
            "some hundred photos of all kinds."
        )
    return usual


def forget(name: str, network: str, file: Path | None) -> Path:
    """Remove a word of one's own; return the table's path.

    Raises DreamerError where there is none of this name.
    """
    path = words.own_path(network, file)
    table = words.read(path) if path.is_file() else Table({})
    if name not in table.subjects:
        own = ", ".join(table.subjects) or "none"
        raise DreamerError(f"There is no word {name!r} of your own: there are {own}.")
    rest = {each: word for each, word in table.subjects.items() if each != name}
    _write(path, Table(rest, table.classes))
    return path


def _write(path: Path, table: Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.open_replacing(path) as file:
        file.write(words.to_json(table).encode())
