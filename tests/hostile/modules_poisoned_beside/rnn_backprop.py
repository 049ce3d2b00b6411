# tries: to have the grader import the modules that were handed in beside it
# stopped by: one file is read as text, nothing is imported from there
# starts as: honest
# loses: nothing
# holds at: A B C D E
import network

assert hasattr(network, "RNN")
