# tries: to pass by every `except Exception`
# stopped by: the runner catches BaseException
# starts as: honest
# loses: everything
# holds at: A B C D E
import asyncio


class Own(BaseException):
    pass


def forward(net, x, h0):
    raise GeneratorExit


def dJ_dV(net, x, y, h, y_hat):
    raise KeyboardInterrupt


def dJ_dW(net, x, y, h, y_hat):
    raise Own


def dJ_dU(net, x, y, h, y_hat):
    raise asyncio.CancelledError


# %%
raise Own

# %%
raise KeyboardInterrupt
