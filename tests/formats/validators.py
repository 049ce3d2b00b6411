"""What each host accepts, restated from its own document: one function per format.

Each raises AssertionError if the host would refuse the text, misread it, or obey something in it. It returns (score,
maximum, points of each check, maximum of each check) in our points, or None if the text holds none.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import jsonschema
from junitparser import JUnitXml

Numbers = tuple[Decimal, Decimal, list[Decimal], list[Decimal]]


def no_control_characters(text: str) -> None:
    """Check that no terminal or parser obeys the text, and that it can be written as UTF-8."""
    text.encode()
    unexpected = {c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n"}
    assert unexpected == set()
    assert set(text).isdisjoint("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def no_commands_of_ci(text: str) -> None:
    """Check that GitHub Actions and Azure obey no line: ::name ...:: and ##[name] are commands at a line's start."""
    assert re.search(r"(?m)^\s*(::[A-Za-z-]+.*::|##\[)", text) is None


def strict_json(text: str) -> Any:
    """Return JSON of RFC 8259: without NaN, no key twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=unique)


def exactly(value: dict[str, Any], required: set[str], optional: frozenset[str] | set[str] = frozenset()) -> None:
    """Check that an object has the required keys, and others only if they are optional."""
    assert required <= value.keys() <= required | set(optional)


def number(value: Any) -> Decimal:
    """Return a JSON number that is not negative."""
    assert isinstance(value, int | Decimal)
    assert not isinstance(value, bool)
    assert value >= 0
    return Decimal(value)


def text(text: str) -> None:
    """Lines for a terminal."""
    no_control_characters(text)


def report_json(text: str) -> Numbers | None:
    """Our own JSON, by the schema in the package."""
    no_control_characters(text)
    schema = json.loads(files("autograder.formats").joinpath("schemas/report-1.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(text), schema, jsonschema.Draft202012Validator)
    value = strict_json(text)
    if isinstance(value, list) or not value["checks"]:
        return None
    checks = value["checks"]
    score, max_score = Decimal(value["score"]), Decimal(value["max_score"])
    return score, max_score, [Decimal(c["points"]) for c in checks], [Decimal(c["max_points"]) for c in checks]


def markdown(text: str) -> None:
    """GitHub-flavoured Markdown: what others wrote stands in code, all blocks are closed, tables keep their columns."""
    no_control_characters(text)
    fence: str | None = None
    columns = 0
    for line in text.split("\n"):
        ticks = re.match(r"`{3,}", line)
        if fence:
            fence = None if line == fence else fence
        elif ticks and "`" not in line[ticks.end() :]:
            fence = ticks[0]
        else:
            bare = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", line)
            bare = re.sub(r"\\[^\w\s]", "", bare)
            assert re.search(r"[<>&@]|\*\*\w+\*\* bold|!\[", bare) is None, line
            cells = len(re.findall(r"(?<!\\)\|", line))
            assert not line.startswith("|") or columns in (0, cells), line
            columns = cells if line.startswith("|") else 0
    assert fence is None


def html(text: str) -> None:
    """Strict HTML that loads nothing and runs nothing."""
    no_control_characters(text)
    html5lib.HTMLParser(strict=True).parse(text)
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    tags = {element.tag for element in tree.iter()}
    assert tags.isdisjoint({"script", "img", "iframe", "object", "embed", "link", "form", "base"})
    for element in tree.iter():
        assert not any(name.startswith("on") for name in element.attrib)
        assert element.get("href", "#").startswith("#")
        assert "src" not in element.attrib
        assert "url(" not in element.get("style", "")
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert "prefers-color-scheme: dark" in text


def junit(text: str) -> Numbers | None:
    """What pytest writes and CI services read: counts that agree, attributes of the schema, points as properties."""
    no_control_characters(text)
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    allowed = {
        "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
        "testcase": {"name", "classname", "time"},
        "failure": {"type", "message"},
        "error": {"type", "message"},
        "property": {"name", "value"},
    }
    for element in root.iter():
        assert element.attrib.keys() <= allowed.get(element.tag, {"name", "tests", "failures", "errors", "time"})
        assert "time" in element.attrib or not element.tag.startswith("test")
        assert element.tag in {"testsuites", "properties", "system-out", *allowed}
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases) > 0
        for tag, count in (("failure", "failures"), ("error", "errors")):
            assert int(suite.get(count, "")) == sum(case.find(tag) is not None for case in cases)
    for count in ("tests", "failures", "errors"):
        assert int(root.get(count, "")) == sum(int(suite.get(count, "")) for suite in root)
    read = JUnitXml.fromstring(text.encode())
    assert (read.tests, read.failures) == (int(root.get("tests", "")), int(root.get("failures", "")))
    if len(root) != 1 or root[0][0][2].get("value") != "graded":
        return None
    totals = {item.get("name"): item.get("value", "") for item in root[0].findall("properties/property")}
    scores = [
        {item.get("name"): item.get("value", "") for item in case.findall("properties/property")}
        for case in root[0].findall("testcase")
    ]
    points, max_points = ([Decimal(score[name]) for score in scores] for name in ("points", "max_points"))
    return Decimal(totals["score"]), Decimal(totals["max_score"]), points, max_points


def github(text: str) -> None:
    """Workflow commands alone: known kinds and properties, values escaped, ten of a kind."""
    no_control_characters(text)
    kinds = []
    for line in text.removesuffix("\n").split("\n"):
        command = re.fullmatch(r"::(error|notice|warning) ([^:]*)::(.*)", line)
        assert command, line
        kinds.append(command[1])
        for item in command[2].split(","):
            assert re.fullmatch(r"(file|title)=[^\r\n:,]+", item), line
        assert re.search(r"%(?!25|0D|0A|3A|2C)", command[2] + command[3]) is None
        assert len(command[3]) < 64_000
    assert max(kinds.count(kind) for kind in kinds) <= 10


def gradescope(text: str) -> Numbers | None:
    """The autograder specification of Gradescope."""
    no_control_characters(text)
    visibilities = {"hidden", "after_due_date", "after_published", "visible"}
    formats = {"text", "html", "simple_format", "md", "ansi"}
    value = strict_json(text)
    optional = {"score", "execution_time", "output", "visibility", "stdout_visibility", "extra_data", "leaderboard"}
    exactly(value, {"tests"}, optional | {"output_format", "test_output_format", "test_name_format"})
    assert value["stdout_visibility"] == "hidden"
    assert value["visibility"] in visibilities
    assert {value[name] for name in ("output_format", "test_output_format", "test_name_format")} <= formats
    assert isinstance(value["extra_data"], dict)
    for test in value["tests"]:
        optional = {"status", "name", "name_format", "number", "output", "output_format", "tags", "extra_data"}
        exactly(test, {"score", "max_score"}, optional | {"visibility"})
        assert number(test["score"]) <= number(test["max_score"])
        assert test["status"] in ("passed", "failed")
        assert test["visibility"] in visibilities
        assert all(isinstance(test[name], str) for name in ("name", "number", "output"))
        assert all(isinstance(tag, str) for tag in test["tags"])
    if "score" not in value or not value["tests"]:
        return None
    tests = value["tests"]
    max_points = [number(test["max_score"]) for test in tests]
    return number(value["score"]), sum(max_points, Decimal()), [number(test["score"]) for test in tests], max_points


def prairielearn(text: str) -> Numbers | None:
    """The guide to external grading of PrairieLearn."""
    no_control_characters(text)
    assert len(text.encode()) <= 1_000_000
    value = strict_json(text)
    exactly(value, {"score"}, {"gradable", "format_errors", "message", "output", "images", "tests"})
    assert 0 <= number(value["score"]) <= 1
    if not value["gradable"]:
        errors = value["format_errors"]
        assert errors
        assert all(isinstance(error, str) for error in errors)
        return None
    for test in value["tests"]:
        exactly(test, {"name", "points", "max_points"}, {"description", "message", "output", "images"})
        assert number(test["points"]) <= number(test["max_points"])
        assert all(isinstance(test[name], str) for name in ("name", "description", "message"))
    points, max_points = ([number(test[name]) for test in value["tests"]] for name in ("points", "max_points"))
    total = sum(max_points, Decimal())
    return (Decimal(float(value["score"])) * total).quantize(Decimal("1e-6")), total, points, max_points


def classroom50(text: str) -> Numbers | None:
    """Classroom 50's schema of a result, and what its runner checks beyond it. Points come in hundredths."""
    no_control_characters(text)
    value = strict_json(text)
    strings = {"schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release"}
    required = {*strings, "review", "datetime", "score", "max-score", "tests"}
    exactly(value, required, {"graded_at", "submitted_by"})
    assert value["schema"] == "classroom50/result/v1"
    assert value["assignment_type"] in ("individual", "group")
    assert all(isinstance(value[name], str) and value[name] for name in (*strings, "review"))
    assert value["submission"].startswith("submit/")
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", value["datetime"])
    for scored in (value, *value["tests"]):
        assert type(scored["score"]) is int
        assert type(scored["max-score"]) is int
        assert 0 <= scored["score"] <= scored["max-score"]
    for test in value["tests"]:
        exactly(test, {"test-name", "passed", "score", "max-score"}, {"message"})
        assert test["test-name"]
        assert isinstance(test["passed"], bool)
    if not value["tests"]:
        return None
    points, max_points = ([Decimal(test[name]) for test in value["tests"]] for name in ("score", "max-score"))
    return Decimal(value["score"]), Decimal(value["max-score"]), points, max_points


def table(text: str) -> list[list[str]]:
    """Return the rows of a CSV file: all have as many cells, none of which a spreadsheet would run."""
    no_control_characters(text)
    rows = list(csv.reader(io.StringIO(text), strict=True))
    assert len({len(row) for row in rows}) == 1
    for cell in (cell for row in rows for cell in row):
        visible = unicodedata.normalize("NFKC", "".join(c for c in cell if unicodedata.category(c) != "Cf")).strip()
        assert not visible.startswith(("=", "+", "-", "@")) or re.fullmatch(r"-|-?[\d.]+", cell), cell
    return rows


def class_csv(text: str) -> None:
    """A row per submission, in which the points of the functions add up to the score."""
    head, *rows = table(text)
    assert (head[:2], head[-3:]) == (["submission", "status"], ["score", "max_score", "notes"])
    for row in rows:
        points = [Decimal(cell) for cell in row[2:-3] if cell]
        assert not row[-3] or abs(sum(points, Decimal()) - Decimal(row[-3])) < Decimal("0.005")


def canvas(text: str) -> None:
    """The header and the row of points possible that Canvas's importer requires."""
    head, possible, *rows = table(text)
    assert "Student" in head[0]
    assert "ID" in head[1]
    assert re.search(r"SIS\s+User\s+ID", head[2])
    assert re.search(r"SIS\s+Login\s+ID", head[3])
    assert "Section" in head[4]
    assert len(head) == 6
    assert possible[0] == "    Points Possible"
    for row in rows:
        assert "Points Possible" not in row[0]
        assert row[5] in ("", "-") or 0 <= Decimal(row[5]) <= Decimal(possible[5])


def moodle(text: str) -> None:
    """A header in one line, an identity, grades that are numbers or empty."""
    head, *rows = table(text)
    assert head[:4] == ["Full name", "Username", "ID number", "Email address"]
    assert len(set(head)) == len(head) == 6
    for row in rows:
        assert row[4] == "" or Decimal(row[4]) >= 0


VALIDATORS: dict[str, Callable[[str], Numbers | None]] = {
    "text": text,
    "json": report_json,
    "markdown": markdown,
    "html": html,
    "junit": junit,
    "github": github,
    "gradescope": gradescope,
    "prairielearn": prairielearn,
    "classroom50": classroom50,
    "csv": class_csv,
    "canvas": canvas,
    "moodle": moodle,
}


def assert_totals_add_up(numbers: Numbers) -> None:
    """Check that the totals are the sums of the parts, to the hundredth."""
    score, max_score, points, max_points = numbers
    assert abs(score - sum(points, Decimal())) < Decimal("0.005")
    assert abs(max_score - sum(max_points, Decimal())) < Decimal("0.005")


def validate(name: str, text: str) -> Numbers | None:
    """Validate a text of a format, and that its totals add up; return its numbers."""
    if name != "github":
        no_commands_of_ci(text)
    numbers = VALIDATORS[name](text)
    if numbers:
        assert_totals_add_up(numbers)
    return numbers
