"""What the worst files that are known cost the process that reads them: seconds of CPU and peak memory, as a table.

.venv/bin/python -m tests.fuzz.costs [WORD ...]      # all, or those whose names hold a word
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from autograder.classroom.roster import RosterError, match_roster, read_roster
from autograder.evaluation.report import Report
from autograder.nbgrader.intake.normalize import normalize_submission
from autograder.nbgrader.intake.timestamps import InvalidTimestamp, read_timestamp
from autograder.submission import archive
from autograder.submission.cells import MAX_CODE_CHARACTERS, MAX_CODE_LINES
from autograder.submission.global_reads import global_reads
from autograder.submission.notebook_json import MAX_RAW_BYTES, MAX_VALUES
from autograder.submission.reader import MAX_COPIES, SubmissionRefused, read_submission
from autograder.submission.safe_files import MAX_BYTES, UnreadableFileError
from autograder.submission.stub_lines import left_stub_lines
from tests.fuzz.targets import FUNCTIONS, HEAD, NAME, ROOT, released

TAIL = "]}"
CPU_SECONDS = 6  # after which a case is ended: far more than any needs


def fill(unit: str, size: int = MAX_BYTES - 2000) -> str:
    return unit * (size // len(unit.encode()))


def notebook(*cells: str) -> str:
    return f"{HEAD}{','.join(cells)}{TAIL}"


def cell(source: str, kind: str = "code", **fields: str) -> str:
    others = "".join(f', "{name}": {value}' for name, value in fields.items())
    return f'{{"cell_type": "{kind}", "metadata": {{}}, "source": {json.dumps(source, ensure_ascii=False)}{others}}}'


def notebooks() -> Iterator[tuple[str, str]]:
    """Yield texts of notebooks at the cap on their bytes, each with a name."""
    for unit in (
        "{},",
        "[],",
        '{"":0},',
        "[0],",
        "1,",
        '"",',
        '"ab",',
        '"\U0001f600",',
        "1e9,",
        "0.1234567890123456789,",
    ):
        yield f"values {unit}", HEAD + fill(unit) + "{}" + TAIL
        yield f"cut {unit}", HEAD + fill(unit)
        yield f"cut {unit}, as many as are read", HEAD + unit * ((MAX_VALUES - 20) // (1 + unit.count(":")))
        yield f"outputs {unit}", notebook(cell("x = 1", outputs=f"[{fill(unit)}0]"))
    for unit, values in (
        ("{},", 2),
        ("[],", 2),
        ('{"":0},', 2),
        ('{"":[]},', 3),
        ('{"a":"ab"},', 2),
        ('"\u20acb",', 1),
    ):
        yield f"as many {unit} as are read", HEAD + unit * ((MAX_VALUES - 20) // values) + "{}" + TAIL
        yield f"as many outputs {unit}", notebook(cell("x = 1", outputs=f"[{unit * ((MAX_VALUES - 20) // values)}0]"))
    for unit in ("[],", '"ab",', '"', "\\", "[", '{"a":', "1,"):
        yield f"100 MB of outputs {unit}", notebook(cell("x = 1", outputs=f"[{fill(unit, MAX_RAW_BYTES - 2000)}0]"))
    yield "outputs of many cells", HEAD + fill('{"outputs":[]},') + "{}" + TAIL
    yield "names of outputs", HEAD + fill('"outputs",') + "{}" + TAIL
    yield "space behind a name", HEAD + '"outputs"' + fill(" ") + TAIL
    for name, unit in (("deep [", "["), ("deep {", '{"a":'), ("digits", "1"), ("quotes", '"'), ("escapes", "\\")):
        yield name, HEAD + fill(unit)
    yield "long int", HEAD + fill("9" * 4300 + ",") + "0" + TAIL
    yield "long float", HEAD + "0." + fill("9") + TAIL
    yield "exponents", HEAD + fill("1" * 300 + "e300,") + "0" + TAIL
    yield "string of escapes", notebook(cell("", outputs='"' + fill("\\n") + '"'))
    yield "string of surrogates", notebook(cell("", outputs='"' + fill("\\ud800") + '"'))
    yield "one emoji and much text", notebook(cell("", outputs='"\U0001f600' + fill("a") + '"'))
    yield "carriage returns", HEAD + fill("\r\n") + TAIL
    yield "same keys", HEAD + "{" + fill('"a":0,') + '"a":0}' + TAIL
    yield "other keys", HEAD + "{" + ",".join(f'"{i:x}":0' for i in range(800_000)) + "}" + TAIL
    yield "cells without source", notebook(*[cell("")] * 100_000)
    yield (
        "names of checks",
        notebook(*['{"cell_type":"code","source":"","metadata":{"nbgrader":{"grade_id":[0]}}}'] * 130_000),
    )
    for unit in ("\n", "ab\n", "ab \n", "\u20ac \n", "\U0001f600a\n", " ", "a" * 70 + "\n"):
        for kind in ("code", "markdown"):
            yield f"{kind} of {unit[:4]!r}", notebook(cell(fill(unit, 4_900_000), kind))
    yield "links of escapes", notebook(cell("attachment:" + fill("%41", 9_000_000), "markdown"))
    yield "markdown cells", notebook(*[cell("ab \n" * 600, "markdown")] * 2000)
    for name, source in sources():
        yield f"cell of {name}", notebook(cell(source))


def sources() -> Iterator[tuple[str, str]]:
    """Yield code at the caps on code, each with a name."""
    units = [
        *(
            "%time ",
            "%%time\n",
            "%",
            "!",
            "?",
            "a?",
            "a ",
            "a = ",
            "= ",
            "a = %time ",
            "x = !ls\n",
            "(",
            ")",
            "'",
            '"',
            '"""',
        ),
        *(
            "\\\n",
            "\\",
            "'\\",
            '"\\',
            "a.",
            "a, ",
            "=",
            "a:b ",
            "as ",
            "lambda ",
            "#",
            "# %%\n",
            "# %% [markdown]\n",
            "# In[1]:\n",
            "@\n",
            "for ",
            "in ",
            "def f(\n",
            "a:",
            "a,",
        ),
        *(" ", "\t", "\x0b", "\x85", "\n", "a\n", "()\n", "if a:\n", "for x in y\n", "a=a\n", "\u20ac", "\U0001f600\n"),
        "def rnn_forward(a):\n",
    ]
    for unit in units:
        text = fill(unit, MAX_CODE_CHARACTERS - 100)
        yield repr(unit), "\n".join(text.split("\n")[: MAX_CODE_LINES - 10])
        filler = unit.rstrip("\n") * (2000 // len(unit))
        lines = [f"    {filler}"] * 480
        yield f"lines of {unit!r}", "\n".join(["a = 1", "def rnn_forward(x):", *lines])
        long_line = fill(unit.rstrip("\n"), MAX_CODE_CHARACTERS // 2) if unit != "\n" else ""
        yield f"a line of {unit!r}", "\n".join(["a = 1", "def rnn_forward(x):", f"    {long_line}"])
    yield "an import that does not end", "from " + "a" * 900_000
    yield "many imports", "import " + ",".join(f"a{i:x}" for i in range(140_000))
    yield "lines of a stub", "def rnn_forward(x):\n    a = 1\n" + "    raise NotImplementedError\n" * 30_000
    yield "loops of spaces", "a = 1\ndef rnn_forward(x):\n" + f"    for{' ' * 290}x\n" * 3000
    yield "targets of spaces", "a = 1\ndef rnn_forward(x):\n" + f"    x{' ' * 290}x\n" * 3000
    yield "sections", "# %%\n" + "'''\n# %%\n" * 20_000
    yield "brackets over sections", "(\n# %%\n" * 20_000


def times() -> Iterator[tuple[str, str]]:
    for unit in ("1", " ", "a", "1 ", "10:", "-", "Z", "UTC ", "2026-03-01 10:00:00 ", "\u0661", "+", ".", "AM "):
        yield repr(unit), fill(unit)


def archives(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield zip files, each with a name."""
    contents = {
        "many members": [(f"{i}", b"") for i in range(40_000)],
        "long names": [(f"{i}/" * 3 + "n" * 60_000, b"") for i in range(30)],
        "folders in folders": [(f"{i}" + "/a" * 30_000, b"") for i in range(30)],
        "copies": [(f"{NAME}.py", b"a = 1"), *((f"{NAME} ({i}).py", b"a = 1\n" * 1000) for i in range(999))],
        "equal lines": [(f"{NAME}.py", b"a\n" * 4_000_000)],
    }
    for name, members in contents.items():
        path = folder / f"{name.replace(' ', '_')}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for member, data in members:
                file.writestr(member, data)
        yield name, path
    path = folder / "extra_fields.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.write(ROOT / "assignments" / NAME / f"{NAME}.ipynb", f"{NAME}.ipynb")
        for i in range(1, 15):
            member = zipfile.ZipInfo(f"{NAME} ({i}).ipynb" if i <= MAX_COPIES else f"{i}")
            file.writestr(
                member, notebook(cell(f"x = {i}", outputs="[" + "[]," * 400_000 + "0]")) if i <= MAX_COPIES else ""
            )
            member.extra = b"\xff\xff\0\0" * 16_000
    yield "extra fields", path


def copies(folder: Path) -> Path:
    """Return a folder of a notebook as it was handed out, and of large copies of it."""
    shutil.copy(ROOT / "assignments" / NAME / f"{NAME}.ipynb", folder)
    for i in range(1, MAX_COPIES + 1):
        (folder / f"{NAME} ({i}).ipynb").write_text(notebook(cell("x = 1", outputs=f"[{fill('[],', 1_900_000)}0]")))
    return folder


def read(path: Path) -> None:
    submission = read_submission(path, NAME, released()[0])
    sources = [cell.source for cell in submission.cells]
    global_reads(FUNCTIONS, sources)
    left_stub_lines(FUNCTIONS, sources)


def normalize(path: Path) -> None:
    files, release = released()
    assert not normalize_submission(path, NAME, files, release).is_placeholder


def roster(path: Path) -> None:
    entries = read_roster(path)
    reports = [Report(NAME, f"{i}_{i}_1", "refused", 0.0, 1.0, 0, "A", ()) for i in range(2000)]
    match_roster(reports, entries)


ENTRIES: dict[str, Callable[[Path], object]] = {
    "read": read,
    "normalize": normalize,
    "list": archive.list_members,
    "timestamp": lambda path: read_timestamp(path.parent),
    "roster": roster,
}
OUTCOMES = (SubmissionRefused, UnreadableFileError, InvalidTimestamp, RosterError)


def cases(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield the entry, the name and the file of each case; a file is there until the next case is asked for."""

    def written(name: str, text: str) -> Path:
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    for name, text in notebooks():
        path = written(f"{NAME}.ipynb", text)
        yield from ((entry, f"notebook: {name}", path) for entry in ("read", "normalize"))
    for name, text in (*sources(), ("10 MB of 'a\\n'", fill("a\n"))):
        path = written(f"{NAME}.py", text)
        yield from ((entry, f"script: {name}", path) for entry in ("read", "normalize"))
    for name, text in times():
        yield "timestamp", f"timestamp: {name}", written("timestamp.txt", text)
    (below := folder / "archives").mkdir()
    for (name, path), entry in product(archives(below), ("list", "read", "normalize")):
        yield entry, f"zip: {name}", path
    (below := folder / "copies").mkdir()
    yield "read", "folder: large copies", copies(below)
    yield "roster", "roster: a long line", written("roster.csv", "name,id\n" + fill("a"))
    yield "roster", "roster: 2,000 of one name", written("roster.csv", "name,id\n" + "Ada,1\n" * 2000)
    yield (
        "roster",
        "roster: 2,000 students",
        written("roster.csv", "name,id\n" + "".join(f"{i},{i}\n" for i in range(2000))),
    )


def measure(entry: str, path: Path) -> tuple[float, float, str]:
    """Return the seconds of CPU, the MiB that were needed on top of the imports, and the outcome."""
    command = [sys.executable, "-m", "tests.fuzz.costs", "--one", entry, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    try:
        seconds, mebibytes, outcome = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return float("nan"), float("nan"), f"ended with {done.returncode}: {done.stderr[-200:]}"
    return seconds, mebibytes, outcome


def peak_mebibytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure_here(entry: str, path: Path) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    released()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    before, start = peak_mebibytes(), time.process_time()
    try:
        outcome = f"read: {type(ENTRIES[entry](path)).__name__}"
    except OUTCOMES as reason:
        outcome = f"refused: {reason}"
    seconds = time.process_time() - start
    mebibytes = peak_mebibytes() - before
    print(json.dumps((seconds, mebibytes, outcome[:150])))


def main(words: list[str]) -> None:
    worst: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for entry, name, path in cases(Path(folder)):
            if words and not any(word in f"{entry} {name}" for word in words):
                continue
            seconds, mebibytes, outcome = measure(entry, path)
            print(f"{seconds:7.2f} s {mebibytes:7.0f} MiB  {entry:10} {name:40} {outcome}", flush=True)
            kept = worst.setdefault(entry, [0.0, 0.0, 0.0])
            worst[entry] = [max(kept[0], seconds), max(kept[1], mebibytes), kept[2] + 1]
    print("\n| entry | files | worst CPU | worst memory |\n|:--|--:|--:|--:|")
    for entry, (seconds, mebibytes, count) in worst.items():
        print(f"| {entry} | {count:.0f} | {seconds:.1f} s | {mebibytes:.0f} MiB |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure_here(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
