"""Hand out and grade numerical exercises, back-propagation through time first of all."""

__version__ = "0.1.0"
