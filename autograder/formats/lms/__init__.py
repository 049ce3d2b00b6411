"""Formats that the gradebook of a learning management system imports: Canvas and Moodle.

Reports or `Grade`s go in, a CSV file comes out; `classroom/roster.py` and `nbgrader/` make grades of their own. A
module imports `evaluation/report.py` and modules of `formats/` only. Open `grade_columns.py` first: what a gradebook
knows of a student and a score.
"""
