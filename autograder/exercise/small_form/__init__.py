"""The small form of an exercise: a source with a teacher cell comes in, a rubric and the full source go out.

Open `derivation.py` first: it says what a teacher cell holds and what is derived from it. `cases.py` makes hidden and
diagnostic cases of an author's sizes, `shapes.py` finds symbols for shapes, `writing_out.py` writes the source out in
full, and `checking.py` finds what an author must change before any of this works.
"""
