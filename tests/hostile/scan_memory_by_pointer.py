# tries: to find the text of the reference in raw memory, through pointers alone
# stopped by: no secret in the process
# starts as: nothing
# loses: everything
# holds at: A B C D
import ctypes

wanted = b"### BEGIN" b" SOLUTION"
near = id(wanted) & ~0xFFFFF
for base in (near - (4 << 20), near):
    data = ctypes.string_at(base, 4 << 20)
    if data.count(wanted) > 4:
        win(HONEST)
