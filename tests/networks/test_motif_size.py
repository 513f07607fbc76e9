"""The size of motifs."""

import keras

from dreamer.networks import motif_size, network, registry


def test_a_motif_is_as_large_as_the_layer_sees() -> None:
    image = keras.Input((None, None, 3))
    conv = keras.layers.Conv2D(4, 9, padding="same", name="nine", kernel_initializer="ones")
    spec = registry.NetSpec("", "", (), None, 1, 0, ("nine",), 8, {})
    net = network.Network("nine", spec, lambda: keras.Model(image, conv(image)), "")
    assert motif_size.find_motif_size(net, "nine") in (8, 12)
