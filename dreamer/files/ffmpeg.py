"""ffmpeg: the program that imageio-ffmpeg brings, run beside this one."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from dreamer.errors import DreamerError

THREADS = 2
"""Of every encoder, on every machine: another number gives other bytes."""

_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y")
# A film may come from a stranger, and some name further files or addresses.
_LOCAL = ("-protocol_whitelist", "file,pipe")


def executable() -> str:
    """Where ffmpeg is. Raises DreamerError where there is none for this machine."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise DreamerError(
            "There is no ffmpeg for this machine: install one, and name it in IMAGEIO_FFMPEG_EXE."
        ) from None


def source(path: Path, *options: str) -> tuple[str, ...]:
    """The arguments that read `path`, whatever characters its name holds."""
    return (*_LOCAL, *options, "-i", f"file:{path}")


def target(path: Path) -> str:
    """The argument that writes `path`."""
    return f"file:{path}"


def rate(fps: float | Fraction) -> Fraction:
    """Frames per second as a ratio; 29.97 and its kin are the 30000/1001 that they stand for.

    Raises DreamerError for what is no rate of a film.
    """
    if not 0 < fps <= 1000:
        raise DreamerError(f"A film cannot have {float(fps):g} frames a second: give 1 to 120.")
    exact = Fraction(fps)
    if exact.denominator == 1:
        return exact
    broadcast = Fraction(round(exact * 1001 / 1000) * 1000, 1001)
    return broadcast if abs(exact - broadcast) < Fraction(1, 200) else exact.limit_denominator(1001)


def raw(size: tuple[int, int], fps: Fraction, pixels: str) -> tuple[str, ...]:
    """The arguments that read frames `(h, w)` of a pixel format from the pipe."""
    height, width = size
    kind = ("-f", "rawvideo", "-pixel_format", pixels, "-video_size", f"{width}x{height}")
    return (*kind, "-framerate", str(fps), "-i", "pipe:0")


def _last_words(stderr: IO[bytes]) -> str:
    stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, stderr.tell() - 4000))
    lines = stderr.read().decode("utf-8", "replace").splitlines()
    return "; ".join(line.strip() for line in lines[-3:] if line.strip())


def _stopped(name: str, stderr: IO[bytes]) -> DreamerError:
    words = _last_words(stderr) or "it gave no reason"
    return DreamerError(
        f"The encoder stopped before {name} was complete ({words}): mend that and run the same "
        "command again."
    )


@contextmanager
def _running(
    arguments: Sequence[str], stderr: IO[bytes], stdin: int, stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [executable(), *_QUIET, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        # Ctrl-C is for the dream, which then closes its film.
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
    """ffmpeg as a process beside this one; gives the function that hands it raw frames.

    Its memory does not grow with the film. Leaving the block waits until it has finished;
    leaving it by an exception kills it.

    Args:
        arguments: they read from `pipe:0`.
        name: of the film, for the error.

    Raises DreamerError with the last lines that ffmpeg said, where it dies.
    """
    with (
        tempfile.TemporaryFile() as stderr,
        _running(arguments, stderr, subprocess.PIPE, subprocess.DEVNULL) as process,
    ):
        assert process.stdin is not None
        stdin = process.stdin

        def push(frame: bytes) -> None:
            try:
                stdin.write(frame)
            except BrokenPipeError:
                process.wait()
                raise _stopped(name, stderr) from None

        yield push
        with suppress(BrokenPipeError):
            stdin.close()
        if process.wait():
            raise _stopped(name, stderr)


def run(arguments: Sequence[str], name: str) -> bytes:
    """Run ffmpeg to its end and give what it wrote to `pipe:1`; errors as in `encoding`."""
    with (
        tempfile.TemporaryFile() as stderr,
        _running(arguments, stderr, subprocess.DEVNULL, subprocess.PIPE) as process,
    ):
        output, _ = process.communicate()
        if process.returncode:
            raise _stopped(name, stderr)
        return output


def tried(arguments: Sequence[str]) -> tuple[bytes, str]:
    """Run ffmpeg as far as it gets; gives what it wrote to `pipe:1`, and what it complained of."""
    with (
        tempfile.TemporaryFile() as stderr,
        _running(arguments, stderr, subprocess.DEVNULL, subprocess.PIPE) as process,
    ):
        output, _ = process.communicate()
        return output, _last_words(stderr)


@contextmanager
def decoding(arguments: Sequence[str]) -> Iterator[IO[bytes]]:
    """ffmpeg as a process beside this one; gives what it writes to `pipe:1`, to be read from."""
    with (
        tempfile.TemporaryFile() as stderr,
        _running(arguments, stderr, subprocess.DEVNULL, subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        yield process.stdout


def described(path: Path) -> str:
    """What ffmpeg says about a file: its container, streams, codecs; an error, too, is in there."""
    # It names no output, so its exit status is always that of an error.
    arguments = (executable(), "-hide_banner", "-nostdin", *source(path))
    said = subprocess.run(arguments, capture_output=True, check=False).stderr
    return said.decode("utf-8", "replace")
