"""Runs student code where it can do no harm.

Comes in: source text of a submission and arrays. Goes out: arrays, or words for what went wrong.
host/ is the trusted side, guest/ runs inside the process of the student, protocol/ is what both know about the pipe.
guest/ and protocol/ must import nothing else of the kit: student code can read whatever its process has loaded.
Open first: host/jail.py.
"""
