"""What an author got wrong: an `Exercise` comes in, and problems go out, each with its file and line.

`rubric_problems.py` and `narrative_problems.py` read what was written, `run_problems.py` draws the cases and runs the
model answers, and `soundness.py` remembers which exercises were sound, so that grading need not ask again. Loading an
exercise asks it.
"""
