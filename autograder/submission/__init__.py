"""What was handed in: a file, a folder or a zip file comes in, and source text goes out. Nothing of it is executed.

`reader.py` is the entrance and the only reader of submissions: it chooses the file that counts and drops the released
check cells. It stands on `safe_files.py` (opening files with care), `archive.py` (zip files), `cells.py` (notebooks and
scripts) and `magics.py` (IPython's own syntax). `sanitize.py` makes text of students fit to be shown, `file_names.py`
their names fit for files; `downloads.py` reads what an LMS packed; `global_reads.py` notices functions that read global
data. The room imports the standard library and no other room.
"""
