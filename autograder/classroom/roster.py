"""Results of a class and a roster -> grades: who is who, who is missing, who is unknown. Nobody is guessed."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.evaluation.report import Report
from autograder.formats.lms.grade_columns import Grade, Student

# What the columns of Canvas's gradebook, Moodle's grading worksheet and list of participants, and a roster made by hand
# are called, for each thing that we know of a student.
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
    """A student of the roster, and the submission that they had a part in, where the roster says so."""

    student: Student
    submission: str = ""

    @property
    def display_name(self) -> str:
        """The name, or what else there is to call them by."""
        one = self.student
        return one.name or one.login or one.email or one.sis_id or one.id

    @property
    def match_keys(self) -> frozenset[str]:
        """All that a submission of theirs may be called, in one spelling."""
        one = self.student
        told = [one.id, one.sis_id, one.login, one.email, one.name, *_swap_comma_name(one.name)]
        return frozenset(_normalize_text(key) for key in told if key)

    @property
    def canvas_names(self) -> frozenset[str]:
        """The name as Canvas writes it into names of files, in either order."""
        return frozenset(
            _alphanumerics(name)
            for name in (self.student.name, *_swap_comma_name(self.student.name))
            if _alphanumerics(name)
        )


@dataclass(frozen=True)
class RosterMatch:
    """The grades of the whole roster, in its order; and what did not come out even, each as it is to be told.

    `missing` students have no submission, `unknown` submissions no student; of the `ambiguous` ones there is more than
    one possibility, and none was taken.
    """

    grades: tuple[Grade, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]


def read_roster(path: Path) -> list[RosterEntry]:
    """The students of a CSV file with commas, semicolons or tabs. Raises RosterError.

    Lines that are no student, as "Points Possible" in a file of Canvas, are left out.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError(f"{path} is not UTF-8: save it as CSV UTF-8.") from None
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}.") from None
    header_line = text.partition("\n")[0]
    rows = list(csv.reader(text.splitlines(), delimiter=max(",;\t", key=header_line.count)))
    columns = _find_columns(rows[0] if rows else [])
    if not columns.keys() & {"name", "first", "last", "id", "sis_id", "login", "email"}:
        accepted_names = ", ".join(sorted(names[0] for names in COLUMN_ALIASES.values()))
        raise RosterError(
            f"{path} has no column that tells students apart: its first line must name some of {accepted_names}."
        )
    entries = [_make_entry({key: row[at].strip() for key, at in columns.items() if at < len(row)}) for row in rows[1:]]
    return [one for one in entries if one.display_name and "points possible" not in one.student.name.casefold()]


def match_roster(reports: Sequence[Report], roster: Sequence[RosterEntry]) -> RosterMatch:
    """Give everybody of the roster the report of their submission: as the roster says, else by whom it is called."""
    grades: list[Grade] = []
    missing, ambiguous = [], []
    assigned: set[int] = set()
    owners = _find_owners(reports, roster)
    for entry_index, entry in enumerate(roster):
        report_indices = [at for at, members in owners.items() if entry_index in members]
        submission_names = ", ".join(sorted(reports[at].submission for at in report_indices))
        shared_indices = [at for at in report_indices if len(owners[at]) > 1 and not entry.submission]
        assigned.update(report_indices)
        if len(report_indices) > 1:
            ambiguous.append(f"{entry.display_name} has several submissions: {submission_names}")
        elif shared_indices:
            ambiguous.append(f"{submission_names} may be of {entry.display_name}, and of others of that name")
        elif not report_indices:
            missing.append(entry.display_name)
        grades.append(
            Grade(
                entry.student, reports[report_indices[0]] if len(report_indices) == 1 and not shared_indices else None
            )
        )
    unknown = [report.submission for at, report in enumerate(reports) if at not in assigned]
    return RosterMatch(tuple(grades), tuple(missing), tuple(unknown), tuple(ambiguous))


def _find_owners(reports: Sequence[Report], roster: Sequence[RosterEntry]) -> dict[int, list[int]]:
    """For each submission the places in the roster of those whose it is or may be."""
    submission_index, identity_index, number_index, name_index = (
        _RosterIndex(),
        _RosterIndex(),
        _RosterIndex(),
        _RosterIndex(),
    )
    for entry_index, entry in enumerate(roster):
        if entry.submission:
            submission_index.add(entry_index, _normalize_text(entry.submission))
            continue
        identity_index.add(entry_index, *entry.match_keys)
        number_index.add(entry_index, _normalize_text(entry.student.id).removeprefix("participant "))
        name_index.add(entry_index, *entry.canvas_names)
    owners = {}
    for report_index, report in enumerate(reports):
        submission_name = _normalize_text(report.submission)
        owners[report_index] = submission_index.get(submission_name) or identity_index.get(submission_name)
        # in a download it is NAME_NUMBER: the number tells whose it is, unless the name says otherwise
        if not owners[report_index] and (
            name_and_number := re.fullmatch(r"(?:(.*)_)?(\d+)", report.submission, re.DOTALL)
        ):
            name, number = name_and_number[1] or "", name_and_number[2]
            name_matches = name_index.get(_alphanumerics(name)) if name else []
            number_matches = [
                place
                for place in number_index.get(number)
                if place in name_matches or not name or not roster[place].canvas_names
            ]
            owners[report_index] = submission_index.get(_normalize_text(name)) or number_matches or name_matches
    return owners


class _RosterIndex:
    """Places in a roster by what is said there."""

    def __init__(self) -> None:
        self._positions: dict[str, list[int]] = {}

    def add(self, position: int, *keys: str) -> None:
        for key in filter(None, keys):
            self._positions.setdefault(key, []).append(position)

    def get(self, key: str) -> list[int]:
        return self._positions.get(key, [])


def _normalize_text(text: str) -> str:
    """One spelling of what people and file systems write in several: composed, without case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _alphanumerics(text: str) -> str:
    return "".join(character for character in _normalize_text(text) if character.isalnum())


def _swap_comma_name(name: str) -> list[str]:
    """ "Lovelace, Ada" is Ada Lovelace."""
    last, comma, first = name.partition(",")
    return [f"{first.strip()} {last.strip()}"] if comma else []


def _find_columns(header: Sequence[str]) -> dict[str, int]:
    normalized_header = [_normalize_text(cell) for cell in header]
    positions_by_key = {
        key: [normalized_header.index(name) for name in names if name in normalized_header]
        for key, names in COLUMN_ALIASES.items()
    }
    return {key: places[0] for key, places in positions_by_key.items() if places}


def _make_entry(cells: Mapping[str, str]) -> RosterEntry:
    name = cells.get("name") or " ".join(filter(None, (cells.get("first"), cells.get("last"))))
    other_fields = {key: cells.get(key, "") for key in ("id", "sis_id", "login", "email", "section")}
    return RosterEntry(Student(name=name, **other_fields), cells.get("submission", ""))
