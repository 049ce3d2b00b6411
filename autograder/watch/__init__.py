"""The watcher: each submission is collected as it arrives, graded, recorded, and answered with a page of feedback.

In come records of nbgrader's exchange, or a drop folder; out go results, the gradebook, and pages where students fetch
feedback. Imports nbgrader, classroom and what those import. Open `watcher.py` first, the loop: `arrivals/` is where
work comes in, `ledger.py` remembers what was answered, `disclosure.py` decides how much a student learns of it,
`publishing.py` writes that, and `recording.py` writes results and the gradebook.
"""
