"""HTML that was rendered from a student's text -> HTML that can do nothing but be read.

Whatever is not listed here is dropped: the lists hold what Markdown, highlighted code, tables of pandas, coloured
terminal output and this kit's own checks are made of. nh3 does the parsing; this module only says what may stay.
"""

from __future__ import annotations

import re

import nh3
from markupsafe import escape
from pygments.token import STANDARD_TYPES

from autograder.nbgrader.rendering.nesting import divide_text, is_tangled

ID_PREFIX = "student-"
"""What ids begin with: formgrader finds its inputs by ids, and a heading must not be taken for one."""

# fmt: off
_TAGS = {  # no wbr: MathJax reads on across it
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "i", "img", "input", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt",
    "u", "ul", "var",
}
# fmt: on
_ATTRIBUTES = {
    "*": {"align", "aria-label", "dir", "id", "lang", "style", "title"},
    "a": {"href"},
    "details": {"open"},
    "img": {"alt", "height", "src", "width"},
    "input": {"checked"},
    "ol": {"start", "type"},
    "table": {"border"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_ANSI_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "default-inverse")
_ANSI_CLASSES = {
    f"ansi-{name}{kind}-{part}" for name in _ANSI_COLOURS for kind in ("", "-intense") for part in ("fg", "bg")
}
# No others: Bootstrap's lay a box over the whole page, and formgrader's make a button that gives points.
_CLASSES = {
    "a": {"anchor-link"},
    "div": {"highlight", "hl-ipython3", "hl-python"},
    "input": {"task-list-item-checkbox"},
    "li": {"task-list-item"},
    "span": {*filter(None, STANDARD_TYPES.values()), *_ANSI_CLASSES, "ansi-bold", "ansi-underline"},
    "table": {"dataframe"},
}
# fmt: off
_STYLES = {
    "background", "background-color", "border", "border-collapse", "color", "font-family", "font-size",
    "font-style", "font-weight", "margin", "min-width", "padding", "text-align", "vertical-align", "white-space",
    *(f"{box}-{side}" for box in ("border", "margin", "padding") for side in ("top", "right", "bottom", "left")),
}
# fmt: on
# A colour, a word, or a small length that is not negative: nothing that loads or that moves over its neighbours.
_VALUE = (
    r"(?:#[0-9a-f]{3,8}|rgba?\([\d., %]{1,40}\)|[a-z-]*[a-z]|"
    r"\d{0,2}(?:\.\d{1,4})?(?:em|ex|px|pt)?|\d{1,3}%|[1-9]00)"
)
_STYLE_VALUE = re.compile(rf"{_VALUE}(?:(?: |, ?){_VALUE}){{0,7}}", re.IGNORECASE)

_RASTER_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_OUTSIDE_LINK = re.compile(r"(?:https?://|mailto:)[^\s]+", re.IGNORECASE)

# nh3 drops an element that belongs to SVG or MathML with all that it holds, and `list<int>` opens one until the text
# ends. Called otherwise, no browser knows it: the tag goes, its text stays. Scripts and styles are no text.
_UNKNOWN_TAG = re.compile(rf"(</?+)(?!(?:{'|'.join(sorted(_TAGS))}|script|style)[\s/>])(?=[a-z])", re.IGNORECASE)
_UNKNOWN_PREFIX = "x-"
_DROPPED_ELEMENT = "<x-></x->"
_NO_TEXT = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))|<(script|style)(?=[\s/>]).*?(?:</\1(?=[\s/>])[^>]*+>?+|\Z)", re.DOTALL | re.IGNORECASE
)
TANGLED = "Its tags are too many, too long or nested too deep to be shown as HTML:"

_CODE = re.compile(r"(<(?:pre|code)[ >].*?</(?:pre|code)>)", re.DOTALL)
# Commands that make a link, load something, or write attributes: of MathJax 2 to 4 and of KaTeX.
_ACTIVE_TEX = re.compile(
    r"\\(?=(?:href|url|unicode|require|style|class|cssId|data|bbox|mmlToken|html[A-Za-z]*|includegraphics)(?![A-Za-z]))"
)
_WORD_JOINER = "\u2060"  # not seen in prose; in a formula no command begins with it


def clean(html: str) -> str:
    """Return the HTML without anything that runs, loads, covers other things or is taken for a part of the page.

    Tags that are not closed are closed at the end. HTML that takes a parser too long is shown as it is written.
    """
    known = _UNKNOWN_TAG.sub(rf"\1{_UNKNOWN_PREFIX}", _NO_TEXT.sub("", html))
    if is_tangled(known):
        return f"<p>{TANGLED}</p><pre>{escape(html)}</pre>"
    return _without_active_tex(_CLEANER.clean(divide_text(known, _DROPPED_ELEMENT)))


def disarm_tex(text: str) -> str:
    """Return the text with a mark in each TeX command that could do more than set a formula, which then is an error."""
    return _ACTIVE_TEX.sub(rf"\\{_WORD_JOINER}", text)


def _without_active_tex(html: str) -> str:
    """Disarm the TeX in HTML that nh3 wrote, but not in code, where no formula is set and somebody may copy it."""
    parts = _CODE.split(html)
    return "".join(part if place % 2 else disarm_tex(part) for place, part in enumerate(parts))


def _filter_attribute(_tag: str, name: str, value: str) -> str | None:
    """Return what may stay of an attribute's value, or None."""
    if name == "style":
        return _filter_style(value)
    if name == "src":
        return value if _RASTER_IMAGE.fullmatch(value) else None
    if name == "href":
        return _filter_link(value)
    if name in ("height", "width") and not re.fullmatch(r"\d{1,4}(?:px|%)?", value):
        return None
    return value


def _filter_link(address: str) -> str | None:
    """Return the address of a place in the same text or of another site; relative ones would be pages of formgrader."""
    if address.startswith("#"):
        return f"#{ID_PREFIX}{address[1:]}"
    return address if _OUTSIDE_LINK.fullmatch(address) else None


def _filter_style(style: str) -> str | None:
    kept = [
        declaration.strip()
        for declaration in style.split(";")
        for name, _, value in [declaration.partition(":")]
        if name.strip().lower() in _STYLES and _STYLE_VALUE.fullmatch(value.strip())
    ]
    return "; ".join(kept) or None


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_filter_attribute,
    allowed_classes=_CLASSES,
    set_tag_attribute_values={"input": {"disabled": "", "type": "checkbox"}},  # of a task list
    url_schemes={"data", "http", "https", "mailto"},
    id_prefix=ID_PREFIX,
)
