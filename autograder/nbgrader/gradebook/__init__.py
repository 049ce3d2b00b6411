"""nbgrader's gradebook: assignments registered, scores written and compared, grades exported.

In come reports of a class; out go rows of the gradebook, autograded notebooks, and CSV files for Canvas and Moodle.
Imports intake/ and autograding's cell outputs. Open `session.py` first, which holds all SQL: `direct.py` writes a whole
class with it. `export.py` is a plugin of nbgrader and reads the gradebook through it.
"""
