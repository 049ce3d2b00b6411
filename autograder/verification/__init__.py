"""Are the checks of an exercise sharp, fair and true? `autograder verify` grades submissions whose verdict is known.

An `Exercise` comes in, a `VerificationReport` goes out, and its page. The room runs the real grader through
`classroom/` and `grading`, compares with `evaluation/`, reads `exercise/` and writes with `formats/`. Open `verify.py`
first; `outcomes.py` is what it found, as data, and `page.py` shows that. `mutations.py` changes model answers, and
`mutants.py` tries what comes of it.
"""
