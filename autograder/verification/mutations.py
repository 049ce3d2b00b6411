"""Changes of the syntax tree that students really make in numerical code: a sign, a term, an index by one, ...

Comes in: the text of a model answer. Goes out: the same text with one change each, as `Mutation`s. A change replaces
the text of one node and leaves the rest as its author wrote it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Gt: ast.Lt,
    ast.Lt: ast.Gt,
    ast.GtE: ast.LtE,
    ast.LtE: ast.GtE,
}
_SWAPPED_NAMES = {"sum": "mean", "mean": "sum", "max": "min", "min": "max", "argmax": "argmin", "maximum": "minimum"}
_ELEMENTWISE = frozenset(("exp", "log", "tanh", "sqrt", "square", "abs"))
_PRODUCTS = frozenset(("outer", "dot", "matmul", "kron", "cross"))
_ROUNDS = 10_000  # of a loop that would never end

Change = tuple[str, ast.AST]


@dataclass(frozen=True)
class Mutation:
    """A text with one change: its kind, such as "a sign", the line where it stands, and that line before and after."""

    kind: str
    text: str
    line: int
    before: str
    after: str


def mutations(text: str) -> Iterator[Mutation]:
    """Yield every mutation of the functions in a text, each resulting text once. What they compute is not looked at."""
    texts = {text}
    for function in (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)):
        for statement in function.body[ast.get_docstring(function) is not None :]:
            for node in ast.walk(statement):
                for kind, new in _changes(node):
                    mutant = _replaced(text, node, new)
                    if mutant not in texts:
                        texts.add(mutant)
                        yield _located(kind, text, mutant)


def ending(text: str) -> str:
    """Return a text in which every `while` ends after some thousand rounds, whatever was changed in it."""

    class EndLoops(ast.NodeTransformer):
        def visit_While(self, node: ast.While) -> ast.AST:
            leave = ast.If(ast.UnaryOp(ast.Not(), node.test), [ast.Break()], [])
            rounds = ast.parse(f"range({_ROUNDS})", mode="eval").body
            loop = ast.For(ast.Name("_", ast.Store()), rounds, [leave, *node.body], [])
            return self.generic_visit(loop)

    return ast.unparse(ast.fix_missing_locations(EndLoops().visit(ast.parse(text))))


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield the changes of one node: what kind each is of, and the node that takes its place."""
    match node:
        case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
            yield "a sign", ast.BinOp(left, _SWAPPED[type(op)](), right)  # type: ignore[arg-type]  # operators
            yield from (("a term", side) for side in (left, right))
        case ast.BinOp(left, ast.Mult(), right):
            yield from (("a factor", side) for side in (left, right))
        case ast.BinOp(left, ast.Div() | ast.Pow(), _):
            yield "a factor", left
        case ast.BinOp(left, ast.MatMult(), right):
            yield "* for @", ast.BinOp(left, ast.Mult(), right)
            yield "the order of a product", ast.BinOp(right, ast.MatMult(), left)
            yield from _transposed(left, right)
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield "a sign", operand
        case ast.Attribute(value, "T"):
            yield "a transpose", value
        case ast.Subscript(value, index, ctx):
            yield from (("an index by one", ast.Subscript(value, other, ctx)) for other in _shifted(index))
        case ast.IfExp(_, body, orelse):
            yield from (("a branch", side) for side in (body, orelse))
        case ast.Compare(left, [op], comparators) if type(op) in _SWAPPED:
            swapped = _SWAPPED[type(op)]()
            yield "a comparison", ast.Compare(left, [swapped], comparators)  # type: ignore[list-item]  # an operator
        case ast.Call():
            yield from _changed_calls(node)
        case ast.stmt():
            yield from _changed_statements(node)


def _transposed(left: ast.expr, right: ast.expr) -> Iterator[Change]:
    plain = (ast.Name, ast.Attribute, ast.Subscript)
    if isinstance(left, plain) and getattr(left, "attr", "") != "T":
        yield "a transpose", ast.BinOp(ast.Attribute(left, "T", ast.Load()), ast.MatMult(), right)
    if isinstance(right, plain) and getattr(right, "attr", "") != "T":
        yield "a transpose", ast.BinOp(left, ast.MatMult(), ast.Attribute(right, "T", ast.Load()))


def _shifted(index: ast.expr) -> Iterator[ast.expr]:
    """Yield the indices next to one, and the other end of a slice."""
    match index:
        case ast.UnaryOp(ast.USub(), ast.Constant(int(value))):
            yield from (ast.Constant(other) for other in (0, -value - 1))
        case ast.Constant(int()) | ast.Name() | ast.BinOp():
            yield from _neighbours(index)
        case ast.Slice(None, None, step):
            yield from [ast.Slice()] if step is not None else []
        case ast.Slice(lower, upper, step):
            yield ast.Slice(None, None, step)
            if upper is None:
                yield ast.Slice(None, ast.Constant(-1), step)
            if lower is None:
                yield ast.Slice(ast.Constant(1), None, step)
            yield from (ast.Slice(other, upper, step) for other in (_shifted(lower) if lower else ()))
            yield from (ast.Slice(lower, other, step) for other in (_shifted(upper) if upper else ()))
        case ast.Tuple(items):
            for i, item in enumerate(items):
                yield from (ast.Tuple([*items[:i], other, *items[i + 1 :]], ast.Load()) for other in _shifted(item))


def _neighbours(number: ast.expr) -> Iterator[ast.expr]:
    """Yield a whole number plus 1 and minus 1, written as one would."""
    for step in (1, -1):
        match number:
            case ast.Constant(int(value)):
                yield ast.Constant(value + step)
            case ast.BinOp(left, ast.Add() | ast.Sub() as op, ast.Constant(int(value))):
                yield _plus(left, (value if isinstance(op, ast.Add) else -value) + step)
            case _:
                yield _plus(number, step)


def _plus(number: ast.expr, step: int) -> ast.expr:
    return ast.BinOp(number, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step))) if step else number


def _changed_calls(node: ast.Call) -> Iterator[Change]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "range":
        for i, argument in enumerate(node.args[:2]):
            for moved in _neighbours(argument):
                yield "a loop's end", _with_arguments(node, [*node.args[:i], moved, *node.args[i + 1 :]])
        if len(node.args) == 1:
            yield "a loop's end", _with_arguments(node, [ast.Constant(1), *node.args])
    elif name in _SWAPPED_NAMES:
        call = copy.deepcopy(node)
        if isinstance(call.func, ast.Attribute):
            call.func.attr = _SWAPPED_NAMES[name]
            yield "sum for mean" if name in ("sum", "mean") else "max for min", call
    elif name in _PRODUCTS and len(node.args) == 2:
        yield "the order of a product", _with_arguments(node, node.args[::-1])
    elif name in _ELEMENTWISE and len(node.args) == 1:
        yield "a function", node.args[0]
    elif name == "reversed" and len(node.args) == 1:
        yield "the direction of a loop", node.args[0]
    for i, keyword in enumerate(node.keywords):
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant) and keyword.value.value in (0, 1):
            call = copy.deepcopy(node)
            call.keywords[i].value = ast.Constant(1 - keyword.value.value)
            yield "a row for a column", call


def _with_arguments(node: ast.Call, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(node.func, arguments, node.keywords)


def _changed_statements(node: ast.stmt) -> Iterator[Change]:
    match node:
        case ast.AugAssign(target, op, value):
            yield "a forgotten update", ast.Pass()
            yield "a forgotten update", ast.Assign([target], value)
            if type(op) in _SWAPPED:
                yield "a sign", ast.AugAssign(target, _SWAPPED[type(op)](), value)  # type: ignore[arg-type]  # operators
        case ast.Assign([ast.Subscript()]):
            yield "a forgotten update", ast.Pass()
        case ast.Assign([ast.Name(name)], value):
            if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(value)):
                yield "a forgotten update", ast.Pass()
        case ast.Expr(ast.Call(ast.Attribute())):  # such as a list's append or reverse
            yield "a forgotten update", ast.Pass()
        case ast.Return(ast.Tuple([first, second])):
            yield "swapped results", ast.Return(ast.Tuple([second, first], ast.Load()))
        case ast.Return(ast.expr() as value):
            yield "a sign", ast.Return(ast.UnaryOp(ast.USub(), value))


def _replaced(text: str, node: ast.AST, new: ast.AST) -> str:
    """Return a text in which the text of one node is that of another, in parentheses where they are needed."""
    start, end = _span(text, node)
    raw, written = text.encode(), ast.unparse(ast.fix_missing_locations(copy.deepcopy(new)))
    plain, grouped = (f"{raw[:start].decode()}{part}{raw[end:].decode()}" for part in (written, f"({written})"))
    is_operation = isinstance(new, ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Compare)
    return grouped if is_operation and ast.dump(ast.parse(plain)) != ast.dump(ast.parse(grouped)) else plain


def _span(text: str, node: ast.AST) -> tuple[int, int]:
    """Return where the text of a node begins and ends, in bytes."""
    assert isinstance(node, ast.expr | ast.stmt)
    lengths = [len(line) for line in text.encode().splitlines(keepends=True)]
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return sum(lengths[: node.lineno - 1]) + node.col_offset, sum(lengths[: end_line - 1]) + end_column


def _located(kind: str, text: str, mutant: str) -> Mutation:
    before, after = text.splitlines(), mutant.splitlines()
    line = next(i for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new)
    return Mutation(kind, mutant, line + 1, before[line].strip(), after[line].strip())
