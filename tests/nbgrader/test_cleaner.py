"""What is left of HTML that a student wrote, and how a notebook of honest work looks after it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("nbconvert", reason="nbgrader is not installed: make test installs it")
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from autograder.evaluation.report import CheckResult
from autograder.formats.pages.feedback_page import render_function
from autograder.nbgrader.rendering.cleaner import TANGLED, clean, disarm_tex
from autograder.student.feedback import ErrorMap, Feedback

ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HONEST_TEXT = f"""
Three *ways* lead to $x_{{<t}}$, see [there](https://example.org/a?b=1&c=2), and `a &= b` in code.

$$\\begin{{aligned}} a &= b \\\\ c &< d \\end{{aligned}}$$

| a | b |
|:-:|--:|
| 1 | `2` |

- [x] derived
- [ ] programmed

```python
def f(x): return x & 1 < 2
```

<details><summary>More</summary><b>bold</b> H<sub>2</sub>O <mark>here</mark></details>

![plot](data:image/png;base64,{ONE_PIXEL}) ![drawn](attachment:drawn.png)
"""


def page(exporter: Any, notebook: Any) -> Any:
    """Return the body of the page that an exporter makes with the template of feedback, without its ids."""
    from bs4 import BeautifulSoup
    from traitlets.config import Config

    html, _ = exporter(config=Config(HTMLExporter={"template_name": "classic"})).from_notebook_node(notebook)
    body = BeautifulSoup(html, "html5lib").body  # as a browser reads it
    for element in body.find_all(True):
        for name in ("id", "rel"):
            del element[name]
    return body


def test_honest_work_has_the_same_elements_and_text_as_in_a_stock_page() -> None:
    from nbconvert.exporters import HTMLExporter

    from autograder.nbgrader.rendering.exporter import CleaningExporter

    outputs = [
        new_output("stream", text="\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m <b> & more\n"),
        new_output("display_data", data={"image/png": ONE_PIXEL}, metadata={"image/png": {"width": 40}}),
        new_output(
            "execute_result", data={"text/html": '<table border="1" class="dataframe"><tr><td>1</td></tr></table>'}
        ),
        new_output("error", ename="E", evalue="e", traceback=["\x1b[0;31mValueError\x1b[0m: <x>"]),
    ]
    notebook = new_notebook(
        cells=[
            new_markdown_cell(HONEST_TEXT, attachments={"drawn.png": {"image/png": ONE_PIXEL}}),
            new_code_cell("def f(x):\n    return x < 3 & 1  # done", execution_count=3, outputs=outputs),
            new_code_cell("not run"),
            new_raw_cell("raw <b>text</b>"),
        ]
    )
    stock, cleaned = page(HTMLExporter, notebook), page(CleaningExporter, notebook)
    assert cleaned.get_text() == stock.get_text()
    assert [(tag.name, tag.attrs) for tag in cleaned.find_all(True)] == [
        (tag.name, tag.attrs) for tag in stock.find_all(True)
    ]


@pytest.mark.parametrize(
    ("link", "names"),
    [
        ("attachment:lost.png", ()),
        ("attachment:lost.png", ("lost.png",)),
        ("attachment:my%20plot.png", ("my plot.png",)),
        ("<attachment:my plot.png>", ("my plot.png",)),
        ("attachment:my%20plot.png", ("my%20plot.png",)),
        ("attachment:schön.png", ("schön.png",)),
    ],
)
def test_a_picture_of_a_cell_is_shown_and_a_lost_one_leaves_its_text(link: str, names: tuple[str, ...]) -> None:
    from autograder.nbgrader.rendering.exporter import CleaningExporter

    bundle = {"image/png": ONE_PIXEL} if link != "attachment:lost.png" else {}
    cell = new_markdown_cell(f"before ![a drawing]({link}) after", attachments=dict.fromkeys(names, bundle))
    picture = page(CleaningExporter, new_notebook(cells=[cell])).find("img")
    shown = {"src": f"data:image/png;base64,{ONE_PIXEL}"} if bundle else {}
    assert picture.attrs == {"alt": "a drawing"} | shown


def test_checks_of_this_kit_are_left_as_they_are() -> None:
    feedback = Feedback("f is wrong.", (("worst", "f[0]"),), ErrorMap("f", "T = 2", ((0.0, 0.5),), "Half is wrong."))
    wrong = CheckResult("f.value", "f", "The value", "fail", 0.0, 1.0, "f is wrong.", feedback=feedback)
    alike = replace(wrong, id="f.more", feedback=None, statement="For the same reason", detail="error 0.5")
    html = render_function([wrong, alike, replace(wrong, id="f.right", status="pass", points=1.0)])
    assert (
        clean(html).replace("<tbody>", "").replace("</tbody>", "").split()
        == html.replace("<details open>", '<details open="">').split()
    )


@pytest.mark.parametrize(
    "command",
    ["href", "url", "unicode", "require", "style", "class", "cssId", "data", "bbox", "mmlToken", "htmlId", "htmlStyle"],
)
def test_no_active_command_is_left_in_a_formula(command: str) -> None:
    assert f"\\{command}" not in clean(f"<p>$\\{command}{{javascript:x}}{{y}}$</p>")
    assert f"\\{command}" not in clean(f"<p>$\\{command[:1]}<wbr>{command[1:]}{{x}}$</p>")
    assert f"\\{command}" not in clean(f'<p title="&lt;code&gt;">$\\{command}{{x}}$</p><code>a</code>')
    assert f"\\{command}" not in disarm_tex(f"$\\{command}{{x}}$")


@pytest.mark.parametrize("text", [r"$\hrefs + \styled$", r"$\frac{a}{b} \\ \classes$", r"<code>\href{a}{b}</code>"])
def test_other_commands_and_code_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "style",
    [
        "position: fixed", "inset: 0", "top: -90px", "margin: -90px", "margin-left:-5em", "z-index: 9",
        "background: url(//outside.test)", "background: u\\72l(x)", "background: image-set('x' 1x)", "width: 900px",
        "padding: 99999px", "transform: scale(9)", "--x: 1", "color: var(--x)", "font-size: 999em",
    ],
)  # fmt: skip
def test_no_style_loads_or_covers_anything(style: str) -> None:
    assert clean(f'<p style="{style}">x</p>') == "<p>x</p>"
    assert clean(f'<p style="color: red; {style}">x</p>') == '<p style="color: red">x</p>'


@pytest.mark.parametrize(
    "address",
    [
        "javascript:x",
        "/formgrader/?path=x",
        "notes.html",
        "../api",
        "//outside.test",
        "data:text/html,x",
        "?a",
        "file:///x",
    ],
)
def test_a_link_leads_out_or_to_its_own_text_only(address: str) -> None:
    assert "href" not in clean(f'<a href="{address}">x</a>')
    assert 'href="#student-Way"' in clean('<a href="#Way">x</a>')


@pytest.mark.parametrize(
    "address",
    [
        "https://outside.test/x.png",
        "plot.png",
        "/formgrader/?path=x",
        "data:image/svg+xml;base64,AAAA",
        "data:text/html,x",
    ],
)
def test_an_image_is_in_the_notebook_and_made_of_pixels(address: str) -> None:
    assert clean(f'<img alt="plot" src="{address}">') == '<img alt="plot">'


ODD_ATTRIBUTES = [  # many in one tag, and what may hide that tag from who looks for one
    ("", "a{}=1"),
    ("", "a{}='"),
    ("", "a{0}=1/b{0}<c"),
    ("", "=a{}"),
    ("</p", "a{}"),
    ("<?<p a='>", "a{}"),
    ("</ <p a='>", "a{}"),
    ("<p a=\N{NO-BREAK SPACE}'>", "a{}"),
]
FORMATTING = "".join(f"<b id={number}>" for number in range(1000))


@pytest.mark.parametrize(
    "html",
    [
        f"<p>{FORMATTING}</p>" + "<p>x</p>" * 1000,
        f"<p>{FORMATTING}</p><table>" + "<tr>x" * 1000,
        "".join(f'<b id={number} title="</b>"><!--</b>--><style></b></style>' for number in range(1000))
        + "<p>x" * 1000,
        ("<p>" + "<b>" * 99 + "<p>x</p>" * 9000 + "</b>" * 99 + "</p>"),
        f"<p><b title='{'A' * 200_000}'></p>" + "<p>x</p>" * 400,
        f"<p><b title='<{'A' * 200_000}'></p>" + "<p>x</p>" * 400,
        f"<p><b title='{'A' * 9000}'>" + "<p>x</p>" * 9000 + "</b></p>",
        "<div>" * 9000,
        "<div>" * 9000 + "</div>" * 9000,
        "<span>" * 9000 + "</i>" * 9000,
        *(f"{before}<p {' '.join(map(attribute.format, range(9000)))}>x\"'" for before, attribute in ODD_ATTRIBUTES),
    ],
)
def test_tangled_tags_cost_no_more_than_their_length(html: str) -> None:
    cleaned = clean(html)
    assert cleaned.startswith(f"<p>{TANGLED}</p><pre>")
    assert len(cleaned) < 5 * len(html) + 1000


@pytest.mark.parametrize(
    "html",
    [
        '<table border="1" class="dataframe"><tbody>'
        + "<tr><td>1</td><td><b>2</b></td></tr>" * 9000
        + "</tbody></table>",
        "<pre>" + '<span class="n">x</span> &lt; <br>' * 9000 + "</pre>",
        '<p>a <em>b</em> <code>c</code> <strong><a title="x">d</a></strong></p>' * 9000,
        "<ol>" + "<li>a <code>b</code> <p>c <i>d</i>" * 900 + "</ol>",
        "<div><b><i>" * 9,
        f'<img src="data:image/png;base64,{"A" * 200_000}">' + "<p>if a < b" * 900,
    ],
)
def test_long_honest_html_is_shown(html: str) -> None:
    assert TANGLED not in clean(html)
    assert TANGLED not in clean(f"<style scoped>\n a > b {{ }}\n</style>{html}")


@pytest.mark.parametrize("text", ["&lt;", "&amp;b\n", '<span title="&amp; &lt;">a</span> &gt;'])
def test_a_long_text_takes_time_by_its_length_and_stays_as_it_is(text: str) -> None:
    html = f"<pre>a{text * (3_000_000 // len(text))}</pre>"
    start = time.process_time()
    assert clean(html) == html
    assert time.process_time() - start < 2


@pytest.mark.parametrize("end", ["</script/", "</SCRIPT "])
def test_a_script_that_does_not_end_takes_time_by_its_length(end: str) -> None:
    start = time.process_time()
    assert clean(f"text<script>{end * 100_000}") == "text"
    assert time.process_time() - start < 2


@pytest.mark.parametrize("name", ["int", "vector", "set", "text", "path", "svg", "math", "title", "double", "textarea"])
def test_text_behind_what_looks_like_a_tag_stays(name: str) -> None:
    assert clean(f"<p>a list<{name}> of <b>numbers</b></p><p>end</p>") == "<p>a list of <b>numbers</b></p><p>end</p>"


@pytest.mark.parametrize("html", ["<math><mi>x</mi></math>", "<svg><text>x</text></svg>", "<font color='red'>x</font>"])
def test_the_text_of_elements_that_are_not_shown_stays(html: str) -> None:
    assert clean(html) == "x"
    assert clean(f"<style>p {{}}</style><script>{html}</script>") == ""


@pytest.mark.parametrize("kind", ["png", "jpeg", "jpg", "gif", "webp", "PNG"])  # jpg is no name for it, but common
def test_a_picture_of_pixels_stays(kind: str) -> None:
    assert clean(f'<img src="data:image/{kind};base64,AAAA">') == f'<img src="data:image/{kind};base64,AAAA">'


@pytest.mark.parametrize(
    "opened", ["<b>", "<table><tr><td>", "<details>", "<!--", "<textarea>", "<style>", "<svg>", "</div></div>"]
)
def test_what_is_not_closed_ends_where_its_cell_ends(opened: str) -> None:
    from bs4 import BeautifulSoup

    html = f"<div><i>{clean(f'{opened}text')}</i></div><p>next</p>"
    assert [tag.name for tag in BeautifulSoup(html, "html5lib").body.find_all(True, recursive=False)] == ["div", "p"]
