"""The students' notebook of an exercise with the model answers in it, run and shown as a page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat as typed_nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from autograder.exercise.model import Exercise
from autograder.exercise.source import parse_cells, student_text
from autograder.release.build import build_release

nbformat: Any = typed_nbformat  # only half of its functions carry types

SECONDS_PER_CELL = 60
_RELOAD = '<meta http-equiv="refresh" content="2">'
# A warm kernel forgets what the last notebook defined, and the modules that lay beside it.
_FORGET = """import sys
for _name, _module in list(sys.modules.items()):
    if str(getattr(_module, "__file__", "")).startswith({folder!r}):
        del sys.modules[_name]
%reset -f
"""


class Preview:
    """Pages of an exercise as it changes: its cells run in one kernel that stays warm, in a folder of their own."""

    def __init__(self, folder: Path, page: Path) -> None:
        self.page = page
        self._folder = folder
        self._client: Any = None
        self._outputs: dict[str, Any] = {}  # of each cell, by its source

    def show(self, exercise: Exercise, *, reload: bool = False) -> None:
        """Write the page: at once with the outputs that are known, and again when the cells have run.

        With `reload`, the page asks for itself again every two seconds. Raises ReleaseError.
        """
        self._folder.mkdir(exist_ok=True)
        files = build_release(exercise).student_files
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
        notebook = nbformat.reads(files[f"{exercise.name}.ipynb"].decode(), as_version=4)
        _fill_in(notebook, exercise)
        code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in code_cells:
            cell.outputs = self._outputs.get(cell.source, [])
        if self._outputs:
            self._write(notebook, reload)
        self._run(notebook)
        self._outputs = {cell.source: cell.outputs for cell in code_cells}
        self._write(notebook, reload)

    def _run(self, notebook: Any) -> None:
        if self._client is None:
            self._client = NotebookClient(
                notebook,
                timeout=SECONDS_PER_CELL,
                interrupt_on_timeout=True,
                allow_errors=True,
                resources={"metadata": {"path": str(self._folder)}},
                extra_arguments=["--Application.log_level=ERROR"],
            )
            self._client.create_kernel_manager()
            # The cells import what lies beside them.
            self._client.start_new_kernel(env={k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"})
            self._client.start_new_kernel_client()
        else:
            forget = nbformat.v4.new_code_cell(_FORGET.format(folder=str(self._folder)))
            self._client.nb = nbformat.v4.new_notebook(cells=[forget])
            self._client.execute_cell(forget, 0)
            self._client.nb = notebook
        for index, cell in enumerate(notebook.cells):
            self._client.execute_cell(cell, index)

    def _write(self, notebook: Any, reload: bool) -> None:
        html, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook)
        self.page.parent.mkdir(parents=True, exist_ok=True)
        self.page.write_text(html.replace("<head>", f"<head>{_RELOAD}", 1) if reload else html, encoding="utf-8")

    def close(self) -> None:
        """End the kernel."""
        if self._client is not None:
            self._client._cleanup_kernel()


@contextmanager
def open_preview(folder: Path, page: Path) -> Iterator[Preview]:
    """Open previews that are written to `page`, with the files of the release in `folder`."""
    preview = Preview(folder, page)
    try:
        yield preview
    finally:
        preview.close()


def _fill_in(notebook: Any, exercise: Exercise) -> None:
    """Put the model answers in place of the stubs."""
    answers = {student_text(cell): cell.source for cell in parse_cells(exercise.source_text) if cell.kind == "solution"}
    for cell in notebook.cells:
        cell.source = answers.get(cell.source, cell.source)
