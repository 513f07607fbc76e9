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
from dreamer.files import photos

QUICK: dict[str, Any] = {"steps": 2, "motif": [0.8, 0.5], "seed": 3}
FILM: dict[str, Any] = {"size": 64, "steps": 1, "motif": [0.9, 0.9], "fps": 4}


@pytest.fixture(scope="module")
def pixels(photo: Image) -> np.ndarray:
    """uint8 `(144, 192, 3)`."""
    return np.kron(photos.levels(photo, np.uint8), np.ones((2, 2, 1), np.uint8))


def test_the_examples_of_the_docstrings_run(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Pillow.fromarray(pixels).save("photo.jpg")
    assert doctest.testmod(api).failed == 0
    assert photos.read(Path("dream.png")).image.shape == (144, 192, 3)
    assert len(list(tmp_path.glob("0*.png"))) == 5


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
        levels = photos.levels(levels.astype(np.float32), np.uint8)
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
    np.testing.assert_array_equal(dreamt, photos.levels(photos.read(target).image, np.uint8))


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
        photos.levels(photos.read(path).image, np.uint8) for path in sorted(folder.glob("*.png"))
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
