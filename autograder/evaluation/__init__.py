"""Evaluation: what the calls of a submission returned becomes findings, points and a report.

In: an exercise, a seed, and the outcomes of calls in the sandbox. Out: findings as data (a code and its fields), the
points of every check, and the Report that every format reads. feedback/ turns findings into sentences.
May import sandbox/host, sandbox/protocol, exercise/, student/, submission/ and course.py.

Open evaluate.py first; call_plans.py says what is called, comparison.py when numbers are right.
"""
