"""Beginning a dream at an octave: drafts, and what a changed recipe leaves."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer import redraw
from dreamer.arrays import Image
from dreamer.ascent import octaves
from dreamer.assemble import Plan, assemble
from dreamer.errors import DreamerError
from dreamer.files import drafts, metadata, photos
from dreamer.recipe import Recipe

Dream = Callable[..., Any]
SIZES = ((36, 48), (51, 68), (72, 96))
PLAN = Plan(SIZES, ("float32",) * 3, ())
FIELDS = {"layers": ("mixed",), "steps": 3, "jitter": 5, "precision": "float32"}


def at_octave_ends(tiny: Any, photo: Image, **fields: object) -> list[Any]:
    assembly = assemble(Recipe().changed({**FIELDS, **fields}), tiny)
    return [state for state in assembly.dream(photo, PLAN) if state.ends_octave]


@pytest.mark.parametrize("carry", octaves.CARRIES)
@pytest.mark.parametrize("look", [{}, {"strength": 15, "saturation": 0.5}])
def test_a_dream_begun_at_any_octave_is_the_whole_one(
    carry: str, look: dict[str, float], tiny: Any, photo: Image
) -> None:
    ends = at_octave_ends(tiny, photo, carry=carry, **look)
    assembly = assemble(Recipe().changed({**FIELDS, "carry": carry, **look}), tiny)
    for end in ends:
        *_, last = assembly.dream(photo, PLAN, begun=end.begun())
        np.testing.assert_array_equal(last.picture(), ends[-1].picture())


CHANGES = {
    "steps": ({"steps": 4}, 0),
    "seed": ({"seed": 9}, 0),
    "blur": ({"blur": 1.5}, 0),
    "weight": ({"layers": ("mixed=0.5",)}, 0),
    "strength": ({"strength": 12}, 1),
    "palette": ({"palette": ("#203060", "#a0c0e0")}, 1),
    "saturation": ({"saturation": 0.3}, 3),
    "opacity": ({"opacity": 0.5, "colours": "photo", "about": {"name": "x"}}, 3),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_leaves_is_what_a_fresh_dream_comes_to(
    name: str, tiny: Any, photo: Image
) -> None:
    changes, expected = CHANGES[name]
    before = assemble(Recipe().changed(FIELDS), tiny)
    after = assemble(before.recipe.changed(changes), tiny, before=before)
    holds = redraw.kept(before.recipe, after.recipe, (PLAN.stages, PLAN.stages))
    assert holds == expected
    states = [state.begun() for state in before.dream(photo, PLAN) if state.ends_octave]
    begun = states[holds - 1] if holds else None
    *_, redrawn = after.dream(photo, PLAN, begun=begun)
    fresh = assemble(before.recipe.changed(changes), tiny)
    *_, whole = fresh.dream(photo, PLAN)
    np.testing.assert_array_equal(redrawn.picture(), whole.picture())


def test_octaves_hold_as_far_as_the_plans_agree() -> None:
    stages = PLAN.stages
    other = [*stages[:2], ((80, 107), "float32")]
    for before, after in ((Recipe(octaves=3), Recipe(octaves=4)), (Recipe(), Recipe(motif=(1, 1)))):
        assert redraw.kept(before, after, (stages, other)) == 2
    zoomed = Recipe(octaves=3, resample="zoom"), Recipe(octaves=4, resample="zoom")
    assert redraw.kept(*zoomed, (stages, other)) == 0
    strong = Recipe(octaves=3, strength=20), Recipe(octaves=4, strength=20)
    assert redraw.kept(*strong, (stages, other)) == 2
    assert redraw.kept(*strong, (stages, [*stages, other[2]])) == 1


def test_graphs_serve_again_where_only_numbers_change(tiny: Any) -> None:
    before = assemble(Recipe().changed(FIELDS), tiny)
    for changes, same in (
        ({"rate": 0.1, "blur": 2.0, "layers": ("mixed=2",), "steps": 9}, True),
        ({"blur": 0}, False),
        ({"rate_end": 0.1}, False),
        ({"jitter": 3}, False),
        ({"layers": ("mixed:1",)}, False),
        ({"layers": ("mixed", "relu")}, False),
    ):
        after = assemble(before.recipe.changed(changes), tiny, before=before)
        assert (after._ascents is before._ascents) == same


def test_a_state_survives_its_packing_and_nothing_else_is_unpacked(photo: Image) -> None:
    images = photo * np.float32(1.7) - np.float32(0.2)
    packed = drafts.pack(images)
    assert len(packed) < images.nbytes
    np.testing.assert_array_equal(drafts.unpack(packed, (72, 96), "x"), images)
    bomb = zlib.compress(bytes(72 * 96 * 12 + 1))
    bad = np.full((72, 96, 3), np.nan, np.float32)
    for data in (b"", b"no zlib", packed[:-20], bomb, drafts.pack(bad), drafts.pack(photo[:9])):
        with pytest.raises(DreamerError, match=r"x holds no state"):
            drafts.unpack(data, (72, 96), "x")


QUICK = ("--steps", 2, "--octaves", 3, "--strength", 15, "-q")


@pytest.fixture
def source(tmp_path: Path, photo: Image) -> Path:
    path = tmp_path / "a.png"
    photos.write(path, np.kron(photo, np.ones((2, 2, 1), np.float32)))
    return path


def test_a_finished_draft_is_the_direct_dream(dream: Dream, source: Path) -> None:
    draft, direct = source.with_name("a-draft.png"), source.with_name("direct.png")
    assert dream("image", source, *QUICK, "--draft") == (0, "", "")
    assert dream("image", source, *QUICK, "-o", direct)[0] == 0
    assert metadata.read(draft).facts["draft"] < len(metadata.read(direct).facts["sizes"])
    code, out, _ = dream("image", source, "--finish", draft)
    assert code == 0
    assert "a-dream.png" in out
    assert source.with_name("a-dream.png").read_bytes() == direct.read_bytes()
    assert photos.read(draft).image.shape == photos.read(direct).image.shape
    assert dream("image", source, "--finish", draft, "--opacity", 0.5)[0] == 0
    for wrong, named in (
        (("image", source, "--finish", draft, "--steps", 9), "leave out --steps"),
        (("image", draft, "--finish", draft), "another photo"),
        (("image", source, "--finish", direct), "is finished"),
    ):
        code, _, err = dream(*wrong)
        assert (code, named in err) == (2, True)


def test_a_strangers_draft_is_refused(dream: Dream, source: Path) -> None:
    draft = source.with_name("a-draft.png")
    dream("image", source, *QUICK, "--draft")
    data = draft.read_bytes()
    start = data.index(metadata.STATE)
    (length,) = struct.unpack(">I", data[start - 4 : start])
    for state in (b"", b"nonsense", zlib.compress(bytes(10_000_000))):
        chunk = metadata.STATE + state
        crc = struct.pack(">I", zlib.crc32(chunk))
        chunk = struct.pack(">I", len(state)) + chunk + crc
        draft.write_bytes(data[: start - 4] + chunk + data[start + 8 + length :])
        code, _, err = dream("image", source, "--finish", draft)
        assert code == 2
        assert "holds no state" in err


def test_each_save_redraws_the_picture(
    dream: Dream, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset, target = source.with_name("my.toml"), source.with_name("a-my.png")
    base = "steps = 2\noctaves = 3\n"
    saves = iter([base + "opacity = 0.5", "steps = = 3", "stepz = 3", base + "strength = 12"])
    preset.write_text(base)
    drawn = []

    def save(seconds: float) -> None:
        if target.exists():
            drawn.append(target.read_bytes())
        text = next(saves, None)
        if text is None:
            raise KeyboardInterrupt
        preset.write_text(text)

    monkeypatch.setattr("dreamer.cli.watch.time.sleep", save)
    code, _, err = dream("image", source, "--watch", preset)
    assert code == 0
    assert "only its look" in err
    assert "slip in the TOML" in err
    assert "did you mean steps" in err
    assert "from octave 2" in err
    assert len(set(drawn)) == 3
    direct = source.with_name("direct.png")
    dream("image", source, "-p", preset, "-o", direct)
    assert drawn[-1] == direct.read_bytes()
