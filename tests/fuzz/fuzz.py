"""Fuzzes one target with atheris, guided by coverage: python -m tests.fuzz.fuzz TARGET SECONDS (see `make fuzz`)."""

from __future__ import annotations

import io
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["autograder", "dateutil", "zipfile", "csv", "json"]):
    from tests.fuzz import targets
    from tests.fuzz.targets import NAME, ROOT, TARGETS

MAX_LENGTH = 20_000  # bytes: what costs much is measured by costs.py
SAMPLES = {
    "timestamp": ["2026-03-01 10:00:00 UTC", "2026-03-01T10:00:00.5+01:00", "1 Mar 2026 10am EST", "20260301T100000Z"],
    "secret": ["0123456789abcdef\n"],
    "roster": [
        'name,id,email\n"Lovelace, Ada",1,ada@x.org\n',
        "First name;Last name;Group\nA;B;C\n",
        "login\tsection\na\tb",
    ],
    "member_names": [f"{NAME}.py\n{NAME} (1).py", f"a/b/{NAME}.ipynb\n__MACOSX/._a\nC:\\a", f"Copy of {NAME}.ipynb"],
}


def samples(target: str) -> Iterator[bytes]:
    """Yield what a target starts from: the small files of tests/submissions, or a few lines."""
    yield from (text.encode() for text in SAMPLES.get(target, ()))
    suffix = ".py" if target in ("script", "cell", "zip_file") else ".ipynb"
    for path in () if target in SAMPLES else sorted((ROOT / "tests" / "submissions").rglob(f"*{suffix}")):
        data = path.read_bytes()
        if target == "zip_file":
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
                file.writestr(f"{NAME}.py", data)
                file.writestr(f"a/{NAME} (1).py", "a = 1\n")
            data = buffer.getvalue()
        elif target == "cut_notebook":
            data = data.partition(b'"cells": [')[2]
        if len(data) <= MAX_LENGTH:
            yield data


def main(target: str, seconds: str) -> None:
    folder = ROOT / "build" / "fuzz" / target
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "corpus").mkdir(parents=True)
    (folder / "files").mkdir()
    targets.folder = folder / "files"
    for number, data in enumerate(samples(target)):
        (folder / "corpus" / f"sample-{number}").write_bytes(data)
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", "-timeout=10", "-rss_limit_mb=1024"]
    report = [f"-artifact_prefix={folder}/", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, *report, str(Path(folder, "corpus"))], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
