"""Write small networks of PyTorch as ONNX files, with what they give: python export.py.

It needs `torch`, `torchvision` and `onnxscript`, which the tests do not: the files are kept. Of
each network there is what it answers to a picture, and the gradient of a weighted sum of that.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.mobilenetv3 import MobileNetV3, _mobilenet_v3_conf
from torchvision.models.resnet import BasicBlock
from torchvision.models.vision_transformer import VisionTransformer

HERE = Path(__file__).parent
SIDE = 64
CLASSES = 7
SCOPES = "pkg.torch.onnx.name_scopes"


def make_resnet() -> nn.Module:
    """Three residual blocks behind a padded pool."""
    down = nn.Sequential(nn.Conv2d(8, 16, 1, 2, bias=False), nn.BatchNorm2d(16))
    return nn.Sequential(
        *(
            nn.Conv2d(3, 8, 7, 2, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        ),
        *(BasicBlock(8, 8), BasicBlock(8, 16, 2, down), BasicBlock(16, 16)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, CLASSES)),
    )


def make_mobilenet() -> nn.Module:
    """A quarter of MobileNetV3's width."""
    settings, last = _mobilenet_v3_conf("mobilenet_v3_small", width_mult=0.25, reduced_tail=True)
    return MobileNetV3(settings, last // 8, num_classes=CLASSES)


def make_convnext() -> nn.Module:
    """Three stages of ConvNeXt."""
    stages = [CNBlockConfig(8, 16, 1), CNBlockConfig(16, 24, 1), CNBlockConfig(24, None, 2)]
    return ConvNeXt(stages, layer_scale=0.5, num_classes=CLASSES)


def make_vit() -> nn.Module:
    """Two layers of a vision transformer."""
    return VisionTransformer(SIDE, 16, 2, 2, 16, 32, num_classes=CLASSES)


NETWORKS = {
    "resnet": make_resnet,
    "mobilenet": make_mobilenet,
    "convnext": make_convnext,
    "vit": make_vit,
}


def main() -> None:
    """Write all, by both of PyTorch's exporters."""
    for name, make in NETWORKS.items():
        torch.manual_seed(5)
        model = make().eval()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.2)
        picture = torch.randn(1, 3, SIDE, SIDE, requires_grad=True)
        weights = torch.randn(1, CLASSES)
        answer = model(picture)
        (answer * weights).sum().backward()
        given = {"picture": picture, "weights": weights, "answer": answer, "slope": picture.grad}
        np.savez_compressed(
            HERE / f"{name}.npz", **{key: each.detach().numpy() for key, each in given.items()}
        )
        example = (picture.detach(),)
        torch.onnx.export(model, example, HERE / f"{name}.onnx", dynamo=True, external_data=False)
        torch.onnx.export(model, example, HERE / f"{name}-script.onnx", dynamo=False)
        for path in (HERE / f"{name}.onnx", HERE / f"{name}-script.onnx"):
            leave_out_places(path)


def leave_out_places(path: Path) -> None:
    """Remove what a file says of the code that it was made by."""
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.doc_string = ""
        for entry in [each for each in node.metadata_props if each.key != SCOPES]:
            node.metadata_props.remove(entry)
    onnx.save(graph, path)


if __name__ == "__main__":
    main()
