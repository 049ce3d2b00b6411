"""How submissions arrive from nbgrader's exchange or from an LMS, and how feedback goes back.

In come folders and downloads; out go files in `submitted/`, released feedback, and a warning for each submission that
cannot be collected or graded. Imports intake/ and what nbgrader/ may. Open `exchange.py` first, the plugins of the
exchange; `records.py` reads the folders there, where every student may write; `zip_collect.py` reads downloads.
"""
