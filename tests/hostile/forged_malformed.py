# tries: to break the decoder: maps, extension types, deep nesting, wrong lengths, no UTF-8, too many items
# stopped by: strict decoder
# starts as: honest
# loses: everything
# holds at: A B C D E
import struct


def broken(body):
    def function(*_):
        say(struct.pack(">I", len(body)) + body)

    return function


forward = broken(b"\x91" * 500_000 + b"\x90")
dJ_dV = broken(b"\xdd\x7f\xff\xff\xff" + b"\xc0" * 100)
dJ_dW = broken(b"\x92\xa8returned\xc7\x04\x01abcd")
dJ_dU = broken(b"\x92\xa8returned\x81\xa1a\xa1b")
