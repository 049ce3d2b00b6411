"""The trusted side: starts the processes that run student code, limits them, and checks what they reply.

Comes in: a Program and Batches of calls (program.py). Goes out: an Execution with one Outcome per step.
May import: sandbox/protocol, of sandbox/guest what asks the kernel for something, course, exercise, submission.
Must not compile, parse or unpickle anything that a student wrote.
Open first: jail.py. Below it: submission_process.py, limited_process.py, then fork_server.py or spawn.py.
"""
