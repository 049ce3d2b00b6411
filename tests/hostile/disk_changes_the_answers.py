# tries: to overwrite, rename, link, cut, touch and remove the files of the course
# stopped by: Landlock (nothing is writable)
# starts as: nothing
# loses: everything
import os

for change in (
    lambda: os.rename(SECRET, SECRET + MARK),
    lambda: os.link(SECRET, SECRET + MARK),
    lambda: os.symlink(SECRET, SECRET + MARK),
    lambda: os.mkdir(SECRET + MARK),
    lambda: os.truncate(SECRET, 3),
    lambda: os.chmod(SECRET, 0o600),
    lambda: os.chown(SECRET, 65534, 65534),
    lambda: os.utime(SECRET, (0, 0)),
    lambda: os.setxattr(SECRET, "user.mark", b"1"),
    lambda: open(SECRET, "a").close(),
    lambda: os.mkfifo(SECRET + MARK),
    lambda: os.remove(OTHER),
    lambda: os.rmdir(os.path.dirname(OTHER)),
):
    try:
        change()
        win(HONEST)
    except OSError:
        pass
