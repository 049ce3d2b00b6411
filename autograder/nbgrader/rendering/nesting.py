"""HTML that a parser takes in linear time: it may take one that grows with the square of what is open, or in one piece.

Formatting tags that are open are repeated in each paragraph after, and an end tag is looked for among all open ones:
18 kB, a thousand `<b id=1>` before a thousand `<p>x`, become 24 MB of HTML, and ten times that a server without memory.
A text without a tag in it is copied for each `&lt;` that is added to it. Each attribute is compared with all before it
in its tag.
"""

from __future__ import annotations

import re

MAX_TAGS = 1000  # that do not nest as they are written
MAX_DEPTH = 100
MAX_ATTRIBUTES = 100  # of one tag
MAX_GROWTH = 100  # for each character: what formatting tags cost, times all tags, since each may repeat them
MAX_ENTITIES = 200  # in one text, if there are many of them

_MANY_ENTITIES = 20_000
_COST_OF_A_TAG = 80  # that is repeated, in characters that could be copied instead

_FORMATTING_TAGS = frozenset(("a", "b", "code", "em", "i", "s", "small", "strike", "strong", "tt", "u"))
_TAGS_WITHOUT_END = frozenset(("br", "col", "dd", "dt", "hr", "img", "input", "li", "p"))  # or perhaps without
_ATTRIBUTE = r"""[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'|[^\s"'=<>`]++))?+"""
_TAG_OR_ENTITIES = re.compile(rf"<[^>]*+>?+|(?:&[^<&]*+){{1,{MAX_ENTITIES}}}+")
# A tag and its attributes as browsers read them, however odd, and what they take for a comment: each ends at a `>`.
_ANY_ATTRIBUTE = re.compile(
    r"""[\t\n\f\r /]*+[^\t\n\f\r />][^\t\n\f\r />=]*+"""
    r"""(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+)?+)?+"""
)
_ANY_TAG = re.compile(
    rf"</?+[a-z][^\t\n\f\r />]*+(?P<attributes>(?:{_ANY_ATTRIBUTE.pattern})*+)|<[!?/][^>]*+", re.IGNORECASE
)
_TAG_START = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_TAG = re.compile(rf"<(/?+)([a-z][a-z\d-]*+)(?:\s++{_ATTRIBUTE})*+\s*+/?+>", re.IGNORECASE)


def is_tangled(html: str) -> bool:
    """Return whether HTML takes a parser too long.

    It may repeat long tags, or hold a tag with very many attributes, or many tags that nest too deep or otherwise than
    they are written.
    """
    if any(_has_many_attributes(tag["attributes"] or "") for tag in _ANY_TAG.finditer(html)):
        return True
    tag_count = len(_TAG_START.findall(html))
    max_cost = MAX_GROWTH * (len(html) + 1000) // max(tag_count, 1)
    nests = True
    plain_tags = formatting = open_formatting = 0
    open_tags: list[tuple[str, int]] = []
    for tag in _TAG.finditer(html):
        plain_tags += 1
        name = tag[2].lower()
        if name in _TAGS_WITHOUT_END:
            continue
        if tag[1]:
            opened, cost = open_tags.pop() if open_tags else ("", 0)
            nests = nests and opened == name
            open_formatting -= cost
        else:
            cost = len(tag[0]) + _COST_OF_A_TAG if name in _FORMATTING_TAGS else 0
            open_tags.append((name, cost))
            formatting += cost
            open_formatting += cost
            nests = nests and len(open_tags) <= MAX_DEPTH and open_formatting <= max_cost
        if not nests and tag_count > MAX_TAGS:
            return True
    is_plain = plain_tags == tag_count  # otherwise there is a tag that is written in an odd way, and may be long
    if nests and is_plain and not open_tags:
        return False
    return tag_count > MAX_TAGS or (formatting if is_plain else len(html)) > max_cost


def _has_many_attributes(attributes: str) -> bool:
    """Return whether the text behind a tag's name holds more than MAX_ATTRIBUTES."""
    return sum(1 for _ in _ANY_ATTRIBUTE.finditer(attributes)) > MAX_ATTRIBUTES


def divide_text(html: str, divider: str) -> str:
    """Return HTML with a divider in each of its texts that holds many entities, at every MAX_ENTITIES of them."""
    if html.count("&") < _MANY_ENTITIES:
        return html

    def divide(found: re.Match[str]) -> str:
        text = found[0]
        return f"{text}{divider}" if not text.startswith("<") and text.count("&") == MAX_ENTITIES else text

    return _TAG_OR_ENTITIES.sub(divide, html)
