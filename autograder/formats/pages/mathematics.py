"""Sentences -> HTML in which mathematics is set as such, by MathML, and names of code as code.

Sentences are plain text: `dJ(t)/dW`, `h(t-1)`, `k = t - 1`, `T = 3`, `a_b`. All else, what students wrote included, is
escaped and left as it is; a letter of theirs that stands alone may become italic, no more.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from autograder.formats import fields

MAX_LENGTH = 4000  # characters: nobody reads more of one message on a page, and a report in JSON has all of it

_NUMBER = r"\d+(?:\.\d+)?"
_ARGUMENT = r"\((?:[A-Za-z]|\d+|[a-z] ?[+-] ?\d)\)"
# A, a, I, i and s are words or units where they stand alone.
_SYMBOL = rf"[B-HJ-Zb-hj-rt-z](?:_[a-z]|\^|\d)?(?:{_ARGUMENT})?"
_FORMULA = rf"[a-z][+-]\d|{_SYMBOL}(?: {_SYMBOL})?(?: [=+<>-] -?(?:{_SYMBOL}|{_NUMBER}))*"
_MATHEMATICS = re.compile(
    r"(?<![\w.,'\"`“/\[<^-])(?<!\w\()"  # not within a word, a quotation or code
    rf"(?:(?P<above>d{_SYMBOL}) ?/ ?(?P<below>d{_SYMBOL})|(?P<formula>{_FORMULA})"
    r"|(?P<code>[A-Za-z]\w*_\w+(?:\[[\d, ]*\])?))"
    r"(?![\w'\"`”(=\[/>^]|[.+-]\w)(?P<mark>[,.;:?)]*)"
)
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<name>[A-Za-z])(?:_(?P<below>[a-z])|(?P<index>\d)|(?P<hat>\^))?|\S")


def set_mathematics(text: str) -> Markup:
    """Return a text as HTML, sanitized, escaped and cut where it is longer than MAX_LENGTH."""
    text = fields.sanitize_multiline(text, MAX_LENGTH)
    pieces, end = [], 0
    for match in _MATHEMATICS.finditer(text):
        pieces += [escape(text[end : match.start()]), _element(match)]
        end = match.end()
    return Markup("").join([*pieces, escape(text[end:])])


def _element(match: re.Match[str]) -> Markup:
    if match["code"]:
        return Markup("<code>{}</code>{}").format(match["code"], match["mark"])
    if match["formula"]:
        row = _row(match["formula"])
    else:
        above, below = _row(match["above"]), _row(match["below"])
        row = Markup("<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>").format(above, below)
    math = Markup("<math>{}</math>").format(row)
    # Browsers would begin a line with the comma after a formula.
    return Markup('<span class="unbroken">{}{}</span>').format(math, match["mark"]) if match["mark"] else math


def _row(formula: str) -> Markup:
    return Markup("").join(map(_token, _TOKEN.finditer(formula)))


def _token(token: re.Match[str]) -> Markup:
    if token["number"]:
        return Markup("<mn>{}</mn>").format(token["number"])
    if not token["name"]:
        return Markup('<mo stretchy="false">{}</mo>').format(token[0].replace("-", "\N{MINUS SIGN}"))
    name = Markup("<mi>{}</mi>").format(token["name"])
    if token["hat"]:
        return Markup('<mover accent="true">{}<mo>^</mo></mover>').format(name)
    if token["below"]:
        return Markup("<msub>{}<mi>{}</mi></msub>").format(name, token["below"])
    if token["index"]:
        return Markup("<msub>{}<mn>{}</mn></msub>").format(name, token["index"])
    return name
