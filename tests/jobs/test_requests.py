"""Requests as JSON and as command lines: what is asked for comes back as it was."""

import json
import shlex
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from unittest import mock

import pytest
import typer
from annotated_types import Ge, Le
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from dreamer.cli import app, commands
from dreamer.errors import DreamerError
from dreamer.jobs.command_line import to_arguments, to_text
from dreamer.jobs.executors import read_request, write_request
from dreamer.jobs.requests import (
    REQUESTS,
    ClassRequest,
    FiltersRequest,
    ImageRequest,
    Request,
    SearchRequest,
    VideoRequest,
    option_of,
    recipe_options,
)
from dreamer.jobs.run import JOBS
from dreamer.recipe.names import traits

DREAM: Any = typer.main.get_command(app)


def parsed(arguments: list[str]) -> Request:
    """Return the request that a command line makes."""
    with mock.patch.object(commands, "run") as run:
        DREAM.main(arguments, standalone_mode=False)
    request: Request = run.call_args.args[0]
    return request


# A hyphen may begin a value, but not the name of an option.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=9
).filter(lambda text: not text.startswith("--"))
PATHS = st.sampled_from(["a.png", "out dir/ä.jpg", "-x.toml", "../写真.mp4", "."]).map(Path)


def values(info: FieldInfo) -> st.SearchStrategy[Any]:
    """Return what a field of a request may hold."""
    kind = info.annotation
    if get_origin(kind) is tuple:
        (inner, _) = get_args(kind)
        some = st.lists(PATHS if inner is Path else TEXTS, min_size=info.is_required(), max_size=3)
        return some.map(tuple)
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    inner = next((each for each in get_args(kind) if each is not type(None)), kind)
    limits = {type(mark): mark for mark in info.metadata}
    low = limits[Ge].ge if Ge in limits else -1000
    high = limits[Le].le if Le in limits else 100_000
    known: dict[Any, st.SearchStrategy[Any]] = {
        Path: PATHS,
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(low, high),
        float: st.floats(low, high),
    }
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        made: st.SearchStrategy[Any] = st.sampled_from(inner)
    else:
        made = known[inner]
    return made if inner is kind else st.none() | made


def typed(command: str, field: str) -> st.SearchStrategy[Any]:
    """Return what an option of a recipe's field may be given, as it is typed."""
    flag = traits()[field].flag
    param = next(each for each in DREAM.commands[command].params if flag in each.opts)
    if param.is_flag:
        return st.booleans()
    return st.lists(TEXTS, min_size=1, max_size=3).map(tuple) if param.multiple else TEXTS


def requests(kind: type[Request]) -> st.SearchStrategy[Request]:
    parts = {name: values(info) for name, info in kind.model_fields.items() if option_of(info)}
    if options := recipe_options(kind):
        optional = {field: typed(kind.command, field) for field in options}
        parts["fields"] = st.fixed_dictionaries({}, optional=optional)
    return st.builds(kind, **parts)


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=lambda kind: kind.command)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_a_request_survives_json_and_the_command_line(kind: type[Request], data: Any) -> None:
    request = data.draw(requests(kind))
    text = write_request(request)
    assert "\n" not in text
    assert read_request(text) == request
    arguments = to_arguments(request)
    assert arguments[0] == kind.command
    assert shlex.split(to_text(request)) == ["dream", *arguments]
    assert parsed(arguments) == request


def test_a_request_that_asks_for_nothing_is_a_short_command() -> None:
    assert to_text(ImageRequest(photos=(Path("a b.png"),))) == "dream image -- 'a b.png'"
    loop = VideoRequest(fields={"film.loop": False, "film.fps": "12"}, overwrite=True)
    assert to_text(loop) == "dream video --overwrite --no-loop --fps 12"
    several = ClassRequest(names=("hen", "sea snake"), fields={"visualization.diverse": "2"})
    assert to_text(several) == "dream class --diverse 2 -- hen 'sea snake'"


@pytest.mark.parametrize(
    "broken",
    [
        {"command": "image", "quality": 0},
        {"command": "image", "threads": 0},
        {"command": "image", "depth": "9"},
        {"command": "image", "nothing": 1},
        {"command": "image", "photos": "a.png"},
        {"command": "search", "by": "beauty"},
        {"command": "search", "count": 401},
        {"command": "exemplars", "folder": "photos"},
    ],
)
def test_a_broken_request_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"quality|threads|depth|nothing|photos|by|count|layers"):
        read_request(json.dumps(broken))


def test_every_request_has_a_job_and_a_command() -> None:
    assert REQUESTS.keys() == JOBS.keys() <= DREAM.commands.keys()


COMMANDS = {
    f"{name} {inner}".strip(): each
    for name, command in DREAM.commands.items()
    for inner, each in getattr(command, "commands", {"": command}).items()
}
"""Those of `models` and `presets` by both words."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_and_offered_once(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for param in command.params:
        if param.name in ("help", "install_completion", "show_completion"):
            continue
        text = param.help or ""
        if param.param_type_name == "option" or text:
            assert text.endswith("."), param.opts
            assert not text[0].islower(), param.opts
    options = [param for param in command.params if param.param_type_name == "option"]
    flags = Counter(flag for param in options for flag in (*param.opts, *param.secondary_opts))
    assert not [flag for flag, count in flags.items() if count > 1]
    names = [param.name for param in command.params]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=lambda kind: kind.command)
def test_every_field_of_a_request_is_an_option_or_an_argument(kind: type[Request]) -> None:
    params = {param.name: param for param in DREAM.commands[kind.command].params}
    for name, info in kind.model_fields.items():
        option = option_of(info)
        if option is None:
            assert name == "fields"
            continue
        assert info.description
        assert set(option.flags) <= set(params[name].opts)
        assert params[name].required == info.is_required()
    flags = {flag for param in params.values() for flag in param.opts}
    assert flags >= {traits()[field].flag for field in recipe_options(kind)}


FORMER: dict[str, tuple[list[str], Request]] = {
    "--keep-colours": (
        ["image", "a.png", "--keep-colours"],
        ImageRequest(photos=(Path("a.png"),), keep_colors=True),
    ),
    "--keep-colours of a search": (
        ["search", "a.png", "--keep-colours"],
        SearchRequest(photo=Path("a.png"), keep_colors=True),
    ),
    "--colours": (["video", "--colours", "free"], VideoRequest(fields={"film.colors": "free"})),
    "--colours=": (["video", "--colours=free"], VideoRequest(fields={"film.colors": "free"})),
    "a file's name": (
        ["image", "--", "--keep-colours", "colours"],
        ImageRequest(photos=(Path("--keep-colours"), Path("colours"))),
    ),
    "a value": (
        ["filters", "relu", "--set", "feature.init=grey"],
        FiltersRequest(layers=("relu",), settings=("feature.init=grey",)),
    ),
}


@pytest.mark.parametrize("case", FORMER)
def test_former_spellings_of_options_are_still_read(case: str) -> None:
    arguments, request = FORMER[case]
    assert parsed(arguments) == request


def test_a_wrong_value_names_its_option() -> None:
    with pytest.raises(DreamerError, match=r"^--threads cannot be 0: write a number from 1 on\.$"):
        parsed(["image", "a.png", "--threads", "0"])
    with pytest.raises(DreamerError, match=r"^--first cannot be x: write a whole number\.$"):
        parsed(["filters", "relu", "--first", "x"])
    with pytest.raises(DreamerError, match=r"^--by cannot be beauty: write appeal, .* or trial"):
        parsed(["search", "a.png", "--by", "beauty"])
