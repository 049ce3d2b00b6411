"""HTML: the feedback of one or several submissions, one check for a notebook's output, and the page of a class.

Reports go in, a page comes out that needs no other file, no script and no network; a script sorts the table of a class
where there is one. Modules import jinja2, `evaluation/report.py`, `student/` and modules of `formats/`. Open
`feedback_page.py` first, then the templates beside it, which `verification/` shares; `class_results.py` counts.
"""
