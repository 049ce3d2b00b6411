"""How submissions arrive from nbgrader's exchange or from an LMS, and how feedback goes back.

In come folders and downloads; out go files in `submitted/`, released feedback, and a warning for each submission that
cannot be graded. May import what nbgrader/ may, but no other sub-room. Open `exchange.py`, its only module.
"""
