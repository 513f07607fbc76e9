"""What pictures scored that were grown, as tables and inside of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamer.jobs.events import Done, Sink
from dreamer.jobs.outputs import check_table, round_number, split_output, write_table

if TYPE_CHECKING:
    from dreamer.analysis.classifier import Head
    from dreamer.files.cell_store import Cell
    from dreamer.pipelines.layer_growth import Grown
    from dreamer.pipelines.visualization import Growing

COLUMNS = ("picture", "option", "first_score", "score", "steps", "stopped")
"""Columns of the table of pictures; those of classes are behind them."""

OF_CLASSES = ("probability", "rank", "seen_as", "seen_as_probability")
"""How a classifier sees the picture of a class: 1 is the highest rank."""

OF_STEPS = ("picture", "option", "step", "score")
"""Columns of the table of steps. A step's score is that of what the network sees before it."""


class Seen(NamedTuple):
    """How a classifier sees the picture of a class; see `OF_CLASSES`."""

    probability: float
    rank: int
    seen_as: str
    seen_as_probability: float


def look(head: Head, output: int, grown: Grown) -> Seen:
    """Look at the picture of a class through its classifier."""
    chances = head.chances(grown.picture)
    best = int(chances.argmax())
    rank = 1 + int((chances > chances[output]).sum())
    return Seen(float(chances[output]), rank, head.label(best), float(chances[best]))


def describe_score(grown: Grown, seen: Seen | None = None) -> dict[str, Any]:
    """Return the facts of a picture's score, for it to carry."""
    facts = {"first_score": grown.first_score, "score": grown.score}
    facts |= {"probability": seen.probability} if seen else {}
    return {name: round_number(value) for name, value in facts.items()}


def choose_scores(
    output: Sequence[Path], log: Path | None, *, overwrite: bool
) -> tuple[Path | None, Scores]:
    """Return where pictures go, None where nothing says so, and what notes their scores.

    Raises DreamerError, before any work, where a table cannot be written.
    """
    pictures, table = split_output(output, overwrite=overwrite)
    check_table(log, "--log", overwrite=overwrite)
    return pictures, Scores(table, log, overwrite)


@dataclass
class Scores:
    """The scores of a job, and where they are to be written.

    Attributes:
        table: of the pictures; None for none.
        log: of all steps; None for none.
        overwrite: whether files that are there may be replaced.
    """

    table: Path | None = None
    log: Path | None = None
    overwrite: bool = False
    _rows: list[tuple[object, ...]] = field(default_factory=list)
    _steps: dict[tuple[str, str, int], float] = field(default_factory=dict)

    def add(self, one: Grown | Cell, option: str = "", seen: Seen | None = None) -> None:
        """Note a picture, with the option by which its recipe differs from others."""
        own = one.label, option, one.first_score, one.score, one.step, one.stopped
        self._rows.append((*own, *(seen or ())))

    def add_step(self, state: Growing, option: str) -> None:
        """Note the scores of the pictures that grow, where steps are written."""
        if self.log:
            for label, score in zip(state.labels, state.scores.tolist(), strict=True):
                self._steps[label, option, state.step] = score

    def write(self, emit: Sink) -> None:
        """Write what was asked for."""
        if self.table:
            wide = max(map(len, self._rows), default=0) > len(COLUMNS)
            columns = (*COLUMNS, *OF_CLASSES) if wide else COLUMNS
            write_table(self.table, columns, self._rows, overwrite=self.overwrite)
            emit(Done(str(self.table), self.table))
        if self.log:
            steps = [(*names, score) for names, score in self._steps.items()]
            write_table(self.log, OF_STEPS, steps, overwrite=self.overwrite)
            emit(Done(str(self.log), self.log))
