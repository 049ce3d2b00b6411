# tries: to hold up the grader before a function is called
# stopped by: deadline
# starts as: honest
# loses: nothing
# says: no end after
# holds at: A B C D E
while True:
    pass
