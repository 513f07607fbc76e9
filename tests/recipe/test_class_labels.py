"""Classes: their names, ids and numbers."""

from pathlib import Path

import pytest

from dreamer.errors import DreamerError
from dreamer.recipe import class_labels
from dreamer.recipe.class_labels import UNNAMED, Label

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ILSVRC, INCEPTION5H = (class_labels.load_labels(order) for order in class_labels.ORDERS)


def test_both_orders_hold_the_same_thousand_classes() -> None:
    assert len(ILSVRC) == len(set(ILSVRC)) == 1000
    assert set(INCEPTION5H) - set(ILSVRC) == {UNNAMED}
    assert INCEPTION5H[0] == UNNAMED
    assert ILSVRC[65].name == "sea snake"
    assert ILSVRC[18].name == INCEPTION5H[394].name == "magpie"


@pytest.mark.parametrize(
    ("asked", "output"),
    [
        ("magpie", 18),
        ("Sea_Snakes", 65),
        ("German shepherds", 235),
        ("alsatian", 235),
        ("teddy bear", 850),
        ("n01443537", 1),
        ("7", 7),
        ("polecat", 358),  # the skunk is only sometimes called so
        ("construction crane", 517),
    ],
)
def test_a_class_is_found_by_name_id_and_number(asked: str, output: int) -> None:
    assert class_labels.find_class(ILSVRC, asked, "mine") == output


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("magpi", "did you mean magpie"),
        ("shark", "did you mean great white shark"),
        ("qqqq", "no class 'qqqq': `dream models classes mine`"),
        ("1000", "0 to 999"),
        ("n99999999", "no class 'n99999999'"),
        ("crane", "write 'crane bird' or 'construction crane'"),
        ("", "no class ''"),
    ],
)
def test_what_is_no_class_is_answered_with_the_nearest(asked: str, named: str) -> None:
    with pytest.raises(DreamerError, match=named):
        class_labels.find_class(ILSVRC, asked, "mine")


def test_labels_of_one_s_own_are_read_and_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("dummy\nn01514668 cock, rooster\ncrane\n\ncrane\n\n")
    labels = class_labels.read(path)
    assert labels == [
        UNNAMED,
        Label("n01514668", "cock, rooster"),
        Label("", "crane"),
        UNNAMED,
        Label("", "crane"),
    ]
    assert class_labels.fit_labels(labels, 5, "mine", "ilsvrc", "labels.txt") == labels
    with pytest.raises(DreamerError, match="write 2 or 4"):
        class_labels.find_class(labels, "crane", "mine")
    with pytest.raises(DreamerError, match=r"labels\.txt has 5 labels and mine 6 classes"):
        class_labels.fit_labels(labels, 6, "mine", "ilsvrc", "labels.txt")
    with pytest.raises(DreamerError, match=r"Cannot read the labels .*nowhere"):
        class_labels.read(tmp_path / "nowhere")
    unknown = class_labels.fit_labels((), 6, "mine", "ilsvrc", "")
    assert class_labels.find_class(unknown, "3", "mine") == 3
    with pytest.raises(DreamerError, match="give --labels"):
        class_labels.find_class(unknown, "cock", "mine")


def test_a_network_may_have_outputs_that_nobody_named() -> None:
    own = class_labels.fit_labels((), 1008, "googlenet", "inception5h", "")
    assert len(own) == 1008
    assert own == class_labels.fit_labels(INCEPTION5H[:1001], 1008, "googlenet", "inception5h", "x")
    assert own[1000].name == "dumbbell"
    assert set(own[1001:]) == {UNNAMED}
    # Of a thousand and one outputs nobody knows which is left over.
    assert set(class_labels.fit_labels((), 1001, "mine", "ilsvrc", "")) == {UNNAMED}
    with pytest.raises(DreamerError, match="1000 labels and googlenet 1008"):
        class_labels.fit_labels(ILSVRC, 1008, "googlenet", "inception5h", "x")
