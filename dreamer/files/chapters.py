"""Chapters of a film, by which players jump to what it shows."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dreamer.files import containers, ffmpeg

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Films that hold chapters."""


class Chapter(NamedTuple):
    """A part of a film: its begin in seconds, and its title; it ends where the next one begins."""

    begin: float
    title: str


def put_in(film: Path, chapters: Sequence[Chapter], seconds: float, options: Sequence[str]) -> None:
    """Put chapters into a finished film, whose streams and tags stay what they are.

    Args:
        film: the file, which is replaced.
        chapters: in order.
        seconds: of the whole film.
        options: of ffmpeg, about the file.
    """
    ends = [*(chapter.begin for chapter in chapters[1:]), seconds]
    with tempfile.TemporaryDirectory(dir=film.parent) as folder:
        tags, whole = Path(folder) / "chapters", Path(folder) / film.name
        parts = (
            f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={round(1000 * chapter.begin)}\n"
            f"END={round(1000 * end)}\n{containers.write_tag('title', chapter.title)}"
            for chapter, end in zip(chapters, ends, strict=True)
        )
        tags.write_text("".join([containers.HEAD, *parts]), "utf-8")
        sources = (*ffmpeg.source(film), *ffmpeg.source(tags, "-f", "ffmetadata"))
        copied = ("-map", "0", "-map_metadata", "0", "-map_chapters", "1", "-c", "copy")
        ffmpeg.run((*sources, *copied, *options, ffmpeg.target(whole)), str(film))
        whole.replace(film)
