import numpy as np

TRUST = 'me'


def arguments(arrays, names):
    raise SystemExit
