"""Pictures of classes."""

import keras
import pytest

from dreamer.analysis import classifier
from dreamer.networks.network import Network
from dreamer.networks.registry import NetSpec
from dreamer.pipelines.targets import find_targets
from dreamer.pipelines.visualization import Visualizer
from dreamer.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_vgg16_raises_its_scores_at_its_one_size() -> None:
    keras.utils.set_random_seed(7)
    model = keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=4)
    spec = NetSpec("", "", (), None, 255, -117, (), 16, {})
    net = Network("vgg16.keras", spec, lambda: None, "", lambda: model)
    own = classifier.find_head(net.entire())
    assert (own.layer, own.net.spec.reads) == ("predictions", (32, 32))
    assert "predictions ends in a softmax" in " ".join(own.notes())
    wanted = Recipe(
        steps=3, size=40, optimizer="adam", normalization="none", rate=0.05, blur=0, jitter=4
    )
    (*_, last) = Visualizer(wanted, own.net).grow(find_targets(own.net, own.layer, [2]))
    (grown,) = last.grown
    assert grown.picture.shape == (40, 40, 3)
    assert grown.score > grown.first_score
