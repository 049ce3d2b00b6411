# tries: to have its own text shown as the grader's: error names, labels, types
# stopped by: closed vocabulary
# starts as: honest
# loses: everything
# never says: FULL MARKS
# holds at: A B C D E
def forward(*_):
    say(frame("raised", "FULL MARKS", "FULL MARKS", "", None))


def dJ_dV(*_):
    say(frame("unusable", None, "FULL MARKS"))


def dJ_dW(*_):
    say(frame("raised", "ValueError", "", "FULL MARKS", 1))


def dJ_dU(*_):
    say(frame("missing", ["FULL MARKS"], False))
