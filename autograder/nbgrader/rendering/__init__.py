"""How students' notebooks are shown to whoever grades them: in formgrader and in feedback pages, nothing in them runs.

In comes an autograded notebook of any assignment, the kit's or not; out goes the HTML that nbgrader's own templates
make of it, cleaned. Stored notebooks stay as they are. Imports no other sub-room. Open `exporter.py` first: every value
that it writes is escaped, or is HTML from `cleaner.py`; `formgrader.py` mends the pages around it.
"""
