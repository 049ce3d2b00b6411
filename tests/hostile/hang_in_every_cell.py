# tries: to hang in one cell after the other
# stopped by: deadline, one cell after the other
# starts as: honest
# loses: nothing
# holds at: A B C D E
# slow: yes
while True:
    pass

# %%
while True:
    pass

# %%
while True:
    pass

# %%
while True:
    pass

# %%
while True:
    pass
