# tries: to raise its own limits
# stopped by: hard limits without privileges, seccomp
# starts as: nothing
# loses: everything
import resource

for which in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
    _, hard = resource.getrlimit(which)
    for higher in (resource.RLIM_INFINITY, hard + 4096):
        if hard != resource.RLIM_INFINITY:
            try:
                resource.setrlimit(which, (higher, higher))
                win(HONEST)
            except (OSError, ValueError):
                pass
