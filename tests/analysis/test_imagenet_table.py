"""The table of ImageNet, against the public lists."""

from pathlib import Path

import pytest

from dreamer.analysis import imagenet_table
from dreamer.errors import DreamerError
from dreamer.recipe import class_labels

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ILSVRC, INCEPTION5H = (class_labels.load_labels(order) for order in class_labels.ORDERS)


def test_the_table_is_what_the_script_makes_of_the_public_lists(real_weights: Path) -> None:
    lists = ("imagenet_synset_words.txt", "inception5h_synsets.txt")
    made = imagenet_table.rows([class_labels.read(real_weights / name) for name in lists])
    written = class_labels.TABLE.read_text("utf-8").splitlines()
    assert written[1:] == ["\t".join(row) for row in made]
    with pytest.raises(DreamerError, match="n01440764"):
        imagenet_table.rows([ILSVRC, INCEPTION5H[:300]])
