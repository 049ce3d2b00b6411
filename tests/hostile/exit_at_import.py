# tries: to end with success before anything was checked
# stopped by: the parent counts what it was told, not exit codes
# starts as: nothing
# loses: everything
# holds at: A B C D E
import os

os._exit(0)
