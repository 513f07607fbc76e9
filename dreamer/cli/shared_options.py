"""Options that the smaller commands share."""

from pathlib import Path
from typing import Annotated

import typer

from dreamer.cli import complete

Network = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        metavar="NAME|FILE",
        help="A network of `dream models list`, or a .keras or .onnx file of your own.",
        autocompletion=complete.offer_networks,
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="File with the weights of the network."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any field that `dream presets show` lists; repeatable.",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="FILE", help="What each output of the network is called, one per line."
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Open a model whose file brings Python code of its own, and run it: only if you trust "
        "who made it.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Show only errors.")]
