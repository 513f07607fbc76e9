"""`python -m dreamer` is `dream`."""

from dreamer.cli import main

main()
