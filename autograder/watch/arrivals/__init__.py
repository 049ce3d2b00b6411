"""Where submissions arrive and answers go.

In come records of nbgrader's exchange, or files of a drop folder; out go copies of what is complete, and pages for
students. Imports the ledger's `Attempt`, what is watched, and nbgrader/. Open `inboxes.py` first; `drop_folder.py` is
the other place, and `notify.py` tells that something has changed.
"""
