"""Schedules: a number or a text over a film's frames, in the convention of Deforum.

`0:(1.02), 60:(1+0.02*sin(t/10)), 120:(1.06, ease-in)`: a key, a colon and a value, in brackets or
without. A key is a frame, a time (`2s:`) or a share of the film's length (`50%:`). A text that
does not begin with a key is one value for the whole film.

An easing belongs to the key that it leads to: `120:(1.06, ease-in)` is how 1.06 is reached. Where
none is written, numbers and texts change linearly, and an expression that varies by itself goes
on until the next key. What a key leads to is its value at its own frame; before the first key that
one holds.
"""

from dreamer.schedule.easings import EASINGS
from dreamer.schedule.expressions import FUNCTIONS, VARIABLES, Clock
from dreamer.schedule.keys import is_schedule
from dreamer.schedule.schedules import Number, Schedule, TextSchedule, parse, parse_text

__all__ = [
    "EASINGS",
    "FUNCTIONS",
    "VARIABLES",
    "Clock",
    "Number",
    "Schedule",
    "TextSchedule",
    "is_schedule",
    "parse",
    "parse_text",
]
