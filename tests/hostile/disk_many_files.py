# tries: to use up inodes (2,000 here), and folders in folders
# stopped by: Landlock (nothing is writable); its folder is removed
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import os

for number in range(2000):
    open(f"file{number}", "w").close()
for _ in range(1200):
    os.mkdir("d")
    os.chdir("d")
