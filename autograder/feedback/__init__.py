"""Feedback: findings become words, and wrong numbers are explained.

In: the verdicts of evaluation/, and a loaded submission to run on the public diagnostic cases. Out: check results with
messages, hints and the name of a known mistake, cut down to the feedback level of the course. Nothing parses the words.
May import evaluation/, sandbox/host, exercise/, student/, submission/ and course.py.

Open builder.py first; messages.py holds every sentence, diagnosis.py names mistakes, pairs.py proposes two at once.
"""
