"""Hand out and grade numerical exercises, such as back-propagation through time.

The folders are the stages of a submission: submission/ reads it, sandbox/ runs it, evaluation/ judges the numbers,
feedback/ finds the words, formats/ writes the report. README.md shows which room may import which; grading.py ties them
together and is the file to open first.
"""

__version__ = "0.2.0"
