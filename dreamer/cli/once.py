"""Options that are given twice, where one counts."""

from collections import Counter
from typing import Any

from typer.core import TyperCommand

from dreamer.cli import show


class Once(TyperCommand):
    """A command that says which of two counts."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments as any command does."""
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param, times in Counter(order).items():
            if times > 1 and not (param.multiple or getattr(param, "is_flag", False)):
                name = max(param.opts, key=len)
                show.note(
                    f"{name} is given {times} times: the last one, {given[param.name]}, counts.",
                    quiet=False,
                )
        rest: list[str] = super().parse_args(ctx, args)
        return rest
