"""What a student handed in -> a notebook that nbgrader can work with, the files beside it, and the time.

In comes the folder of a submission; out goes a notebook with every cell of the release in place, and what had to be
repaired. Nothing is graded here. Imports submission/ alone. Open `normalize.py` first: `matching.py` finds the
release's cells in the student's, `written_answers.py` finds text that stands elsewhere, `recovery.py` reads what is
left of damaged files.
"""
