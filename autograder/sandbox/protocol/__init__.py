"""What crosses the pipe between the trusted side and the process of a student, and how it is checked.

Comes in: messages of plain data, numpy arrays, the packed bytes of the other side. Goes out: the same, packed or
checked; anything else raises ProtocolError. Both sides import this room, so it holds no secret.
May import: numpy, msgpack and the standard library; no other room.
Open first: framing.py. vocabulary.py is the closed list of words for what a function returned or raised.
"""
