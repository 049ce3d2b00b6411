# tries: to hold up the grader without using the CPU, before a function is called
# stopped by: deadline
# starts as: honest
# loses: nothing
# says: of waiting
# holds at: A B C D E
# slow: yes
import threading

threading.Event().wait()
