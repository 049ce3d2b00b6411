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
COLUMNS: Mapping[str, tuple[str, ...]] = {
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
class Member:
    """A student of the roster, and the submission that they had a part in, where the roster says so."""

    student: Student
    submission: str = ""

    @property
    def called(self) -> str:
        """The name, or what else there is to call them by."""
        one = self.student
        return one.name or one.login or one.email or one.sis_id or one.id

    @property
    def keys(self) -> frozenset[str]:
        """All that a submission of theirs may be called, in one spelling."""
        one = self.student
        told = [one.id, one.sis_id, one.login, one.email, one.name, *_turned(one.name)]
        return frozenset(_spelled(key) for key in told if key)

    @property
    def letters(self) -> frozenset[str]:
        """The name as Canvas writes it into names of files, in either order."""
        return frozenset(_letters(name) for name in (self.student.name, *_turned(self.student.name)) if _letters(name))


@dataclass(frozen=True)
class Matched:
    """The grades of the whole roster, in its order; and what did not come out even, each as it is to be told.

    `missing` students have no submission, `unknown` submissions no student; of the `doubtful` ones there is more than
    one possibility, and none was taken.
    """

    grades: tuple[Grade, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    doubtful: tuple[str, ...]


def read_roster(path: Path) -> list[Member]:
    """The students of a CSV file with commas, semicolons or tabs. Raises RosterError.

    Lines that are no student, as "Points Possible" in a file of Canvas, are left out.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError(f"{path} is not UTF-8: save it as CSV UTF-8.") from None
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}.") from None
    first = text.partition("\n")[0]
    rows = list(csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count)))
    places = _places(rows[0] if rows else [])
    if not places.keys() & {"name", "first", "last", "id", "sis_id", "login", "email"}:
        known = ", ".join(sorted(names[0] for names in COLUMNS.values()))
        raise RosterError(f"{path} has no column that tells students apart: its first line must name some of {known}.")
    members = [_member({key: row[at].strip() for key, at in places.items() if at < len(row)}) for row in rows[1:]]
    return [one for one in members if one.called and "points possible" not in one.student.name.casefold()]


def match(reports: Sequence[Report], roster: Sequence[Member]) -> Matched:
    """Give everybody of the roster the report of their submission: as the roster says, else by whom it is called."""
    grades: list[Grade] = []
    missing, doubtful = [], []
    taken: set[int] = set()
    owners = _owners(reports, roster)
    for place, member in enumerate(roster):
        own = [at for at, members in owners.items() if place in members]
        names = ", ".join(sorted(reports[at].submission for at in own))
        shared = [at for at in own if len(owners[at]) > 1 and not member.submission]
        taken.update(own)
        if len(own) > 1:
            doubtful.append(f"{member.called} has several submissions: {names}")
        elif shared:
            doubtful.append(f"{names} may be of {member.called}, and of others of that name")
        elif not own:
            missing.append(member.called)
        grades.append(Grade(member.student, reports[own[0]] if len(own) == 1 and not shared else None))
    unknown = [report.submission for at, report in enumerate(reports) if at not in taken]
    return Matched(tuple(grades), tuple(missing), tuple(unknown), tuple(doubtful))


def _owners(reports: Sequence[Report], roster: Sequence[Member]) -> dict[int, list[int]]:
    """For each submission the places in the roster of those whose it is or may be."""
    said, called, numbers, names = _Index(), _Index(), _Index(), _Index()
    for place, member in enumerate(roster):
        if member.submission:
            said.add(place, _spelled(member.submission))
            continue
        called.add(place, *member.keys)
        numbers.add(place, _spelled(member.student.id).removeprefix("participant "))
        names.add(place, *member.letters)
    owners = {}
    for at, report in enumerate(reports):
        own = _spelled(report.submission)
        owners[at] = said.get(own) or called.get(own)
        # in a download it is NAME_NUMBER: the number tells whose it is, unless the name says otherwise
        if not owners[at] and (numbered := re.fullmatch(r"(?:(.*)_)?(\d+)", report.submission, re.DOTALL)):
            name, number = numbered[1] or "", numbered[2]
            by_name = names.get(_letters(name)) if name else []
            by_number = [
                place for place in numbers.get(number) if place in by_name or not name or not roster[place].letters
            ]
            owners[at] = said.get(_spelled(name)) or by_number or by_name
    return owners


class _Index:
    """Places in a roster by what is said there."""

    def __init__(self) -> None:
        self._places: dict[str, list[int]] = {}

    def add(self, place: int, *keys: str) -> None:
        for key in filter(None, keys):
            self._places.setdefault(key, []).append(place)

    def get(self, key: str) -> list[int]:
        return self._places.get(key, [])


def _spelled(text: str) -> str:
    """One spelling of what people and file systems write in several: composed, without case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _letters(text: str) -> str:
    return "".join(character for character in _spelled(text) if character.isalnum())


def _turned(name: str) -> list[str]:
    """ "Lovelace, Ada" is Ada Lovelace."""
    last, comma, first = name.partition(",")
    return [f"{first.strip()} {last.strip()}"] if comma else []


def _places(header: Sequence[str]) -> dict[str, int]:
    spelled = [_spelled(cell) for cell in header]
    found = {key: [spelled.index(name) for name in names if name in spelled] for key, names in COLUMNS.items()}
    return {key: places[0] for key, places in found.items() if places}


def _member(told: Mapping[str, str]) -> Member:
    name = told.get("name") or " ".join(filter(None, (told.get("first"), told.get("last"))))
    rest = {key: told.get(key, "") for key in ("id", "sis_id", "login", "email", "section")}
    return Member(Student(name=name, **rest), told.get("submission", ""))
