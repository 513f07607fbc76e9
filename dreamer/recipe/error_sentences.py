"""Error messages for invalid values in a recipe."""

from collections.abc import Callable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dreamer.recipe.names import PARTS, name_option, name_path

OPTIONS = "the options"
"""The source of values that were typed as options."""

ARGUMENTS = "the arguments"
"""The source of values that a program passed."""

_REASONS: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), lambda _: "a whole number"),
    **dict.fromkeys(("float_parsing", "float_type"), lambda _: "a number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), lambda _: "on or off"),
    **dict.fromkeys(("tuple_type", "list_type"), lambda _: "a list, as [1, 2]"),
    "string_type": lambda _: "a text",
    "greater_than": lambda context: f"a number above {context['gt']:g}",
    "greater_than_equal": lambda context: f"a number from {context['ge']:g} on",
    "less_than": lambda context: f"a number below {context['lt']:g}",
    "less_than_equal": lambda context: f"a number up to {context['le']:g}",
    "enum": lambda context: str(context["expected"]).replace("'", ""),
    "literal_error": lambda context: str(context["expected"]).replace("'", ""),
}
"""Functions by type of pydantic error, from the error's context to what to write instead."""

_WRITE: Mapping[str, str] = {
    "size": "the longest side in pixels, as 640, or both, as 1920x480, or full",
    "film.size": "the longest side in pixels, as 640, or both, as 1920x480",
    "aspect": "width:height, as 16:9",
    "crop": "X,Y,WIDTH,HEIGHT in pixels, center or entropy",
    "palette": "colors as #rrggbb,#rrggbb",
}
"""What to write for fields that accept several types."""


def describe_error(error: ValidationError, source: str) -> str:
    """Describe the first error in a sentence: the field, its value, and what to write instead.

    Args:
        error: the error from pydantic.
        source: where the values come from: `OPTIONS`, `ARGUMENTS`, or text as "preset mine.toml".
    """
    first = error.errors()[0]
    # Unions and tuples add parts to the location that mean nothing to a user.
    field = ".".join(str(part) for part in first["loc"][: 2 if first["loc"][0] in PARTS else 1])
    named = {OPTIONS: name_option(field), ARGUMENTS: field.rpartition(".")[2]}
    place = named.get(source, f"In {source}, {name_path(field)}")
    return describe_value(first, place, field, typed=source == OPTIONS)


def describe_value(error: ErrorDetails, place: str, field: str = "", *, typed: bool = True) -> str:
    """Describe an invalid value in a sentence: where it is, and what to write instead.

    Args:
        error: one of those from pydantic.
        place: where the value is, as `--size`.
        field: the field of a recipe that it is about, if it is one.
        typed: whether it was typed as an option, and is shown without quotes.
    """
    given = error["input"]
    # Control characters could command the terminal, so they are shown escaped.
    shown = given if typed and isinstance(given, str) and given.isprintable() else repr(given)
    return f"{place} cannot be {shown}: {_explain(error, field)}."


def _explain(error: ErrorDetails, field: str) -> str:
    if reason := _REASONS.get(error["type"]):
        return f"write {_WRITE.get(field) or reason(error.get('ctx', {}))}"
    if error["type"] == "string_pattern_mismatch":
        return f"write {_WRITE.get(field, 'the hash of a file')}"
    why = error["msg"].removeprefix("Value error, ")
    return f"{why[0].lower()}{why[1:]}"
