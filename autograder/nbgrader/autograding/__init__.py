"""`nbgrader autograde` and `nbgrader generate_assignment`, with this engine in place of nbgrader's kernel.

In comes a command of nbgrader or a click in formgrader; out go reports, written into the check cells of autograded
notebooks. Imports intake/ and gradebook/ and what they import. Open `converters.py` first: it asks `grader_client.py`
for verdicts, and `preprocessors.py` writes them with the outputs of `cell_outputs.py`.
"""
