"""Formats of CI services and autograding hosts, each as its own document describes it.

Reports go in, a host's text comes out: Gradescope, PrairieLearn and Classroom 50 take one submission as JSON, GitHub
Actions takes commands in its log. A module imports `evaluation/report.py` and modules of `formats/` only. Open
`gradescope.py` first; `tests/formats/validators.py` states what each host accepts.
"""
