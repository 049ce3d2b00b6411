"""Results of a class and a roster -> grades. A submission that may belong to several students is given to none."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.evaluation.report import Report
from autograder.formats.lms.grade_columns import Grade, Student, report_totals
from autograder.formats.totals import Total

# Names of columns in Canvas's gradebook, Moodle's grading worksheet and list of participants, and rosters made by hand.
COLUMN_ALIASES: Mapping[str, tuple[str, ...]] = {
    "name": ("student", "name", "full name"),
    "first": ("first name", "firstname", "given name"),
    "last": ("last name", "lastname", "surname", "family name"),
    "id": ("id", "canvas id", "user id", "identifier"),
    "sis_id": ("sis user id", "id number", "idnumber", "student id"),
    "login": ("sis login id", "username", "login", "login id"),
    "email": ("email address", "email", "e-mail"),
    "section": ("section", "group", "groups"),
    "submission": ("submission",),
}


class RosterError(Exception):
    """A roster that cannot be used: one sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class RosterEntry:
    """A student of the roster, and the submission that they had a part in, if the roster says so."""

    student: Student
    submission: str = ""

    @property
    def display_name(self) -> str:
        """The name, or else another identity."""
        student = self.student
        return student.name or student.login or student.email or student.sis_id or student.id

    @property
    def match_keys(self) -> frozenset[str]:
        """Everything that the student's submission may be called, normalized."""
        student = self.student
        identities = (student.id, student.sis_id, student.login, student.email, *_name_variants(student.name))
        return frozenset(filter(None, map(_normalize_text, identities)))

    @property
    def canvas_names(self) -> frozenset[str]:
        """The name as Canvas writes it into names of files, in either order."""
        return frozenset(filter(None, map(_alphanumerics, _name_variants(self.student.name))))


@dataclass(frozen=True)
class RosterMatch:
    """The grades of the whole roster, in its order, and what did not match, each as text for the instructor.

    `missing` students have no submission, `unknown` submissions no student; `ambiguous` says where several match.
    """

    grades: tuple[Grade, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]


def read_roster(path: Path) -> list[RosterEntry]:
    """Read the students of a CSV file with commas, semicolons or tabs. Raises RosterError.

    Rows that are no student are left out, such as "Points Possible" in Canvas's file.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError(f"{path} is not UTF-8: save it as CSV UTF-8.") from None
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}.") from None
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise RosterError(f"{path} is not a CSV file ({error}): export it again.") from None
    columns = _find_columns(rows[0] if rows else [])
    if not columns.keys() & {"name", "first", "last", "id", "sis_id", "login", "email"}:
        accepted_names = ", ".join(sorted(names[0] for names in COLUMN_ALIASES.values()))
        raise RosterError(
            f"{path} has no column that tells students apart: "
            f"its first line must name at least one of {accepted_names}."
        )
    entries = [_make_entry({key: row[at].strip() for key, at in columns.items() if at < len(row)}) for row in rows[1:]]
    return [entry for entry in entries if entry.display_name and "points possible" not in entry.student.name.casefold()]


def match_roster(
    reports: Sequence[Report], roster: Sequence[RosterEntry], totals: Mapping[str, Total] | None = None
) -> RosterMatch:
    """Give every student of the roster the report of the submission that is theirs alone, and its total.

    Without `totals` by submission, those are the automatic points.
    """
    totals = report_totals(reports) if totals is None else totals
    index = _RosterIndex(roster)
    owners = [index.find_owners(report.submission) for report in reports]
    owned_by = defaultdict[int, list[int]](list)
    for number, positions in enumerate(owners):
        for position in positions:
            owned_by[position].append(number)
    grades, missing, ambiguous = [], [], []
    for position, entry in enumerate(roster):
        owned = owned_by[position]
        names = ", ".join(sorted(reports[number].submission for number in owned))
        # A roster may give one submission to a whole group; otherwise two owners are two students of one name.
        is_shared = not entry.submission and any(len(owners[number]) > 1 for number in owned)
        if len(owned) > 1:
            ambiguous.append(f"{entry.display_name} has several submissions: {names}")
        elif is_shared:
            ambiguous.append(f"{names} may be of {entry.display_name}, and of others of that name")
        elif not owned:
            missing.append(entry.display_name)
        report = reports[owned[0]] if len(owned) == 1 and not is_shared else None
        grades.append(Grade(entry.student, report, totals[report.submission]) if report else Grade(entry.student))
    unknown = tuple(report.submission for report, positions in zip(reports, owners, strict=True) if not positions)
    return RosterMatch(tuple(grades), tuple(missing), unknown, tuple(ambiguous))


class _RosterIndex:
    """Finds the entries of a roster, as positions in it, that a submission may belong to."""

    def __init__(self, roster: Sequence[RosterEntry]) -> None:
        self._has_name = [bool(entry.canvas_names) for entry in roster]
        self._by_submission: defaultdict[str, list[int]] = defaultdict(list)
        self._by_identity: defaultdict[str, list[int]] = defaultdict(list)
        self._by_number: defaultdict[str, list[int]] = defaultdict(list)
        self._by_canvas_name: defaultdict[str, list[int]] = defaultdict(list)
        for position, entry in enumerate(roster):
            if submission := _normalize_text(entry.submission):  # then it is found by that alone
                self._by_submission[submission].append(position)
                continue
            self._by_number[_normalize_text(entry.student.id).removeprefix("participant ")].append(position)
            for key in entry.match_keys:
                self._by_identity[key].append(position)
            for name in entry.canvas_names:
                self._by_canvas_name[name].append(position)

    def find_owners(self, submission: str) -> list[int]:
        """Return the positions of those whom a submission belongs to, or may belong to; the surest match decides."""
        # 1. The roster names the submission, or it is called like a student: by name, login, e-mail address or number.
        name = _normalize_text(submission)
        if positions := self._by_submission.get(name) or self._by_identity.get(name):
            return positions
        # 2. In a download of Canvas or Moodle it is called NAME_NUMBER, or NUMBER alone.
        match = re.fullmatch(r"(?:(.*)_)?(\d+)", submission, re.DOTALL)
        if not match:
            return []
        name, number = match[1] or "", match[2]
        if positions := self._by_submission.get(_normalize_text(name)):
            return positions
        # The number decides, unless the roster has another name for it: numbers of two systems may coincide.
        with_name = self._by_canvas_name.get(_alphanumerics(name), [])
        # Moodle puts the name of a group and a hyphen in front of the student's.
        ends = [name[at + 1 :] for at, character in enumerate(name) if character == "-"]
        with_end = [at for end in ends for at in self._by_canvas_name.get(_alphanumerics(end), [])]
        with_number = self._by_number.get(number, [])
        agreeing = [at for at in with_number if at in (*with_name, *with_end) or not name or not self._has_name[at]]
        return agreeing or with_name


def _normalize_text(text: str) -> str:
    """Return text as it is compared: in one Unicode form, without case, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _alphanumerics(text: str) -> str:
    return "".join(character for character in _normalize_text(text) if character.isalnum())


def _name_variants(name: str) -> list[str]:
    """Return the name, and of "Lovelace, Ada" also "Ada Lovelace"."""
    last, comma, first = name.partition(",")
    return [name, f"{first.strip()} {last.strip()}"] if comma else [name]


def _find_columns(header: Sequence[str]) -> dict[str, int]:
    """Return the position of each column that we know; of several names the first in COLUMN_ALIASES counts."""
    cells = [_normalize_text(cell) for cell in header]
    matches = {key: [name for name in names if name in cells] for key, names in COLUMN_ALIASES.items()}
    return {key: cells.index(names[0]) for key, names in matches.items() if names}


def _make_entry(cells: Mapping[str, str]) -> RosterEntry:
    name = cells.get("name") or " ".join(filter(None, (cells.get("first"), cells.get("last"))))
    other_fields = {key: cells.get(key, "") for key in ("id", "sis_id", "login", "email", "section")}
    return RosterEntry(Student(name=name, **other_fields), cells.get("submission", ""))
