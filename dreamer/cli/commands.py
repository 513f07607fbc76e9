"""Commands made from requests: each field of a request, and of a recipe, is described once."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.core import TyperCommand

from dreamer.cli import complete, interrupt, show
from dreamer.errors import DreamerError
from dreamer.jobs.requests import (
    CLIP,
    FILES,
    GROWTH,
    LOOK,
    MOTION,
    NETWORK,
    QUICK,
    SEARCH,
    Option,
    Request,
    Typed,
    option_of,
    recipe_options,
)
from dreamer.recipe import Recipe
from dreamer.recipe.error_sentences import describe_value
from dreamer.recipe.film_fields import FREELY
from dreamer.recipe.names import FORMER, traits

PANELS = ("", LOOK, MOTION, CLIP, GROWTH, SEARCH, NETWORK, FILES, QUICK)
"""Parts of a command's help, in order."""

_MOVES = ("motion", "speed", "zoom", "angle", "border", "seconds", "frames", "fps", "loop")
_PANELS: Mapping[str, str] = {
    **{f"film.{name}": MOTION for name in (*_MOVES, "intro", "cadence")},
    **{f"film.{name}": CLIP for name in ("flow", "blend_moving", "blend_still")},
    **dict.fromkeys(("network", "precision"), NETWORK),
    **dict.fromkeys(("size", "film.size"), FILES),
}
"""Where a recipe's field stands in the help; a look otherwise, or a growth."""

_COMPLETIONS: Mapping[str, str] = {"network": "networks", "film.motion": "motions"}

_FIELD = "field__"


def describe_option(text: str) -> str:
    """Return the description of a field as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


class Command(TyperCommand):
    """A command that reads former names of its options, and says which of two values counts."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments as any command does."""
        # What comes behind a lone `--` are names of files, not options.
        named = args.index("--") if "--" in args else len(args)
        args = [*_complete_flags(list(map(_modernize, args[:named]))), *args[named:]]
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param, times in Counter(order).items():
            if times > 1 and not (param.multiple or getattr(param, "is_flag", False)):
                name = max(param.opts, key=len)
                counts = f"the last one, {given[param.name]}, counts."
                show.note(f"{name} is given {times} times: {counts}")
        rest: list[str] = super().parse_args(ctx, args)
        return rest


_ALONE: Mapping[str, str] = {"--associate": FREELY}
"""The values of options that stand alone."""


def _complete_flags(args: Sequence[str]) -> list[str]:
    """Return arguments with the values of options that stand alone."""
    whole = []
    for argument, following in zip_longest(args, args[1:], fillvalue="-"):
        whole.append(argument)
        if argument in _ALONE and following.startswith("-"):
            whole.append(_ALONE[argument])
    return whole


def _modernize(argument: str) -> str:
    if not argument.startswith("--"):
        return argument
    flag, equals, value = argument.partition("=")
    words = flag.removeprefix("--").split("-")
    return f"--{'-'.join(FORMER.get(word, word) for word in words)}{equals}{value}"


def make_command(kind: type[Request], text: str) -> Callable[..., None]:
    """Make the function behind a command, with an option for each field of its request.

    Args:
        kind: of the request.
        text: what the help says of the command.
    """
    first, last = _request_params(kind)
    params = sorted(
        [*first, *_recipe_params(kind), *last, _quiet()], key=lambda each: PANELS.index(each[0])
    )

    def command(**given: Any) -> None:
        quiet = bool(given.pop("quiet"))
        run(build_request(kind, given), quiet=quiet)

    command.__doc__ = text
    command.__signature__ = inspect.Signature([param for _, param in params])  # type: ignore[attr-defined]
    command.__annotations__ = {param.name: param.annotation for _, param in params}
    return command


def run(request: Request, *, quiet: bool) -> None:
    """Run a job, and show its events. Ends the command where it stopped or failed."""
    # What follows is heavy, and `--help` does without it.
    from dreamer.jobs.run import run_job

    with show.terminal(quiet=quiet) as emit, interrupt.interruptible() as stop:
        outcome = run_job(request, emit, stop)
    if outcome.stopped:
        raise typer.Exit(interrupt.INTERRUPTED)
    if outcome.failed:
        raise typer.Exit(1)


def build_request(kind: type[Request], given: Mapping[str, Any]) -> Request:
    """Build a request from what was typed.

    Args:
        kind: of the request.
        given: values by parameter; None, False and empty lists were not given.

    Raises DreamerError that names the option, the cause and the remedy.
    """
    typed = {name: value for name, value in given.items() if value not in (None, False, [])}
    fields: dict[str, Typed] = {}
    for name in [each for each in given if each.startswith(_FIELD)]:
        value = given[name]
        field = name.removeprefix(_FIELD).replace("__", ".")
        if value is not None and value != []:
            fields[field] = tuple(value) if isinstance(value, list) else value
        typed.pop(name, None)
    if fields:
        typed["fields"] = fields
    try:
        return kind.model_validate(typed)
    except ValidationError as error:
        first = error.errors()[0]
        option = option_of(kind.model_fields[str(first["loc"][0])])
        raise DreamerError(describe_value(first, option.flag if option else "")) from None


Param = tuple[str, inspect.Parameter]
"""A panel of the help, and a parameter."""


_FIRST = ("preset", "of", "unwanted")
"""What a person thinks of first stands first in its part of the help."""


def _request_params(kind: type[Request]) -> tuple[list[Param], list[Param]]:
    """Return the options of a request: those that stand before a recipe's, and those behind."""
    params = {
        name: (option.panel if option.flags else "", _request_param(name, info, option))
        for name, info in kind.model_fields.items()
        if (option := option_of(info))
    }
    first = [params[name] for name in _FIRST if name in params]
    return first, [param for name, param in params.items() if name not in _FIRST]


def _request_param(name: str, info: FieldInfo, option: Option) -> inspect.Parameter:
    several, inner = _kind_of(info.annotation)
    help_text = describe_option(info.description or "")
    if info.default not in (None, False, (), PydanticUndefined) and "default" not in help_text:
        help_text = f"{help_text.removesuffix('.')} (default: {info.default})."
    if inner is bool:
        default: Any = False
        annotation: Any = bool
    else:
        value = Path if inner is Path else str
        default = None
        annotation = list[value] | None if several else value | None  # type: ignore[valid-type]
    if not option.flags:
        required = info.is_required()
        made = typer.Argument(metavar=option.metavar or None, help=help_text, show_default=False)
        if required:
            annotation = list[value] if several else value  # type: ignore[valid-type]
            default = inspect.Parameter.empty
    else:
        made = typer.Option(
            *option.flags,
            help=help_text,
            metavar=option.metavar or _metavar(inner),
            rich_help_panel=option.panel,
            autocompletion=complete.COMPLETIONS.get(option.completes),
            show_default=False,
        )
    return _parameter(name, Annotated[annotation, made], default)


def _recipe_params(kind: type[Request]) -> list[Param]:
    """Return an option for each field of a recipe that a command takes."""
    params = []
    for field in recipe_options(kind):
        trait = traits()[field]
        part, _, inner = field.rpartition(".")
        data = type(getattr(Recipe(), part)) if part else Recipe
        info = data.model_fields[inner]
        panel = _PANELS.get(field) or (GROWTH if part == "visualization" else LOOK)
        flags = [trait.flag, *_SHORT.get(trait.flag, ())]
        help_text = describe_option(info.description or "")
        if trait.repeat:
            help_text = f"{help_text.removesuffix('.')}; repeatable."
        if info.annotation is bool and not trait.metavar:
            flags = [f"{trait.flag}/--no-{trait.flag.removeprefix('--')}"]
            annotation: Any = bool | None
        else:
            annotation = list[str] | None if trait.repeat else str | None
        option = typer.Option(
            *flags,
            help=help_text,
            metavar=trait.metavar or (None if annotation == bool | None else _number(info)),
            rich_help_panel=panel,
            autocompletion=complete.COMPLETIONS.get(_COMPLETIONS.get(field, "")),
            show_default=False,
        )
        name = _FIELD + field.replace(".", "__")
        params.append((panel, _parameter(name, Annotated[annotation, option], None)))
    return params


_SHORT: Mapping[str, Sequence[str]] = {"--layer": ("-l",), "--model": ("-m",)}


def _quiet() -> Param:
    option = typer.Option("-q", "--quiet", help="Show only errors.")
    return "", _parameter("quiet", Annotated[bool, option], False)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def _kind_of(annotation: Any) -> tuple[bool, Any]:
    """Return whether a field takes several values, and of what kind each is."""
    parts = [part for part in get_args(annotation) if part not in (type(None), ...)]
    several = getattr(annotation, "__origin__", None) is tuple
    return several, (parts[0] if parts else annotation)


def _metavar(kind: Any) -> str | None:
    """Return what the help calls a value of a kind."""
    if kind is bool:
        return None
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "|".join(kind)
    return {int: "N", float: "NUMBER", Path: "PATH"}.get(kind, "TEXT")


def _number(info: FieldInfo) -> str:
    kinds = {info.annotation, *get_args(info.annotation)}
    return "N" if int in kinds else "NUMBER"
