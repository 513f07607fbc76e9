"""Schedules: numbers or texts that change over the frames of a film, in the notation of Deforum.

In `0:(1.02), 60:(1+0.02*sin(t/10)), 120:(1.06, ease-in)`, each part is a key, a colon and a value,
with or without parentheses. A key is a frame, a time (`2s:`) or a share of the film's length
(`50%:`), or, with music, `beat 8:` or `bar 4:`. A text that does not begin with a key is one value
for the whole film.

An easing describes the way to its own key: `120:(1.06, ease-in)` eases in to 1.06. Without an
easing, the change to the next key is linear, but an expression that depends on the frame stays in
effect until the next key. A change leads to the value that the next key has at its own frame;
before the first key, the value that this has at its own frame holds.
"""

from dreamer.recipe.schedule.easings import EASINGS
from dreamer.recipe.schedule.expressions import FUNCTIONS, VARIABLES, Clock
from dreamer.recipe.schedule.keys import is_schedule
from dreamer.recipe.schedule.schedules import Number, Schedule, TextSchedule, parse, parse_text
from dreamer.recipe.schedule.signals import NAMES, Signals

__all__ = [
    "EASINGS",
    "FUNCTIONS",
    "NAMES",
    "VARIABLES",
    "Clock",
    "Number",
    "Schedule",
    "Signals",
    "TextSchedule",
    "is_schedule",
    "parse",
    "parse_text",
]
