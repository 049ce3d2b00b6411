# tries: to have others import its own modules
# stopped by: its process is its own
# starts as: nothing
# loses: everything
# holds at: A B C D E
import sys
from types import ModuleType
from unittest import mock


class Evil(ModuleType):
    def __getattr__(self, name):
        return mock.MagicMock(return_value=True)


for name in list(sys.modules):
    if name.partition(".")[0] in ("numpy", "msgpack", "autograder", "network", "checks", "struct", "math", "resource"):
        sys.modules[name] = Evil(name)
sys.meta_path.insert(0, mock.MagicMock())
sys.path.insert(0, ".")


def forward(net, x, h0):
    return mock.ANY


dJ_dV = dJ_dW = dJ_dU = forward
