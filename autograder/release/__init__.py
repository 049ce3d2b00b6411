"""From an exercise to the student's folder: an `Exercise` comes in, the files of assignments/NAME go out.

Open `build.py` first: it makes all files in memory, with `notebook.py` (nbgrader and jupytext; figures as data URIs)
and `golden_file.py` (checks.json). `leaks.py` looks for solutions in what was built. `install.py` puts the files into a
folder, unless somebody edited it. The room imports `exercise`, `evaluation` (numerical gradients) and `submission`
(atomic writes).
"""
