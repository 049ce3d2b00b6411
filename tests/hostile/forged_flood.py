# tries: to fill the grader's memory with replies as large as are allowed
# stopped by: protocol, cap on the time for loading
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import sys

at = next((f.f_locals["index"] for f in map(sys._getframe, range(5)) if "index" in f.f_locals), 0)
large = frame("problem", at, True, "ValueError", "x" * 300, "", None)
for _ in range(20_000):
    say(large)
say(frame("cell", b"x" * ((1 << 24) - 20)) * 4)
