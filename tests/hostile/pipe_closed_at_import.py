# tries: to close the grader's channel while it is loaded, and to live on
# stopped by: protocol
# starts as: nothing
# loses: everything
# holds at: A B C D E
import os
import time

os.closerange(0, 1000)
time.sleep(1000)
