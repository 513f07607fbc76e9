"""ffmpeg, from imageio-ffmpeg, run as a separate process."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from dreamer.errors import DreamerError

THREADS = 2
"""Threads of every encoder, on every machine: another number gives other bytes."""

_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y")
# A film may come from a stranger, and refer to other files or to network addresses.
_LOCAL = ("-protocol_whitelist", "file,pipe")


OLDEST = (5, 1)
"""The first version that knows all options used here."""


def executable() -> str:
    """Return the path of ffmpeg.

    Raises DreamerError if there is none for this machine, or one that is too old.
    """
    try:
        path = str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise DreamerError(
            "There is no ffmpeg for this machine: install one, and name it in IMAGEIO_FFMPEG_EXE."
        ) from None
    _check_version(path)
    return path


@cache
def _check_version(path: str) -> None:
    """Raise DreamerError if ffmpeg is too old, or does not start; its version is asked once."""
    try:
        said = subprocess.run([path, "-version"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "strerror", None) or "it fails"
        raise DreamerError(
            f"{path} cannot be run ({why}): name another ffmpeg in IMAGEIO_FFMPEG_EXE, or unset it."
        ) from None
    # Builds from a checkout may have a name instead of a number; they are taken for new ones.
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", said.decode("utf-8", "replace"))
    if found and tuple(map(int, found.groups())) < OLDEST:
        raise DreamerError(
            f"{path} is ffmpeg {found[1]}.{found[2]}, which is too old: name one of "
            f"{OLDEST[0]}.{OLDEST[1]} or later in IMAGEIO_FFMPEG_EXE, or unset it."
        )


def source(path: Path, *options: str) -> tuple[str, ...]:
    """Return the arguments that read `path`, whatever characters its name holds."""
    return (*_LOCAL, *options, "-i", f"file:{path}")


def target(path: Path) -> str:
    """Return the argument that writes `path`."""
    return f"file:{path}"


def to_exact_rate(fps: float | Fraction) -> Fraction:
    """Return a frame rate as an exact ratio.

    Broadcast rates are recognized: 29.97 becomes 30000/1001.

    Raises DreamerError unless the rate is above 0 and at most 1000 frames per second.
    """
    if not 0 < fps <= 1000:
        raise DreamerError(
            f"A film cannot have {float(fps):g} frames a second: give more than 0, at most 1000."
        )
    exact = Fraction(fps)
    if exact.denominator == 1:
        return exact
    broadcast = Fraction(round(exact * 1001 / 1000) * 1000, 1001)
    return broadcast if abs(exact - broadcast) < Fraction(1, 200) else exact.limit_denominator(1001)


def raw_input_arguments(size: tuple[int, int], fps: Fraction, pixels: str) -> tuple[str, ...]:
    """Return the arguments that read raw frames from the pipe.

    Args:
        size: height and width of a frame.
        fps: frames per second.
        pixels: the pixel format, as ffmpeg calls it.
    """
    height, width = size
    kind = ("-f", "rawvideo", "-pixel_format", pixels, "-video_size", f"{width}x{height}")
    return (*kind, "-framerate", str(fps), "-i", "pipe:0")


def _read_last_lines(stderr: IO[bytes]) -> str:
    stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, stderr.tell() - 4000))
    lines = stderr.read().decode("utf-8", "replace").splitlines()
    return "; ".join(line.strip() for line in lines[-3:] if line.strip())


def _encoder_error(name: str, stderr: IO[bytes]) -> DreamerError:
    words = _read_last_lines(stderr) or "it gave no reason"
    return DreamerError(
        f"The encoder stopped before {name} was complete ({words}): mend that and run the same "
        "command again."
    )


@contextmanager
def _run_process(
    arguments: Sequence[str], stderr: IO[bytes], stdin: int, stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [executable(), *_QUIET, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        # Ctrl-C is meant for the dream, which then closes its film.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        process.wait()


@contextmanager
def encoding(arguments: Sequence[str], name: str) -> Iterator[Callable[[bytes], None]]:
    """Run ffmpeg during the block, and yield the function that passes it raw frames.

    Memory use does not grow with the film. Leaving the block waits until ffmpeg has finished;
    leaving it by an exception kills ffmpeg.

    Args:
        arguments: of ffmpeg, which read from `pipe:0`.
        name: of the film, for the error.

    Raises DreamerError, with the last lines that ffmpeg printed, if ffmpeg fails.
    """
    with (
        tempfile.TemporaryFile() as stderr,
        _run_process(arguments, stderr, subprocess.PIPE, subprocess.DEVNULL) as process,
    ):
        assert process.stdin is not None
        stdin = process.stdin

        def push(frame: bytes) -> None:
            try:
                stdin.write(frame)
            except BrokenPipeError:
                process.wait()
                raise _encoder_error(name, stderr) from None

        yield push
        with suppress(BrokenPipeError):
            stdin.close()
        if process.wait():
            raise _encoder_error(name, stderr)


def run(arguments: Sequence[str], name: str) -> bytes:
    """Run ffmpeg to its end, and return what it wrote to `pipe:1`; raises as `encoding` does."""
    with (
        tempfile.TemporaryFile() as stderr,
        _run_process(arguments, stderr, subprocess.DEVNULL, subprocess.PIPE) as process,
    ):
        output, _ = process.communicate()
        if process.returncode:
            raise _encoder_error(name, stderr)
        return output


def run_tolerantly(arguments: Sequence[str]) -> tuple[bytes, str]:
    """Run ffmpeg as far as it gets, and return what it wrote to `pipe:1` and its last errors."""
    with (
        tempfile.TemporaryFile() as stderr,
        _run_process(arguments, stderr, subprocess.DEVNULL, subprocess.PIPE) as process,
    ):
        output, _ = process.communicate()
        return output, _read_last_lines(stderr)


@contextmanager
def decoding(arguments: Sequence[str]) -> Iterator[IO[bytes]]:
    """Run ffmpeg during the block, and yield its `pipe:1` to read from."""
    with (
        tempfile.TemporaryFile() as stderr,
        _run_process(arguments, stderr, subprocess.DEVNULL, subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        yield process.stdout


def describe_file(path: Path) -> str:
    """Return what ffmpeg prints about a file: its container, streams and codecs, and any error."""
    # Without an output, ffmpeg always exits with an error.
    return describe_run(source(path))


def describe_run(arguments: Sequence[str]) -> str:
    """Run ffmpeg as far as it gets, and return all that it prints."""
    command = (executable(), "-hide_banner", "-nostdin", "-nostats", *arguments)
    said = subprocess.run(command, capture_output=True, check=False).stderr
    return said.decode("utf-8", "replace")
