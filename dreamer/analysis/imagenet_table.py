"""Make the table of ImageNet's classes from the public lists of the networks' outputs.

    python -m dreamer.analysis.imagenet_table imagenet_synset_words.txt inception5h_synsets.txt

The lists are in the order of `dreamer.recipe.class_labels.ORDERS`. Each has one line per output,
from 0, with a WordNet id and the names, like Caffe's `synset_words.txt`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from dreamer.errors import DreamerError
from dreamer.recipe import class_labels

DISTINCT = {
    "n02012849": "crane bird",
    "n03126707": "construction crane",
    "n03710637": "maillot tights",
}
"""Additional names, by WordNet id, for classes whose names in the lists are not unique."""


def rows(lists: Sequence[class_labels.Labels]) -> list[tuple[str, ...]]:
    """Return the table's rows in the first list's order: WordNet id, output in each list, names.

    Raises DreamerError if a list lacks a class.
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
    """Write the table made from the lists at `paths` into the package."""
    made = rows([class_labels.read(Path(path)) for path in paths])
    header = ("wordnet", *class_labels.ORDERS, "names")
    lines = ("\t".join(row) + "\n" for row in (header, *made))
    class_labels.TABLE.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
