"""`dreamer.dream` and `dreamer.film`: what notebooks call."""

import doctest
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import dreamer
from dreamer import api
from dreamer.arrays import Image
from dreamer.errors import DreamerError
from dreamer.files import photos

QUICK: dict[str, Any] = {"steps": 2, "motif": [0.8, 0.5], "seed": 3}
FILM: dict[str, Any] = {"size": 64, "steps": 1, "motif": [0.9, 0.9], "fps": 4}


@pytest.fixture(scope="module")
def pixels(photo: Image) -> np.ndarray:
    """uint8 `(144, 192, 3)`."""
    return np.kron(photos.quantize(photo, np.uint8), np.ones((2, 2, 1), np.uint8))


def test_the_examples_of_the_docstrings_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    calls = (
        *(dreamer.load_network, dreamer.dream, dreamer.film, dreamer.visualize),
        *(dreamer.exemplars, dreamer.compare, dreamer.activations),
    )
    assert all(">>> " in (call.__doc__ or "") for call in calls)
    found = doctest.testmod(api)
    assert found.failed == 0
    assert found.attempted >= 20
    assert not list(tmp_path.iterdir())


def opaque(pixels: np.ndarray, alpha: int) -> np.ndarray:
    return np.dstack([pixels, np.full(pixels.shape[:2], alpha, np.uint8)])


KINDS: dict[str, Callable[[np.ndarray], Any]] = {
    "uint8": lambda pixels: pixels,
    "float32": lambda pixels: pixels.astype(np.float32) / np.float32(255),
    "float64": lambda pixels: pixels / 255,
    "Pillow": Pillow.fromarray,
    "opaque": lambda pixels: opaque(pixels, 255),
    "half transparent": lambda pixels: opaque(pixels, 128),
    "half transparent, Pillow": lambda pixels: Pillow.fromarray(opaque(pixels, 128)),
}


@pytest.fixture(autouse=True)
def _shared_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lend commands the networks and graphs of the library."""
    monkeypatch.setattr("dreamer.jobs.run.Workbench", api._bench)


@pytest.fixture(scope="module")
def dreamt(pixels: np.ndarray) -> np.ndarray:
    """The dream of `QUICK` on them."""
    return dreamer.dream(pixels, "pagodas", **QUICK)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dream_is_of_the_photos_kind(kind: str, pixels: np.ndarray, dreamt: np.ndarray) -> None:
    given = KINDS[kind](pixels)
    made = dreamer.dream(given, "pagodas", **QUICK)
    assert isinstance(made, Pillow.Image if "Pillow" in kind else np.ndarray)
    assert getattr(made, "dtype", None) == getattr(given, "dtype", None)
    levels = np.asarray(made)
    if levels.dtype != np.uint8:
        levels = photos.quantize(levels.astype(np.float32), np.uint8)
    np.testing.assert_array_equal(levels[..., :3], dreamt)
    assert levels.shape[2] == (4 if "half" in kind else 3)
    assert (levels[..., 3:] == 128).all()


def test_a_dream_is_that_of_the_command(
    pixels: np.ndarray, dreamt: np.ndarray, tmp_path: Path, dream: Callable[..., Any]
) -> None:
    source, target = tmp_path / "source.png", tmp_path / "dream.png"
    Pillow.fromarray(pixels).save(source)
    options = ("--steps", 2, "--motif", "0.8-0.5", "--seed", 3)
    assert dream("image", source, "-p", "pagodas", *options, "-o", target)[0] == 0
    np.testing.assert_array_equal(dreamt, photos.quantize(photos.read(target).image, np.uint8))


def test_gray_photos_words_masks_and_guides(pixels: np.ndarray) -> None:
    gray = pixels[..., 0]
    plain = dreamer.dream(gray, **QUICK)
    assert plain.shape == pixels.shape
    mask = np.zeros((72, 96), np.uint8)
    mask[:, 48:] = 255
    masked = dreamer.dream(gray, mask=mask, **QUICK)
    np.testing.assert_array_equal(masked[:, :80], np.dstack([gray[:, :80]] * 3))
    np.testing.assert_array_equal(masked[:, 112:], plain[:, 112:])
    others = [
        dreamer.dream(gray, of="birds", **QUICK),
        dreamer.dream(gray, of=["birds", "fish=0.5"], **QUICK),
        dreamer.dream(gray, guide=Pillow.fromarray(pixels[::-1]), **QUICK),
    ]
    for index, other in enumerate(others):
        assert (other != [plain, *others][index]).any()


def test_a_preset_has_its_own_mask_or_asks_for_one(pixels: np.ndarray, tmp_path: Path) -> None:
    Pillow.new("L", (96, 72)).save(tmp_path / "black.png")
    preset = tmp_path / "mine.toml"
    preset.write_text('[files]\nmask = "black.png"\n', "utf-8")
    np.testing.assert_array_equal(dreamer.dream(pixels, preset, **QUICK), pixels)
    preset.write_text(f'mask = "{"0" * 64}"\n', "utf-8")
    with pytest.raises(dreamer.DreamerError, match="by `mask`"):
        dreamer.dream(pixels, preset)


@pytest.mark.parametrize("closing", [{}, {"loop": True, "motion": "breathe"}])
def test_the_frames_of_a_film_are_those_of_the_command(
    closing: dict[str, Any], pixels: np.ndarray, tmp_path: Path, dream: Callable[..., Any]
) -> None:
    source, folder = tmp_path / "source.png", tmp_path / "frames"
    Pillow.fromarray(pixels).save(source)
    options = ["--size", 64, "--steps", 1, "--motif", "0.9-0.9", "--fps", 4, "--seconds", 2]
    options += ["--loop", "--motion", "breathe"] if closing else []
    assert dream("video", source, *options, "--layer", "mixed3b", "-o", folder)[0] == 0
    made = list(dreamer.film(pixels, layers=["mixed3b"], seconds=2, **FILM, **closing))
    written = [
        photos.quantize(photos.read(path).image, np.uint8) for path in sorted(folder.glob("*.png"))
    ]
    assert len(made) == len(written) == 8
    np.testing.assert_array_equal(made, written)
    assert (made[0] != made[1]).any()


def test_no_bar_is_shown_unless_asked(
    pixels: np.ndarray, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    dreamer.dream(pixels, **QUICK)
    assert capfd.readouterr() == ("", "")
    dreamer.dream(pixels, progress=True, **QUICK)
    assert "dreaming" in "".join(capfd.readouterr())


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import dreamer, sys; dreamer.dream, dreamer.film; "
        "print({'tensorflow', 'keras', 'numpy', 'PIL', 'pydantic'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "a path": ("photo.jpg", {}, r"PIL\.Image\.open"),
    "a list": ([[0, 1]], {}, "array"),
    "integers": (np.zeros((32, 32, 3), np.int64), {}, "int64"),
    "two channels": (np.zeros((32, 32, 2)), {}, "shape"),
    "one number": (np.zeros(()), {}, "shape"),
    "floats to 255": (np.full((32, 32, 3), 255.0), {}, "divide it by 255"),
    "not a number": (np.full((32, 32, 3), np.nan), {}, "outside 0 to 1"),
    "too small": (np.zeros((8, 32, 3)), {}, "32×8"),
    "a misspelt field": (np.zeros((32, 32, 3)), {"stepps": 3}, "did you mean steps"),
    "a wrong value": (np.zeros((32, 32, 3)), {"steps": 0}, "steps"),
    "no such preset": (np.zeros((32, 32, 3)), {"preset": "pagoda"}, "did you mean pagodas"),
    "no such word": (np.zeros((32, 32, 3)), {"of": "brids"}, "did you mean birds"),
    "a mask's shape": (np.zeros((32, 32, 3)), {"mask": np.zeros((32, 64))}, "proportions"),
    "weights that are missing": (np.zeros((99, 99, 3)), {"weights": "nowhere.npz"}, "nowhere"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("call", [dreamer.dream, dreamer.film])
def test_what_cannot_be_done_is_one_sentence(case: str, call: Callable[..., Any]) -> None:
    photo, fields, named = REFUSED[case]
    with pytest.raises(dreamer.DreamerError, match=named) as caught:
        call(photo, **fields)
    assert "\n" not in str(caught.value)


OWN: dict[str, Any] = {"layers": ["mixed"], "octaves": 1, "steps": 2, "jitter": 0, "seed": 3}
"""Fields of a quick dream on the tiny network."""


def test_an_objective_of_ones_own_takes_the_place_of_layers(pixels: np.ndarray, tiny: Any) -> None:
    objectives = dreamer.objectives
    ways = {
        "layers": dreamer.dream(pixels, network=tiny, **OWN),
        "the same": dreamer.dream(pixels, network=tiny, objective=objectives.layer("mixed"), **OWN),
        "a channel": dreamer.dream(
            pixels, network=tiny, objective=objectives.channel("mixed", 3), **OWN
        ),
        "a sum": dreamer.dream(
            pixels,
            network=tiny,
            objective=objectives.channel("mixed", 3) - 0.5 * objectives.layer("relu"),
            **OWN,
        ),
    }
    np.testing.assert_array_equal(ways["layers"], ways["the same"])
    others = [ways["layers"], ways["a channel"], ways["a sum"]]
    assert all((a != b).any() for n, a in enumerate(others) for b in others[:n])
    nothing = dreamer.dream(
        pixels, network=tiny, objective=objectives.layer("mixed"), **OWN | {"layers": []}
    )
    np.testing.assert_array_equal(nothing, ways["layers"])


def test_a_transform_and_a_finish_of_ones_own_are_applied(pixels: np.ndarray, tiny: Any) -> None:
    import tensorflow as tf

    plain = dreamer.dream(pixels, network=tiny, **OWN)
    flipped = dreamer.dream(
        pixels, network=tiny, transform=lambda images, seed: tf.reverse(images, [2]), **OWN
    )
    assert flipped.shape == plain.shape
    assert (flipped != plain).any()
    same = dreamer.dream(pixels, network=tiny, transform=lambda images, seed: images, **OWN)
    np.testing.assert_array_equal(same, plain)
    seen: list[tuple[int, ...]] = []

    def finish(dreamt: Image, photo: Image) -> Image:
        seen.append((dreamt.shape, photo.shape))  # type: ignore[arg-type]
        return photo[::-1]

    turned = dreamer.dream(pixels, network=tiny, finish=finish, **OWN)
    np.testing.assert_array_equal(turned, pixels[::-1])
    assert set(seen) == {(pixels.shape, pixels.shape)}


@pytest.mark.filterwarnings("ignore")  # AutoGraph gives up where its own warnings are errors.
def test_functions_of_ones_own_may_branch_and_loop_on_tensors(
    pixels: np.ndarray, tiny: Any
) -> None:
    import tensorflow as tf

    # AutoGraph converts no function with annotations.
    def score(maps, numbers):
        total = tf.zeros(tf.shape(maps["mixed"])[:1])
        for channel in tf.range(3):
            total += tf.reduce_mean(maps["mixed"][..., channel], (1, 2))
        return total if tf.reduce_max(total) > 0 else -total

    def flip(images, seed):
        return images[:, :, ::-1] if seed[0] % 2 == 0 else images

    branching = dreamer.objectives.Objective(frozenset({"mixed"}), score)
    dreamt = dreamer.dream(pixels, network=tiny, objective=branching, transform=flip, **OWN)
    assert (dreamt != pixels).any()


def test_an_objective_of_ones_own_films(pixels: np.ndarray, tiny: Any) -> None:
    own = {"objective": dreamer.objectives.channel("mixed", 1), "network": tiny}
    quick = {"size": 64, "steps": 1, "frames": 3, "octaves": 1, "intro": 0, "jitter": 0}
    first = list(dreamer.film(pixels, **own, **quick))
    assert [frame.shape for frame in first] == [(48, 64, 3)] * 3
    own["objective"] = dreamer.objectives.channel("mixed", 2)
    others = list(dreamer.film(pixels, **own, **quick))
    assert any((a != b).any() for a, b in zip(first, others, strict=True))
    seen: list[bool] = []

    def finish(dreamt: Image, photo: Image) -> Image:
        seen.append(bool((dreamt != photo).any()))
        return dreamt[:, ::-1]

    finished = list(dreamer.film(pixels, network=tiny, layers=["mixed"], finish=finish, **quick))
    plain = list(dreamer.film(pixels, network=tiny, layers=["mixed"], **quick))
    assert any(seen)
    np.testing.assert_array_equal(finished[0], plain[0])
    assert all((a != b).any() for a, b in zip(finished[1:], plain[1:], strict=True))


INPUT: dict[str, Any] = {"input_range": (0, 1)}


def test_a_keras_model_in_memory_is_dreamt_on(pixels: np.ndarray, tiny: Any) -> None:
    network = dreamer.load_network(tiny.model, **INPUT)
    assert dict(network.layers)["mixed"] == tiny.layers["mixed"]
    by_network = dreamer.dream(pixels, network=network, **OWN)
    by_model = dreamer.dream(pixels, network=tiny.model, **OWN, **INPUT)
    np.testing.assert_array_equal(by_network, by_model)
    assert (by_model != pixels).any()
    other = dreamer.dream(pixels, network=tiny.model, **OWN, input_range=(0, 255))
    assert (other != by_model).any()


def test_a_keras_model_in_memory_films_and_is_looked_into(pixels: np.ndarray, tiny: Any) -> None:
    model = dreamer.load_network(tiny.model, **INPUT)
    film: dict[str, Any] = {"size": 64, "steps": 1, "frames": 2, "octaves": 1, "layers": ["mixed"]}
    assert len(list(dreamer.film(pixels, network=model, **film))) == 2
    (one, two) = dreamer.visualize(["mixed:0", "relu:1"], network=model, size=32, steps=2)
    assert (one.label, two.label) == ("mixed:0", "relu:1")
    assert one.picture.shape == (32, 32, 3)
    assert one.picture.dtype == np.float32
    maps = dreamer.activations(pixels, ["relu", "mixed"], network=model)
    assert {name: each.shape for name, each in maps.items()} == {
        "relu": (72, 96, 8),
        "mixed": (72, 96, 14),
    }
    wanted = np.maximum(dreamer.activations(pixels, "conv", network=model)["conv"], 0)
    assert wanted.shape == (72, 96, 8)
    small = np.asarray(Pillow.fromarray(pixels).resize((96, 72)))
    same, other = (
        dreamer.compare(small, each, layers=["mixed"], network=model)[0]
        for each in (small, 255 - small)
    )
    assert same.correlation == pytest.approx(1)
    assert other.correlation < same.correlation
    assert same.profiles.shape == (2, 14)


def test_exemplars_are_found_strongest_first(pixels: np.ndarray, tiny: Any, tmp_path: Path) -> None:
    for name, factor in (("dark", 0.2), ("bright", 1.0), ("middle", 0.6)):
        Pillow.fromarray((pixels * factor).astype(np.uint8)).save(tmp_path / f"{name}.png")
    found = dreamer.exemplars(tmp_path, ["mixed:1", "mixed:2,3"], network=tiny, count=2)
    assert list(found) == ["mixed:1", "mixed:2", "mixed:3"]
    for best in found.values():
        assert len(best) == 2
        assert best[0].activation >= best[1].activation
        assert {each.path.parent for each in best} == {tmp_path}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_clip_is_filmed_from_a_file_and_from_an_array(
    pixels: np.ndarray, tiny: Any, tmp_path: Path, dream: Callable[..., Any]
) -> None:
    clip = np.stack([np.roll(pixels[:48, :64], 2 * number, 1) for number in range(3)])
    for number, frame in enumerate(clip):
        (tmp_path / "clip").mkdir(exist_ok=True)
        Pillow.fromarray(frame).save(tmp_path / "clip" / f"{number}.png")
    quick = {"layers": ["mixed"], "octaves": 1, "steps": 2, "jitter": 0, "size": 64, "fps": 12}
    tiny.model.save(own := tmp_path / "tiny.keras")
    network = dreamer.load_network(own)
    of_array = list(dreamer.film(clip, network=network, **quick))
    of_folder = list(dreamer.film(tmp_path / "clip", network=network, **quick))
    assert [frame.shape for frame in of_array] == [(48, 64, 3)] * 3
    assert of_array[0].dtype == of_folder[0].dtype == np.uint8
    np.testing.assert_array_equal(of_array, of_folder)
    assert (of_array[1] != clip[1]).any()
    floats = list(dreamer.film(clip / np.float32(255), network=network, **quick))
    assert floats[0].dtype == np.float32
    np.testing.assert_array_equal([photos.quantize(frame, np.uint8) for frame in floats], of_array)
    options = ("-m", own, "-l", "mixed", "--octaves", 1, "--steps", 2, "--jitter", 0, "--fps", 12)
    out = tmp_path / "out"
    code, _, err = dream("video", tmp_path / "clip", *options, "--size", 64, "-o", out)
    assert code == 0, err
    written = [photos.quantize(photos.read(each).image, np.uint8) for each in sorted(out.iterdir())]
    np.testing.assert_array_equal(written, of_array)


def test_no_clip_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(dreamer.DreamerError, match=r"nowhere\.mp4"):
        dreamer.film(tmp_path / "nowhere.mp4")


def test_a_film_keeps_time_and_goes_through_its_themes(photo: Image) -> None:
    small = {"size": 64, "fps": 4, "steps": 1, "intro": 0, "seconds": 2, "motion": "still"}
    themes = {"associate": "birds,fish", "themes": "2 beats"}
    plain, beaten = (
        list(dreamer.film(photo, bpm=120, **themes, **small, **more))
        for more in ({}, {"zoom": "1 + 0.2*beat"})
    )
    assert len(plain) == len(beaten) == 8
    assert not np.array_equal(plain[3], beaten[3])
    with pytest.raises(DreamerError, match="zoom reads beat"):
        dreamer.film(photo, zoom="1 + 0.2*beat", **small)
    with pytest.raises(DreamerError, match="No word 'dragons'"):
        dreamer.film(photo, associate="dragons", **small)
