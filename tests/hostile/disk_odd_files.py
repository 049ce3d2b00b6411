# tries: to leave what cannot be removed: no permissions, odd names, links to elsewhere
# stopped by: Landlock (nothing is writable); its folder is removed
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import os

os.mkdir("closed")
open("closed/file", "w").close()
os.symlink(SECRET, "link")
os.symlink(os.path.dirname(SECRET), "folder")
os.mkfifo("pipe")
open("a\nb\x1b[31m", "w").close()
os.chmod("closed", 0)
os.chmod(".", 0o500)
