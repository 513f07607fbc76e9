"""Properties of recipes, schedules and layer specs, over examples that are drawn."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer.recipe import Recipe, from_fields, from_toml, provenance, to_fields, to_toml
from dreamer.recipe.layer_spec import Choice, LayerSpec, parse_layer
from dreamer.recipe.names import traits
from dreamer.recipe.schedule import EASINGS, Clock, keys, parse, parse_text

few = settings(max_examples=30, deadline=None, derandomize=True, database=None)

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: float(f"{x:.6g}"))
FRAMES = st.lists(st.integers(0, 500), min_size=2, max_size=6, unique=True).map(sorted)
NAMES = st.from_regex(r"[a-z][a-z0-9_/]{0,11}", fullmatch=True)


@st.composite
def schedules(draw: Any) -> tuple[list[int], list[float], list[str]]:
    """Draw the frames, the values and the easings of a schedule's keys."""
    frames = draw(FRAMES)
    values = draw(st.lists(NUMBERS, min_size=len(frames), max_size=len(frames)))
    count = len(frames) - 1
    easings = draw(st.lists(st.sampled_from([*EASINGS, ""]), min_size=count, max_size=count))
    return frames, values, ["", *easings]


def written(frames: list[int], values: list[float], easings: list[str]) -> str:
    """Write a schedule as a person would."""
    parts = zip(frames, values, easings, strict=True)
    return ", ".join(f"{at}:({value}{', ' if how else ''}{how})" for at, value, how in parts)


@few
@given(schedules())
def test_a_key_has_its_own_value_at_its_own_frame(drawn: Any) -> None:
    frames, values, _ = drawn
    schedule = parse(written(*drawn))
    for frame, value in zip(frames, values, strict=True):
        assert schedule.at(Clock(frame, 600, 24)) == value
    assert schedule.at(Clock(0, 600, 24)) == values[0]
    assert schedule.at(Clock(599, 600, 24)) == values[-1]


@few
@given(schedules(), st.floats(0, 1))
def test_between_two_keys_a_number_stays_between_their_values(drawn: Any, share: float) -> None:
    frames, values, _ = drawn
    schedule = parse(written(*drawn))
    for begin, end, first, last in zip(frames, frames[1:], values, values[1:], strict=False):
        value = schedule.at(Clock(begin + share * (end - begin), 600, 24))
        slack = 1e-9 * (1 + abs(first) + abs(last))
        assert min(first, last) - slack <= value <= max(first, last) + slack


@few
@given(schedules())
def test_a_schedule_that_is_written_is_the_one_that_was_read(drawn: Any) -> None:
    read = parse_text(written(*drawn))
    again = parse_text(", ".join(map(keys.write, read.keys)))
    assert again.keys == read.keys
    numbers = parse(", ".join(map(keys.write, read.keys)))
    for frame in range(0, 500, 7):
        clock = Clock(frame, 600, 24)
        assert numbers.at(clock) == parse(written(*drawn)).at(clock)


@few
@given(schedules(), st.integers(0, 500))
def test_the_weights_of_a_schedule_of_texts_sum_to_one(drawn: Any, frame: int) -> None:
    frames, _, easings = drawn
    names = [f"mixed4c:{number}" for number in range(len(frames))]
    parts = zip(frames, names, easings, strict=True)
    text = ", ".join(f"{at}:({name}{', ' if how else ''}{how})" for at, name, how in parts)
    weights = dict(parse_text(text).at(Clock(frame, 600, 24)))
    assert abs(sum(weights.values()) - 1) < 1e-9
    assert set(weights) <= set(names)
    assert all(0 < weight <= 1 for weight in weights.values())


@st.composite
def layer_specs(draw: Any) -> LayerSpec:
    """Draw what a layer spec may say."""
    layer = draw(NAMES)
    weight = draw(NUMBERS)
    kind = draw(st.sampled_from(["whole", "channels", "weighted", "chosen"]))
    if kind == "whole":
        return LayerSpec(layer, None, weight)
    if kind == "chosen":
        how = draw(st.sampled_from(["strongest", "weakest", "average"]))
        return LayerSpec(layer, None, weight, choice=Choice(how, draw(st.integers(1, 9999))))
    channels = draw(st.lists(st.integers(0, 9999), min_size=1, max_size=8, unique=True))
    if kind == "channels":
        return LayerSpec(layer, tuple(channels), weight)
    thousandths = st.integers(-9_999_999, 9_999_999).map(lambda x: x / 1000)
    count = len(channels)
    weights = draw(st.lists(thousandths, min_size=count, max_size=count))
    alike = set(weights) == {1.0}
    return LayerSpec(layer, tuple(channels), weight, None if alike else tuple(weights))


def text_of(spec: LayerSpec) -> str:
    """Write a layer spec as a person would."""
    chosen = ""
    if spec.choice:
        chosen = f":{spec.choice.how}{spec.choice.number}"
    elif spec.channels is not None:
        weights = spec.channel_weights or (None,) * len(spec.channels)
        parts = zip(spec.channels, weights, strict=True)
        chosen = ":" + ",".join(f"{c}" if w is None else f"{c}@{w:.3f}" for c, w in parts)
    return f"{spec.layer}{chosen}={spec.weight!r}"


@few
@given(layer_specs())
def test_a_layer_spec_that_is_written_is_the_one_that_is_read(spec: LayerSpec) -> None:
    assert parse_layer(text_of(spec)) == spec
    (term,) = Recipe(layers=(text_of(spec),)).terms
    assert term == spec


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "steps": st.integers(1, 100_000),
    "rate": st.floats(1e-9, 1e6),
    "blur": st.one_of(st.floats(0, 1000), st.just("0:(0.1), 50%:(2, ease-in)")),
    "octaves": st.integers(1, 20),
    "octave_scale": st.floats(1.01, 8),
    "layers": st.lists(layer_specs().map(text_of), max_size=3),
    "input_mean": st.tuples(NUMBERS, NUMBERS, NUMBERS),
    "palette": st.lists(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True), max_size=4),
    "strength": st.one_of(st.none(), st.floats(0.001, 100)),
    "size": st.one_of(st.just("full"), st.integers(1, 10**6)),
    "seed": st.integers(0, 2**32 - 1),
    "clip": st.booleans(),
    "about.name": st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=30),
    "about.tags": st.lists(st.text("abc é\"'\\#", max_size=8), max_size=3),
    "film.fps": st.floats(0.001, 240),
    "film.frames": st.one_of(st.none(), st.integers(1, 1_000_000)),
    "film.loop": st.booleans(),
    "film.zoom": st.one_of(st.floats(0.01, 100), st.just("1+0.02*sin(t/10)")),
    "visualization.leaky": st.floats(0, 1),
    "visualization.unit": st.booleans(),
}


@few
@given(st.fixed_dictionaries({}, optional=FIELDS))
def test_a_recipe_survives_the_way_to_toml_and_json_and_back(values: dict[str, Any]) -> None:
    recipe = Recipe().changed(values)
    assert from_toml(to_toml(recipe), "itself") == recipe
    assert from_fields(json.loads(json.dumps(to_fields(recipe))), "itself") == recipe
    assert provenance.parse(provenance.Provenance(recipe, {"n": 1}).text, "it").recipe == recipe
    assert from_toml(to_toml(from_toml(to_toml(recipe), "itself")), "itself") == recipe


def test_every_drawn_field_is_one_of_a_recipe() -> None:
    assert set(FIELDS) <= set(traits())
