"""HTML that a parser takes in linear time: it may take one that grows with the square of what is open, or in one piece.

Formatting tags that are open are repeated in each paragraph after, and an end tag is looked for among all open ones:
18 kB, a thousand `<b id=1>` before a thousand `<p>x`, become 24 MB of HTML, and ten times that a server without memory.
A text without a tag in it is copied for each `&lt;` that is added to it.
"""

from __future__ import annotations

import re

MAX_TAGS = 1000  # however they are nested
MAX_DEPTH = 100
MAX_REPETITIONS = 500_000  # formatting tags in each other, times all tags
MAX_ENTITIES = 200  # in one text, if there are many of them

_MANY_ENTITIES = 20_000

_FORMATTING_TAGS = frozenset(("a", "b", "code", "em", "i", "s", "small", "strike", "strong", "tt", "u"))
_TAGS_WITHOUT_END = frozenset(("br", "col", "hr", "img", "input"))
_ATTRIBUTE = r"""[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'|[^\s"'=<>`]++))?+"""
_TAG_OR_ENTITIES = re.compile(rf"<[^>]*+>?+|(?:&[^<&]*+){{1,{MAX_ENTITIES}}}+")
_TAG = re.compile(rf"<(/?+)([a-z][a-z\d-]*+)(?:\s++{_ATTRIBUTE})*+\s*+/?+>", re.IGNORECASE)


def is_tangled(html: str) -> bool:
    """Return whether HTML holds many tags that do not nest as they are written, or nest too deep."""
    tag_count = html.count("<")
    if tag_count <= MAX_TAGS:
        return False
    plain_tags = formatting = 0
    open_names: list[str] = []
    for tag in _TAG.finditer(html):
        plain_tags += 1
        name = tag[2].lower()
        change = name in _FORMATTING_TAGS
        if tag[1]:
            if not open_names or open_names.pop() != name:
                return True
            formatting -= change
        elif name not in _TAGS_WITHOUT_END:
            open_names.append(name)
            formatting += change
            if len(open_names) > MAX_DEPTH or formatting * tag_count > MAX_REPETITIONS:
                return True
    return bool(open_names) or plain_tags < tag_count  # a comment, or a tag that is written otherwise


def divide_text(html: str, divider: str) -> str:
    """Return HTML with a divider in each of its texts that holds many entities, at every MAX_ENTITIES of them."""
    if html.count("&") < _MANY_ENTITIES:
        return html

    def divide(found: re.Match[str]) -> str:
        text = found[0]
        return f"{text}{divider}" if not text.startswith("<") and text.count("&") == MAX_ENTITIES else text

    return _TAG_OR_ENTITIES.sub(divide, html)
