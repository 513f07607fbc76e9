"""Train `dreamnet`: `python -m dreamer.training --help`."""

from dreamer.training.train import main

main()
