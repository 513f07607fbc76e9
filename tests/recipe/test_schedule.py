"""Schedules: the convention that artists know, and nothing that a stranger could abuse."""

import math
import time

import numpy as np
import pytest

from dreamer.errors import DreamerError
from dreamer.recipe.schedule import (
    EASINGS,
    FUNCTIONS,
    Clock,
    Signals,
    is_schedule,
    keys,
    parse,
    parse_text,
)


def clock(frame: float, frames: float = 120, fps: float = 30) -> Clock:
    return Clock(frame, frames, fps)


# In Deforum numbers interpolate linearly, an expression goes on until the next key, ends hold.
VALUES = [
    (1.02, 500, 1.02),
    ("-1.5e-2", 7, -0.015),
    ("0:(1.02), 60:(1.06)", 0, 1.02),
    ("0:(1.02), 60:(1.06)", 15, 1.03),
    ("0:(1.02), 60:(1.06)", 90, 1.06),
    ("0: 1.02, 60: 1.06", 30, 1.04),
    ("30:(2), 60:(3)", 4, 2),
    ("30:(t), 60:(3)", 4, 30),
    ("0:(1+0.02*sin(2*pi*t/max_f))", 119 / 4, 1.02),
    ("sin(2*pi*t/n)", 30, 1),
    ("0:(t), 10:(100)", 9, 9),
    ("0:(t), 10:(100)", 10, 100),
    ("0:(10), 10:(2*t)", 5, 15),
    ("0:(t), 10:(100, linear)", 5, 52.5),
    ("0:(1+t)*(2)", 3, 8),
    ("0:(min(1, t)), 10:(max(t, 3), hold)", 5, 1),
    ("2s:(1), 3s:(3)", 75, 2),
    ("0:(t/fps)", 60, 2),
    ("0:(s+1)", 60, 1),
    ("25%:(0), 75%:(1)", 60, 0.5),
    ("50%:(2), 1s:(1)", 45, 1.5),
    ("0:(floor(t/7) - -2**2 % 3 // 1)", 48, 4),
    ("0:(1 / 3 + exp(log(abs(-2))) + sqrt(4) + cos(0) + tan(0) + fps)", 0, 35 + 1 / 3),
    ("\n 0:(1),\n 10:(2),\n", 5, None),
]


@pytest.mark.parametrize(("written", "frame", "value"), VALUES)
def test_a_number_over_time(written: float | str, frame: float, value: float | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match="no easing"):
            parse(written)
    else:
        assert parse(written).at(clock(frame)) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("easing", EASINGS)
def test_an_easing_leads_to_its_key(easing: str) -> None:
    schedule = parse(f"0:(3), 10:(5), 20:(9, {easing})")
    way = [schedule.at(clock(frame)) for frame in range(10, 21)]
    assert schedule.at(clock(5)) == 4
    assert way[0] == 5
    assert way[-1] == 9
    assert way == sorted(way)
    half = {"linear": 7, "ease-in": 6, "ease-out": 8, "ease-in-out": 7, "hold": 5}
    assert way[5] == half[easing]


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_the_same_second_has_the_same_value(fps: int) -> None:
    schedule = parse("0:(1), 45:(2+s, ease-in), 75%:(t/n)")
    moments = [schedule.at(Clock(second * 30, 120, 30)) for second in (0.2, 1.4, 1.6, 3.8)]
    frames = [round(second * fps) for second in (0.2, 1.4, 1.6, 3.8)]
    written = [Clock(frame * 30 / fps, 4 * fps * 30 / fps, 30) for frame in frames]
    assert [schedule.at(each) for each in written] == pytest.approx(moments)


# What is wrong, and where.
REFUSED = [
    ("", "missing", "▸"),
    ("0:", "missing", "0:▸"),
    ("0:(1.02), 60:(1.06", "never closed", "60:▸(1.06"),
    ("0:(1.02)), 60:(1)", "never opened", "(1.02)▸)"),
    ("0:(1.02) 60:(1.06)", "arithmetic", "60▸:("),
    ("0:(1), 9:(2, ease-inn)", "ease-in-out", "2, ▸ease-inn"),
    ("0:(1, ease-in), 9:(2)", "first key", "▸0:("),
    ("0:(1), 9:(2), 3:(1)", "come after", "▸3:("),
    ("0:(1), 0:(2)", "come after", "▸0:(2)"),
    ("0:(1), 60:(1+foo)", "foo is unknown", "1+▸foo"),
    ("0:(1), 60:(sine(t))", "did you mean sin", "▸sine(t)"),
    ("0:(t^2)", r"\*\* for a power", "t▸^2"),
    ("0:(1 + )", "arithmetic", "1 +▸"),
    ("0:(t.real)", "arithmetic", "▸t.real"),
    ("t.__class__", "arithmetic", "▸t.__class__"),
    ("'a' * 9", "arithmetic", "▸'a'"),
    ("[1][0]", "round brackets", "▸[1]"),
    ("(t for t in 1)", "arithmetic", "▸(t for"),
    ("lambda: 1", "arithmetic", "lambda▸:"),
    ("1 if t else 2", "arithmetic", "▸1 if"),
    ("t > 3", "arithmetic", "t ▸> 3"),
    ("t or 3", "arithmetic", "▸t or"),
    ("not t", "arithmetic", "▸not t"),
    ("True", "arithmetic", "▸True"),
    ("1j", "arithmetic", "▸1j"),
    ("max(*t, *t)", "arithmetic", "max(▸*t"),
    ("max(t, key=t)", "arithmetic", "key▸=t"),
    ("sin(1)(2)", "arithmetic", "▸sin(1)(2)"),
    ("sin", "unknown", "▸sin"),
    ("pi(2)", "unknown", "▸pi(2)"),
    ("open(1)", "unknown", "▸open(1)"),
    ("__import__(1)", "unknown", "▸__import"),
    ("1" + "0" * 300, "at most 250", "▸1000"),
    ("-" * 300 + "1", "at most 250", "▸---"),
]


@pytest.mark.parametrize(("text", "why", "place"), REFUSED)
def test_what_is_no_schedule_is_refused_and_marked(text: str, why: str, place: str) -> None:
    with pytest.raises(ValueError, match=why) as raised:
        parse(text)
    assert place in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 160


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_its_number_of_arguments(name: str) -> None:
    counts = {1: f"{name}(1)", 2: f"{name}(1, 2)", 3: f"{name}(1, 2, 3)"}
    fitting = (2, 3) if name in ("min", "max") else (1,)
    for count, text in counts.items():
        if count in fitting:
            assert math.isfinite(parse(text).at(clock(0)))
        else:
            with pytest.raises(ValueError, match="arguments"):
                parse(text)


@pytest.mark.parametrize(
    "text", ["9**9**9", "10**400", "exp(t)", "(-8)**0.5", "log(0)", "1e999", "1e300*1e300", "0**-t"]
)
def test_what_is_not_finite_is_told_with_its_frame(text: str) -> None:
    before = time.perf_counter()
    with pytest.raises(DreamerError, match="no finite value") as raised:
        parse(f"0:({text})").at(clock(1000))
    assert time.perf_counter() - before < 0.2
    assert f"At frame 1000 the schedule 0:({text}) " in str(raised.value)


def test_a_division_by_zero_is_told_with_its_frame() -> None:
    schedule = parse("0:(1/(t-37))")
    assert schedule.at(clock(36)) == -1
    with pytest.raises(DreamerError, match=r"frame 37 the schedule 0:\(1/\(t-37\)\) divides"):
        schedule.at(clock(37))


@pytest.mark.parametrize(
    "text", ["-" * 249 + "1", "(" * 120 + "t" + ")" * 120, "+".join("t" * 120)]
)
def test_the_deepest_nesting_is_evaluated(text: str) -> None:
    assert abs(parse(text).at(clock(1))) in (1, 120)


@pytest.mark.parametrize(
    ("written", "length", "last", "varies", "constants"),
    [
        (1.5, False, False, False, (1.5,)),
        ("0:(1), 9:(t)", False, False, True, (1,)),
        ("0:(1), 50%:(-2*3)", True, False, True, (1, -6)),
        ("0:(n)", True, False, False, ()),
        ("0:(1), 9:(t/max_f)", True, True, True, (1,)),
    ],
)
def test_what_a_schedule_depends_on(
    written: float | str, length: bool, last: bool, varies: bool, constants: tuple[float, ...]
) -> None:
    schedule = parse(written)
    assert (schedule.uses_length, schedule.uses_max_f) == (length, last)
    assert (schedule.varies, schedule.constants) == (varies, constants)


TEXTS = [
    ("0:birds, 120:fish", 30, {"birds": 0.75, "fish": 0.25}),
    ("0:birds, 120:fish", 0, {"birds": 1}),
    ("0:birds, 120:fish", 200, {"fish": 1}),
    ("10:birds, 120:fish", 3, {"birds": 1}),
    ("0:birds, 1s:(fish, hold)", 29, {"birds": 1}),
    ("0:birds, 50%:(fish, ease-in)", 30, {"birds": 0.75, "fish": 0.25}),
    ("0:birds, 60:birds, 90:eyes", 30, {"birds": 1}),
    (
        "0:(mixed4d:139,140=0.5), 60:(mixed3b)",
        30,
        {"mixed4d:139,140=0.5": 0.5, "mixed3b": 0.5},
    ),
    ("0:mixed4c:1,5-9=0.5, 60:mixed3b:7", 0, {"mixed4c:1,5-9=0.5": 1}),
    ("0:#aa3300,#102030, 60:#ffffff", 90, {"#ffffff": 1}),
]


@pytest.mark.parametrize(("text", "frame", "weights"), TEXTS)
def test_a_text_over_time(text: str, frame: float, weights: dict[str, float]) -> None:
    schedule = parse_text(text)
    assert is_schedule(text)
    assert dict(schedule.at(clock(frame))) == pytest.approx(weights)
    assert set(weights) <= set(schedule.texts)
    assert schedule.uses_length == ("%" in text)


@pytest.mark.parametrize(
    "text", ["mixed4c:1,5-9=0.5", "mixed4d:139", "mixed3b=-0.2", "#aa3300,#102030", "4 birds: two"]
)
def test_a_plain_text_is_no_schedule(text: str) -> None:
    assert not is_schedule(text)
    assert parse_text(text).at(clock(7)) == [(text, 1)]


@pytest.mark.parametrize("easing", EASINGS)
def test_the_weights_of_texts_sum_to_one(easing: str) -> None:
    schedule = parse_text(f"0:a, 10:b, 30:(c, {easing}), 90%:(d, {easing})")
    for frame in range(120):
        weights = [weight for _, weight in schedule.at(clock(frame))]
        assert sum(weights) == pytest.approx(1)
        assert 1 <= len(weights) <= 2
        assert min(weights) > 0


@pytest.mark.parametrize(("text", "why"), [("0:, 5:b", "text is missing"), ("0:(a", "closed")])
def test_what_is_no_text_schedule_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_text(text)


def signals() -> Signals:
    curve = np.linspace(0, 1, 11, dtype=np.float32)
    phase = np.float32([0, 0.5, 0, 0.5, 0])
    curves = {"bass": curve, "drums.onset": 1 - curve, "beat_phase": phase}
    return Signals(1.0, curves, [0.0, 1.0, 3.0], 10.0)


def test_expressions_read_music_at_their_moment() -> None:
    now = Clock(24, 100, 12, 0, signals())
    assert parse("1 + bass").at(now) == pytest.approx(1.2)
    assert parse("drums.onset * 2").at(now) == pytest.approx(1.6)
    # The way from one beat to the next falls at once.
    assert parse("beat_phase").at(Clock(18, 100, 12, 0, signals())) == pytest.approx(0.5)
    parsed = parse("0:(bass), 12:(drums.onset)")
    assert parsed.needs_music == {"bass", "drums.onset"}
    assert parsed.varies
    assert parse("t + 1").needs_music == set()
    # Without any, as for a still picture, there is silence.
    assert parse("1 + bass").at(Clock(0, 1, 1)) == 1


@pytest.mark.parametrize(
    "text", ["drums.volume", "t.real", "bass.bass.bass", "bass(1)", "(1).real"]
)
def test_other_attributes_are_no_arithmetic(text: str) -> None:
    with pytest.raises(ValueError, match=r"arithmetic|unknown here"):
        parse(text)


def test_keys_are_counted_by_beats_and_bars() -> None:
    parsed = parse("0:(0), beat 1:(10), bar 1:(20)")
    now = Clock(12, 100, 12, 0, signals())
    assert parsed.at(now) == pytest.approx(10)
    # Behind the last beat it goes on evenly: the bar's is at 7 s.
    assert parsed.at(now._replace(frame=84)) == pytest.approx(20)
    assert parsed.at(now._replace(frame=48)) == pytest.approx(15)
    assert parsed.needs_music == {"beat"}
    texts = parse_text("0:birds, bar 2:(fish, hold)")
    assert texts.keys[1].unit == "bar"
    assert keys.write(texts.keys[1]) == "bar 2:(fish, hold)"
    assert parse_text("bar stool:1").texts == ("bar stool:1",)
