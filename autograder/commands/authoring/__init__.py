"""The commands of those who write exercises: new, preview, lint, verify, release.

Comes in: the name of an exercise. Goes out: its folder, a page, what is wrong with it, what its checks prove, and the
student's folder. Each module holds one command. `verify.py` is a good one to read first.
"""
