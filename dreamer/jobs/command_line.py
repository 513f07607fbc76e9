"""Requests as command lines."""

import shlex
from collections.abc import Iterator

from dreamer.jobs.requests import Request, Typed, option_of
from dreamer.recipe.names import traits


def to_arguments(request: Request) -> list[str]:
    """Return the arguments of `dream` that ask for the same."""
    named, plain = [], []
    for name, info in type(request).model_fields.items():
        option, value = option_of(info), getattr(request, name)
        if option is None or value == info.default:
            continue
        if option.flags:
            named += list(_write(option.flag, value))
        else:
            plain += [str(each) for each in (value if isinstance(value, tuple) else [value])]
    for field, given in request.fields.items():
        named += list(_write(traits()[field].flag, given))
    # What begins with a hyphen would be read as an option.
    return [request.command, *named, *(["--"] if plain else []), *plain]


def to_text(request: Request) -> str:
    """Return the command line that asks for the same, as a shell reads it."""
    return shlex.join(["dream", *to_arguments(request)])


def _write(flag: str, value: Typed | object) -> Iterator[str]:
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, bool):
            yield flag if each else f"--no-{flag.removeprefix('--')}"
        else:
            yield from (flag, str(each))
