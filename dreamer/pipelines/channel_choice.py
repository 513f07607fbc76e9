"""The choice of channels by how strongly a photo excites them."""

from dreamer.errors import DreamerError
from dreamer.files.photos import Photo
from dreamer.networks.channels import measure_strengths, pick_channels, resize_for_measurement
from dreamer.networks.network import Network
from dreamer.recipe import Recipe
from dreamer.recipe.layer_spec import parse_layer, replace_channels


def choose_channels(recipe: Recipe, net: Network, photo: Photo) -> Recipe:
    """Replace choices such as `mixed4d:strongest5` by channel numbers, which anyone can repeat.

    Raises DreamerError where the photo excites no channel of a layer.
    """
    if not recipe.chooses:
        return recipe
    return recipe.changed({"layers": [_choose(text, net, photo) for text in recipe.layers]})


def _choose(text: str, net: Network, photo: Photo) -> str:
    term = parse_layer(text)
    if term.choice is None:
        return text
    layer = net.resolve(term.layer)
    chosen = pick_channels(
        measure_strengths(net, layer, resize_for_measurement(photo)), term.choice
    )
    if not chosen:
        raise DreamerError(f"The photo excites nothing in {layer} of {net.name}: choose another.")
    return replace_channels(text, chosen)
