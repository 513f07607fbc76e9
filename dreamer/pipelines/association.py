"""Free association: a film that looks at its own frame, and dreams next of what it sees already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from dreamer.errors import DreamerError, speaking_of
from dreamer.imaging.stabilize import Floats
from dreamer.pipelines.frame_loop import ease
from dreamer.recipe import Recipe
from dreamer.recipe.film_fields import FREELY, Film, ThemeLength, parse_themes
from dreamer.recipe.layer_spec import LayerSpec
from dreamer.recipe.schedule import Signals
from dreamer.recipe.schedule.signals import UNITS as BEATS
from dreamer.recipe.words import Table, Word, compute_kinship

LATELY = 8
"""A subject comes back after so many others, at the earliest."""

KIN = 0.25
"""Words whose weights have a larger cosine are much alike, as one pair in thirty is."""

FADING, FADING_SHARE = 1.8, 0.36
"""Seconds over which a theme passes into the next; and the most of its own time that it takes."""

REST, REST_EVERY = 10.0, 60.0
"""Once in so many seconds, a theme of varying length is given so many."""

USUAL_LENGTH = 6.0
"""Seconds of a theme in a loop, about, which has a whole number of them."""


class Theme(NamedTuple):
    """What a film dreams of from a frame on."""

    frame: int
    word: str


Themes = Sequence[Theme]


def add_terms(recipe: Recipe, table: Table) -> Recipe:
    """Return a film's recipe with terms for two words, behind those that it has.

    Their channels and weights are other ones at each key; see `Association.find_terms`.
    """
    blank = [f"{layer}:0=0" for layer in _list_layers(table)]
    return recipe.changed({"layers": [*recipe.layers, *blank, *blank], "of": recipe.of})


def _list_layers(table: Table) -> list[str]:
    """List the layers that any word of a table raises."""
    words = (*table.subjects.values(), *table.classes.values())
    return sorted({term.layer for word in words for term in word.terms})


@dataclass(frozen=True)
class Association:
    """The themes of a film: which there may be, how long they last, and how they follow.

    Attributes:
        film: says what to begin with or to hold to, what to avoid, and how long a theme lasts.
        seed: decides the lengths.
        table: the words.
        signals: of the music, where themes last some beats.
    """

    film: Film
    seed: int
    table: Table
    signals: Signals | None = None

    @cached_property
    def chain(self) -> list[str]:
        """Return the words that were asked for; the film associates freely behind a single one."""
        asked = self.film.associate or FREELY
        return [] if asked == FREELY else [word.strip() for word in asked.split(",")]

    @cached_property
    def avoided(self) -> list[Word]:
        """Return the words that the film never comes to by itself."""
        with speaking_of("--avoid"):
            return [self.table.find(name.strip()) for name in self.film.avoid]

    def check(self) -> None:
        """Find all words, and a beat. Raises DreamerError for one that is unknown or missing."""
        _ = self.avoided, self.find_begin(1)
        with speaking_of("--associate"):
            for name in self.chain:
                self.table.find(name)

    def begin(self, strengths: Mapping[str, Floats]) -> Themes:
        """Return the first theme: the one that is asked for, or what the photo shows most."""
        return [Theme(0, self.chain[0] if self.chain else self._choose([], strengths))]

    def follow(self, themes: Themes, frame: int, strengths: Mapping[str, Floats]) -> Themes:
        """Return the themes up to a frame: with the next one, where its time has come.

        Args:
            themes: those so far.
            frame: of the film.
            strengths: the mean square of each channel on the frames before it, by layer.
        """
        count = len(themes)
        if frame < self.find_begin(count):
            return themes
        if len(self.chain) > 1:
            word = self.chain[count % len(self.chain)]
        else:
            word = self._choose([theme.word for theme in themes], strengths)
        return [*themes, Theme(frame, word)]

    def find_terms(self, themes: Themes, frame: int) -> list[LayerSpec]:
        """Return what is raised at a frame."""
        weighed = self.weigh_themes(themes, frame)
        return [
            spec for number, weight in weighed for spec in self._weigh(themes[number].word, weight)
        ]

    def weigh_themes(self, themes: Themes, frame: int) -> list[tuple[int, float]]:
        """Return the numbers and weights of the themes at a frame: the one that fades comes first.

        In a loop, the last theme fades into the first.
        """
        passed = sum(theme.frame <= frame for theme in themes)
        now, before = passed - 1, max(passed - 2, 0)
        share = ease((frame - themes[now].frame) / self._fading(now)) if now else 1.0
        if self.film.loop and now:
            left = self.film.length - frame
            if back := ease(1 - left / self._fading(now)):
                return [(now, 1 - back), (0, back)]
        return [(before, 1 - share), (now, share)]

    def find_begin(self, number: int) -> int:
        """Return the frame at which a theme begins; of one that a loop has not, none."""
        film = self.film
        if film.loop:
            count = max(2, round(film.length / film.fps / USUAL_LENGTH))
            return round(film.length * number / count) if number < count else film.length + 1
        if self._length.unit != "s":
            return self._find_beat(number)
        return round(film.fps * (film.intro * (number > 0) + sum(self._lengths(number))))

    @cached_property
    def _length(self) -> ThemeLength:
        return parse_themes(self.film.themes)

    def _find_beat(self, number: int) -> int:
        """Return the frame of the beat on which a theme begins; the first one begins the film."""
        least, _, unit = self._length
        if self.signals is None or len(self.signals.beats) < 2:
            raise DreamerError(
                f"--themes {self.film.themes}: give --music in which a beat can be heard, or --bpm."
            )
        beat = number * least * BEATS[unit]
        return round(self.signals.find_beat(beat) * self.film.fps) if number else 0

    def _lengths(self, count: int) -> Sequence[float]:
        """Return the seconds that each of the first themes lasts."""
        least, most, _ = self._length
        return _draw_lengths(self.seed, least, most, count)

    def _fading(self, number: int) -> float:
        """Return the frames over which a theme comes."""
        whole = self.find_begin(number + 1) - self.find_begin(number)
        return max(1.0, min(FADING * self.film.fps, FADING_SHARE * whole))

    def _choose(self, past: Sequence[str], strengths: Mapping[str, Floats]) -> str:
        """Choose the subject that a picture shows most, and that there has not been lately.

        Neither has one that is much like it, as berries and fruit, where there is another.
        """
        energies: Any = strengths
        lately = [self.table.find(name) for name in past[-LATELY:]]
        left = [
            (name.partition(",")[0], self.table.subjects[name])
            for name, _ in self.table.found(energies)
        ]
        left = [(name, word) for name, word in left if word not in (*lately, *self.avoided)]
        if not left:
            raise DreamerError(
                f"No subject is left to dream of: there are {len(self.table.subjects)}; "
                "avoid fewer."
            )
        new = (
            name
            for name, word in left
            if all(compute_kinship(word, other) < KIN for other in lately)
        )
        return next(new, left[0][0])

    @cached_property
    def _layers(self) -> list[str]:
        return _list_layers(self.table)

    def _weigh(self, name: str, weight: float) -> list[LayerSpec]:
        """Return a term for each layer of the table."""
        terms = {term.layer: term for term in self.table.find(name).terms}
        nothing = LayerSpec("", (0,), 0.0)
        return [
            terms.get(layer, nothing)._replace(
                layer=layer, weight=weight if layer in terms else 0.0
            )
            for layer in self._layers
        ]


_DRAW = 97
"""Keeps the numbers that lengths are drawn by from others of the same seed."""


@lru_cache
def _draw_lengths(seed: int, least: float, most: float, count: int) -> Sequence[float]:
    """Draw lengths of so many themes; every frame asks for them."""
    lengths: list[float] = []
    since = 0.0
    for number in range(count):
        drawn = np.random.default_rng([seed, number, _DRAW]).uniform(least, most)
        rests = least < most and since + drawn > REST_EVERY - REST
        lengths.append(max(REST, drawn) if rests else float(drawn))
        since = 0.0 if rests else since + lengths[-1]
    return lengths
