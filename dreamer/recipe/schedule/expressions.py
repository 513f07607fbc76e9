"""Expressions: arithmetic with the frame number, the seed, and the film's length and frame rate.

Expressions may come from strangers. Characters, names and nodes are checked before anything is
evaluated, and all numbers are floats, so that no power takes long to compute.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from operator import methodcaller
from typing import NamedTuple

from simpleeval import SimpleEval

from dreamer.errors import nearest
from dreamer.recipe.schedule.easings import EASINGS
from dreamer.recipe.schedule.signals import NAMES, Signals

LONGEST = 250
"""The most characters in an expression, which also limits its nesting."""


class Clock(NamedTuple):
    """A moment of a film, counted at the frame rate that its schedules are written for.

    Attributes:
        frame: the frame, from 0; fractional if the film runs at another frame rate.
        frames: the length of the film, and the period of a loop.
        fps: frames per second.
        seed: the seed of the recipe.
        signals: of the music, where there is any.
    """

    frame: float
    frames: float
    fps: float
    seed: float = 0.0
    signals: Signals | None = None

    def read_signal(self, name: str) -> float:
        """Return a signal of the music; 0 where there is none, as for a still picture."""
        if self.signals is None or name not in self.signals.curves:
            return 0.0
        return self.signals.at(name, self.frame / self.fps)


VARIABLES: Mapping[str, Callable[[Clock], float]] = {
    "t": lambda clock: clock.frame,
    "s": lambda clock: clock.seed,
    "n": lambda clock: clock.frames,
    "max_f": lambda clock: clock.frames - 1,
    "fps": lambda clock: clock.fps,
    "pi": lambda clock: math.pi,
    **{name: methodcaller("read_signal", name) for name in NAMES},
}
"""The variables of expressions: frame, seed, film length, last frame, frame rate and π; and, of
music, those of `signals.NAMES`, also those of a stem, as `drums.onset`."""

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "abs": abs,
    "min": min,
    "max": max,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "floor": lambda x: float(math.floor(x)),
}
"""The functions of expressions: `min` and `max` take two or more arguments, the others one."""

OPERATORS: Mapping[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    # Unlike `**`, it never returns complex numbers.
    ast.Pow: math.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
"""The operators of expressions, by node."""

_FORBIDDEN = re.compile(r"[^\w\s.+\-*/%(),]", re.ASCII)
_REMEDIES = {"^": ": write ** for a power", "[": ": write round brackets"}


class Expression(NamedTuple):
    """A checked expression.

    Attributes:
        tree: its syntax tree.
        names: the variables in it.
    """

    tree: ast.expr
    names: frozenset[str]

    def at(self, clock: Clock) -> float:
        """Return its value at a moment of a film.

        Raises ArithmeticError or ValueError if it has none.
        """
        names = {name: _read_variable(name, clock) for name in self.names}
        evaluator = SimpleEval(operators=OPERATORS, functions=FUNCTIONS, names=names)
        return float(evaluator.eval("", previously_parsed=self.tree))

    @property
    def varies(self) -> bool:
        """Tell whether it depends on the frame."""
        return "t" in self.names or bool(self.signals)

    @property
    def signals(self) -> frozenset[str]:
        """Return the signals of music that it reads."""
        return frozenset(name for name in self.names if name.rpartition(".")[2] in NAMES)

    @property
    def constant(self) -> float | None:
        """Return its value if it has no variables; None if it has, or if the value is undefined."""
        try:
            return None if self.names else self.at(Clock(0, 1, 1))
        except (ArithmeticError, ValueError):
            return None


def _read_variable(name: str, clock: Clock) -> float:
    read = VARIABLES.get(name)
    return float(read(clock)) if read else clock.read_signal(name)


def make_error(text: str, place: int, why: str) -> ValueError:
    """Return an error that quotes a text and marks a place in it with ▸.

    Args:
        text: the text.
        place: index of the character at fault.
        why: the reason.
    """
    before, after = text[max(0, place - 30) : place], text[place : place + 15]
    dots = "…" if place > 30 else "", "…" if len(text) > place + 15 else ""
    return ValueError(f"{why}, at ▸ in {dots[0]}{before}▸{after}{dots[1]}")


def read(text: str, begin: int, end: int) -> Expression:
    """Parse and check the expression `text[begin:end]`.

    Raises ValueError that marks the place of the error in `text`.
    """
    source = text[begin:end]
    if not source:
        raise make_error(text, begin, "a number is missing")
    if len(source) > LONGEST:
        raise make_error(text, begin, f"an expression has at most {LONGEST} characters")
    if forbidden := _FORBIDDEN.search(source):
        remedy = _REMEDIES.get(forbidden[0], "")
        raise make_error(
            text, begin + forbidden.start(), f"{forbidden[0]!r} is no arithmetic{remedy}"
        )
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        # An offset of 0 means that the text ended too early.
        place = error.offset - 1 if error.offset else len(source)
        raise make_error(text, begin + place, "this is no arithmetic") from None
    except (RecursionError, MemoryError):
        raise make_error(text, begin, "this is nested too deeply") from None
    names: set[str] = set()
    tree = _NameStems().visit(tree)
    _check(tree, names, lambda node, why: make_error(text, begin + node.col_offset, why))
    return Expression(tree, frozenset(names))


class _NameStems(ast.NodeTransformer):
    """Makes one name of `drums.onset`; other attributes stay, and are refused."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Return a name in place of a stem's signal."""
        if not isinstance(node.value, ast.Name) or node.attr not in NAMES:
            return node
        return ast.copy_location(ast.Name(f"{node.value.id}.{node.attr}", ast.Load()), node)


def _check(
    node: ast.expr, names: set[str], wrong_at: Callable[[ast.expr, str], ValueError]
) -> None:
    """Collect the variables of a tree; raise an error for any node that the tables do not allow."""
    parts: list[ast.expr] = []
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            # Python's integers are unbounded, so 9**9**9 would take forever.
            node.value = float(value)
        case ast.Name(id=name) if name in VARIABLES or "." in name:
            names.add(name)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            parts = [operand]
        case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATORS:
            parts = [left, right]
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in FUNCTIONS:
            if (len(parts) < 2) if name in ("min", "max") else (len(parts) != 1):
                raise wrong_at(node, f"{name} takes another number of arguments")
        case _:
            raise wrong_at(*_describe_unknown(node))
    for part in parts:
        _check(part, names, wrong_at)


def _describe_unknown(node: ast.expr) -> tuple[ast.expr, str]:
    """Return the node at fault and the reason, for a node that the tables do not allow."""
    match node:
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)):
            near = nearest(name, [*VARIABLES, *FUNCTIONS])
            guess = f"did you mean {' or '.join(near)}?" if near else "see the list of variables"
            return node, f"{name} is unknown here: {guess}"
        case ast.Tuple(elts=[*_, last]):
            return last, f"after the comma stands no easing: there are {', '.join(EASINGS)}"
    return node, "this is no arithmetic"
