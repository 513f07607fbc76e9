"""Layer specs, as a person writes them."""

import pytest

from dreamer.recipe import layer_spec
from dreamer.recipe.layer_spec import Choice, LayerSpec


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("mixed4c", LayerSpec("mixed4c", None, 1.0)),
        ("mixed4d:139", LayerSpec("mixed4d", (139,), 1.0)),
        ("mixed4c:1,5-9=0.5", LayerSpec("mixed4c", (1, 5, 6, 7, 8, 9), 0.5)),
        ("mixed3b=-0.2", LayerSpec("mixed3b", None, -0.2)),
        ("mixed3b:2,2,1", LayerSpec("mixed3b", (2, 1), 1.0)),
        ("mixed3b:7@0.5,1-2@-2=3", LayerSpec("mixed3b", (7, 1, 2), 3.0, (0.5, -2.0, -2.0))),
        ("mixed3b:7@.25,1", LayerSpec("mixed3b", (7, 1), 1.0, (0.25, 1.0))),
        ("mixed3b:7@1,1", LayerSpec("mixed3b", (7, 1), 1.0)),
        ("a:weakest12=2", LayerSpec("a", None, 2.0, choice=Choice("weakest", 12))),
    ],
)
def test_a_layer_spec_is_read(text: str, layer: LayerSpec) -> None:
    assert layer_spec.parse_layer(text) == layer


def test_a_long_list_of_channels_is_shown_in_brief() -> None:
    assert layer_spec.shorten_layer("mixed4d:1,2@0.5,3-6=-2") == "mixed4d:1,2@0.5,3-6=-2"
    assert layer_spec.shorten_layer("mixed4d:1,2@0.5,3-6,7,8,9@-1=-2") == "mixed4d:1,2@0.5,3-6,…=-2"
    fades = "0:mixed4d:1,2,3,4,5,6, 120:mixed4d:7,8,9,10,11=0.5"
    assert layer_spec.shorten_layer(fades) == "0:mixed4d:1,2,3,…, 120:mixed4d:7,8,9,…=0.5"


@pytest.mark.parametrize(
    "text",
    [
        *("", ":3", "mixed4c:", "mixed4c:x", "mixed4c=", "mixed4c=nan", "mixed4c=x"),
        *("a:9-5", "a:1-2-3", "a:1@", "a:1@nan", "a:1@9999999", "a@0.5"),
        *("a:strongest", "a:strongest0", "a:strongest3,4", "a:strongest99999", "a:loudest3"),
    ],
)
def test_what_is_no_layer_spec_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"LAYER|backward|finite"):
        layer_spec.parse_layer(text)


def test_a_layer_spec_is_given_channels() -> None:
    assert layer_spec.replace_channels("mixed4d:strongest2=-0.5", [7, 300]) == "mixed4d:7,300=-0.5"
    assert layer_spec.replace_channels("mixed4d", [7]) == "mixed4d:7"
