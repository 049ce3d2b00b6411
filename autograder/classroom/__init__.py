"""A class: many submissions, graded side by side, and every result kept.

In comes a folder with a submission for each student, or what an LMS gives for "download all submissions". Out come a
result file for each student, scores.csv, and the reports, read back one by one; `roster.py` matches them to a roster.
What was graded before and has not changed is not graded again.

Imports `grading` and the rooms below it, and `formats`. Open `run.py` first: `run_class` is the way through.
"""
