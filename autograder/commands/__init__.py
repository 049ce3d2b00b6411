"""The commands of the command line, a module each, in which `command` is the click command.

In come arguments and options; out go reports, files, an exit code, and one sentence on stderr for whatever is wrong.
Commands are thin: they ask the rooms below, any of which they may import, and translate errors. They import what they
need only when they run, because `autograder --help` must load next to nothing. Open `grade.py` first, then `common.py`.
"""
