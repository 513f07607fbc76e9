"""Make the table of ImageNet's classes from the public lists of the networks' outputs.

    python -m dreamer.nets.synsets imagenet_synset_words.txt inception5h_synsets.txt

The lists are those of `dreamer.classes.ORDERS`: a line an output, from 0, with a WordNet id and the
names, as Caffe's `synset_words.txt` has them.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from dreamer import classes
from dreamer.errors import DreamerError

DISTINCT = {
    "n02012849": "crane bird",
    "n03126707": "construction crane",
    "n03710637": "maillot tights",
}
"""Names for the classes that the lists give no name of their own."""


def rows(lists: Sequence[classes.Labels]) -> list[tuple[str, ...]]:
    """The table, in the first list's order: WordNet id, the output in each list, the names.

    Raises DreamerError where a list lacks a class.
    """
    outputs = [{label.wordnet: place for place, label in enumerate(each)} for each in lists]
    table = []
    for label in filter(lambda label: label.wordnet, lists[0]):
        places = [each.get(label.wordnet) for each in outputs]
        if None in places:
            raise DreamerError(f"A list lacks {label.wordnet} ({label.name}): give the whole one.")
        names = ", ".join(filter(None, (label.names, DISTINCT.get(label.wordnet))))
        table.append((label.wordnet, *map(str, places), names))
    return table


def main(paths: Sequence[str]) -> None:
    """Write the table of the lists at these paths into the package."""
    made = rows([classes.read(Path(path)) for path in paths])
    header = ("wordnet", *classes.ORDERS, "names")
    lines = ("\t".join(row) + "\n" for row in (header, *made))
    classes.TABLE.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
