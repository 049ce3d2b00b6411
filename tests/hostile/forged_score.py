# tries: to tell the grader its score
# stopped by: protocol
# starts as: nothing
# loses: everything
# holds at: A B C D E
for message in (("score", 10), ("graded", 10, 10), ("pass",), ("loaded",), ("returned", 1, 1)):
    say(frame(*message))
