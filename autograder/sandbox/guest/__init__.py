"""The untrusted side: runs inside the process of a student, so nothing that it says is believed.

Comes in: a program and batches of calls, without any expected value. Goes out: one reply per step.
May import: sandbox/protocol, numpy, msgpack and the standard library; nothing of the trusted side.
Open first: runner.py, which loads the program and answers the calls. zygote.py forks one such process per
submission from a process that has loaded numpy already; lockdown.py and seccomp.py seal it.
"""
