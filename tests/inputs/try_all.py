"""Dream on everything in a folder of odd files, and print what each gives, as a Markdown table.

    python tests/inputs/try_all.py FOLDER

Pictures are dreamt on at 64 pixels, clips for half a second. A file that is refused must be so in
one sentence; anything else that goes wrong is a fault, which the last line counts.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from dreamer.errors import DreamerError
from dreamer.files.clips import is_clip
from dreamer.jobs.events import Note, Planned
from dreamer.jobs.requests import ImageRequest, VideoRequest
from dreamer.jobs.run import run_job
from dreamer.jobs.workbench import Workbench

PICTURE = {"size": "64", "steps": "1", "octaves": "1"}
FILM = {"film.size": "64", "steps": "1", "octaves": "1"}


def request_for(path: Path, target: Path) -> ImageRequest | VideoRequest:
    """What is asked for of a file."""
    if is_clip(path):
        return VideoRequest(source=path, stop="0.5", fields=dict(FILM), output=target / "film.mp4")
    return ImageRequest(photos=(path,), fields=dict(PICTURE), output=target / "picture.png")


def attempt(path: Path, bench: Workbench) -> tuple[str, str]:
    """Dream on a file: "made", "refused" or "fault", and what was said of it."""
    said: list[str] = []

    def hear(event: Any) -> None:
        if isinstance(event, Note) or (isinstance(event, Planned) and event.seconds is None):
            said.append(event.text.partition(": dreamnet")[0])

    with tempfile.TemporaryDirectory() as folder:
        try:
            run_job(request_for(path, Path(folder)), hear, bench=bench)
        except DreamerError as error:
            return "refused", str(error)
        # Whatever else can go wrong is what this looks for.
        except Exception as error:
            return "fault", f"{type(error).__name__}: {error}"
        made = any(Path(folder).iterdir())
    return ("made" if made else "fault"), "; ".join(said)


def main() -> None:
    """Print the table."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder, bench, faults = Path(sys.argv[1]), Workbench(), 0
    print("| file | | what is said |\n|---|---|---|")
    for path in sorted(folder.iterdir()):
        result, said = attempt(path, bench)
        faults += result == "fault"
        shown = said.replace(f"{folder}/", "").replace("|", "\\|").replace("\n", " ")
        print(f"| {path.name!r} | {result} | {shown} |", flush=True)
    print(f"\n{faults} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
