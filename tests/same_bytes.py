"""Whether a change of the code leaves every output as it was.

    python tests/same_bytes.py before/                     # makes thirty outputs, and their hashes
    python tests/same_bytes.py after/ --against before/    # makes them again, and compares

Each output is made by a command of its own, as a user gives it, from the sample photo; those on
googlenet and inception_v3 are left out where their weights are not found (`DREAMER_WEIGHTS`).
`--only NAME` makes some of them; `--arithmetic 1` computes as earlier versions did, which is how an
earlier picture is repeated (`dreamer.networks.runtime.ARITHMETIC`). To make them with another
checkout of the program, name it in `PYTHONPATH`. `hashes.txt` in the folder holds, for each output,
the SHA-256 of its bytes and of its decoded pixels.

A comparison says for each output "same bytes", "same pixels" (only the recipe inside the file
differs) or the mean difference of colour (CIE76) of its frames, and fails where that is above 0.1.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

SAMPLE = Path(__file__).parents[1] / "media" / "sample.jpg"
LARGEST_DIFFERENCE = 0.1
PALETTE = "#102040,#6080a0,#e06020"
FILM = ["--size", "160", "--seconds", "0.6", "--fps", "10", "--intro", "0.2"]
COMPUTING = """
from dreamer.networks import runtime
runtime.ARITHMETIC = {}
from dreamer.cli import main
main()
"""
MOTIONS = ("zoom", "spiral", "drift", "tunnel", "breathe", "orbit", "still")

Pixels = NDArray[np.generic]


def commands() -> dict[str, list[str]]:
    """Return what makes each output, by the output's name; later ones may read earlier ones."""
    image = ["image", str(SAMPLE)]
    small = [*image, "--size", "200"]
    film = ["video", str(SAMPLE), *FILM]
    made = {
        "dreamnet.png": [*image, "--size", "256"],
        "googlenet.png": [*small, "-m", "googlenet", "-l", "mixed4c"],
        "inception.png": [*small, "-m", "inception_v3", "-l", "mixed5"],
        "tiles.png": [*image, "--size", "640", "--set", "tile=384", "--steps", "3"],
        "guide.png": [*small, "--guide", "googlenet.png", "-l", "mixed4b"],
        "statistics.png": [
            *(*small, "--guide", "photos", "-l", "mixed3b"),
            *("--set", "guide_match=statistics", "--steps", "6"),
        ],
        "words.png": [*small, "--of", "birds", "--of", "vaults=0.5", "--not", "dogs=0.3"],
        "mask.png": [*small, "--mask", "mask.png", "--opacity", "0.8"],
        "strongest.png": [*small, "-l", "mixed4d:strongest5", "-l", "mixed3b=-0.2"],
        "palette.jpg": [*small, "--palette", PALETTE, "--strength", "15"],
        "deep.tiff": [*small, "--depth", "16", "--keep-colours", "--blur", "0.6"],
        "seamless.webp": ["image", "--noise", "160x128", "--seamless", "-l", "mixed4d"],
        "preset.png": [*small, "-p", "fractal-lace"],
        "again.png": ["image", str(SAMPLE), "-p", "words.png"],
        "grid.png": [*small, "--vary", "layers=mixed3b,mixed4c", "--vary", "strength=10,20"],
        "draft.png": [*small, "--draft"],
        "finished.png": [*small, "--finish", "draft.png"],
        "ascent.png": [*small, "--steps", "4", "--film", "ascent.mp4"],
        "filters.png": ["filters", "mixed4a:0-3", "--size", "96", "--steps", "24"],
        "unit.png": ["filters", "mixed3b:7", "--unit", "--size", "96", "--steps", "16"],
        "class.png": ["class", "goldfish", "--size", "128", "--steps", "24"],
        "search.png": ["search", str(SAMPLE), "-n", "4", "--size", "128"],
        **{f"{motion}.mp4": [*film, "--motion", motion] for motion in MOTIONS},
        "loop.gif": [*film, "--loop", "--motion", "breathe", "--seconds", "1"],
        "words.webm": [*film, "--of", "0:birds, 4:fish", "--cadence", "2", "--palette", PALETTE],
        "look.mp4": [*film, "-p", "night-flight"],
        "frames": [*film, "--zoom", "0:(1.0), 4:(1.03, ease-in)", "--set", "octaves=2"],
        "clip.mp4": ["video", "zoom.mp4", "-l", "mixed4b", "--size", "160", "--steps", "4"],
        "flow-off.mp4": ["video", "frames", "--fps", "10", "--flow", "off", "--steps", "4"],
        "resumed.mp4": [*film, "--motion", "spiral"],
    }
    return {name: [*command, "-o", name, "--overwrite", "-q"] for name, command in made.items()}


def make(name: str, command: list[str], folder: Path, arithmetic: int | None) -> bool:
    """Make an output; whether its weights were there.

    Raises SystemExit where the command fails.
    """
    run = [sys.executable, "-m", "dreamer", *command]
    if arithmetic:
        run[1:3] = ["-c", COMPUTING.format(arithmetic)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if name == "resumed.mp4":
        kill_after(run, folder, environment, frames=3)
    done = subprocess.run(
        run, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if "weights" in done.stderr and "dream models fetch" in done.stderr:
        return False
    if done.returncode:
        raise SystemExit(f"{name}: {' '.join(command)}\n{done.stderr}")
    return True


def kill_after(run: list[str], folder: Path, environment: dict[str, str], frames: int) -> None:
    """Start a film, and kill it without warning when so many of its frames are kept."""
    running = subprocess.Popen(run, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    while running.poll() is None:
        if len(list(folder.glob("resumed.mp4.unfinished/*.png"))) >= frames:
            running.send_signal(signal.SIGKILL)
        time.sleep(0.01)


def prepare(folder: Path) -> None:
    """Write what the commands read besides the sample photo: a mask, and a folder of photos."""
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    photo = cv2.imread(str(SAMPLE))
    height, width = photo.shape[:2]
    ramp = np.tile(np.linspace(0, 255, width).round().astype(np.uint8), (height, 1))
    cv2.imwrite(str(folder / "mask.png"), ramp)
    for number in range(3):
        cut = photo[:, number * width // 4 : number * width // 4 + width // 2]
        cv2.imwrite(str(folder / "photos" / f"{number}.png"), cut)


def frames(path: Path) -> Iterator[Pixels]:
    """Decode a picture, the frames of a film, or the pictures in a folder."""
    if path.is_dir():
        for each in sorted(path.glob("*.png")):
            yield from frames(each)
    elif path.suffix in (".mp4", ".webm"):
        yield from iio.imiter(path, plugin="FFMPEG")
    elif path.suffix in (".gif", ".webp"):
        yield from iio.imiter(path, plugin="pillow", mode="RGB")
    elif path.suffix in (".csv", ".toml", ".txt"):
        return
    else:
        yield cv2.imread(str(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)


def of_bytes(path: Path) -> str:
    """Return the hash of a file, or of the files in a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return of(each.read_bytes() for each in files if each.is_file())


def of(parts: Iterator[bytes]) -> str:
    """Return the first digits of a SHA-256."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()[:32]


def difference(one: Path, other: Path) -> float:
    """Return the mean difference of colour of two outputs, as CIE76 measures it."""
    pairs = zip(frames(one), frames(other), strict=True)
    return float(np.mean([np.linalg.norm(lab(a) - lab(b), axis=-1).mean() for a, b in pairs]))


def lab(pixels: Pixels) -> NDArray[np.float32]:
    """Convert 8 or 16 bits a colour to L*a*b*."""
    scale = np.iinfo(pixels.dtype).max
    return np.asarray(cv2.cvtColor(pixels[..., :3].astype(np.float32) / scale, cv2.COLOR_RGB2LAB))


def compare(name: str, folder: Path, against: Path) -> tuple[str, bool]:
    """Say how an output differs from that of an earlier run, and whether it may."""
    one, other = folder / name, against / name
    if of_bytes(one) == of_bytes(other):
        return "same bytes", True
    hashes: Callable[[Path], str] = lambda path: of(f.tobytes() for f in frames(path))  # noqa: E731
    if hashes(one) == hashes(other):
        return "same pixels", True
    apart = difference(one, other)
    return f"mean ΔE {apart:.3g}", apart < LARGEST_DIFFERENCE


def main() -> None:
    """Make the outputs and, where an earlier run is named, compare them with it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--only", action="append")
    parser.add_argument("--arithmetic", type=int)
    asked = parser.parse_args()
    prepare(asked.folder)
    lines, right = [], True
    for name, command in commands().items():
        if asked.only and name not in asked.only:
            continue
        if not make(name, command, asked.folder, asked.arithmetic):
            print(f"{name:16} left out: its weights are not here", flush=True)
            continue
        path = asked.folder / name
        pixels = of(frame.tobytes() for frame in frames(path))
        lines.append(f"{name:16} {of_bytes(path)} {pixels}")
        verdict, may = (
            compare(name, asked.folder, asked.against) if asked.against else ("made", True)
        )
        right = right and may
        print(f"{name:16} {verdict}", flush=True)
    (asked.folder / "hashes.txt").write_text("\n".join(lines) + "\n")
    sys.exit(not right)


if __name__ == "__main__":
    main()
