# tries: to crash the compiler: deep nesting, null bytes, a number of a million digits, a line of a megabyte
# stopped by: only the child compiles
# starts as: honest
# loses: nothing
# holds at: A B C D E
compile("(" * 100_000 + ")" * 100_000, "deep", "exec")

# %%
compile("-" * 1_000_000 + "1", "unary", "exec")

# %%
compile("x = '\0'", "null", "exec")

# %%
compile("x = " + "9" * 1_000_000, "digits", "exec")

# %%
compile("x = [" + "0, " * 1_000_000 + "]", "long", "exec")
