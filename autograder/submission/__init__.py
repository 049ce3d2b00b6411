"""What was handed in -> source text, never executed: a path comes in, a `Submission` or a refusal goes out.

`reader.py` is the entrance and the only reader of submissions: it chooses the file that counts and drops the released
check cells. `safe_files.py` opens files with care, `archive.py` zip files and `downloads.py` what an LMS packed;
`notebook_json.py`, `cells.py`, `script.py` and `magics.py` make cells of a text. `sanitize.py` makes text of students
fit to be shown, `file_names.py` their names fit for files; `global_reads.py` notices functions that read global data.
The room imports the standard library and no other room.
"""
