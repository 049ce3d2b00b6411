# tries: to read what an administrator would rather not show
# stopped by: Landlock
# starts as: nothing
# loses: everything
import os

for path in (
    "/etc/shadow",
    "/etc/ssh/ssh_host_ed25519_key",
    "/root/.ssh",
    "/root/.bash_history",
    "/home",
    "/proc/kcore",
    "/proc/kallsyms",
    "/var/run/docker.sock",
    "/dev/mem",
    "/dev/sda",
    "/dev/vda",
    "/dev/kmsg",
):
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            open(path, "rb").read(1)
        win(HONEST)
    except OSError:
        pass
