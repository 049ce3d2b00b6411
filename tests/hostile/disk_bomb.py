# tries: to fill the disk (64 MiB here at most)
# stopped by: Landlock (nothing is writable), rlimits (file size); its folder is removed
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
with open("disk_bomb", "wb") as file:
    for _ in range(16):
        file.write(bytes(4 << 20))
