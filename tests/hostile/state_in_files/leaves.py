# tries: to leave files behind for the next submission
# stopped by: Landlock (nothing is writable)
# starts as: nothing
# loses: everything
import os
import tempfile

for folder in (os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~"), "/tmp", "/var/tmp", "/dev/shm"):
    try:
        with open(os.path.join(folder, MARK), "w") as file:
            file.write(HONEST)
        if folder != os.getcwd():
            win(HONEST)
    except OSError:
        pass
