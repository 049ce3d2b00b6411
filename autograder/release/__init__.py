"""From an exercise to the student's folder: an `Exercise` comes in, the files of assignments/NAME go out.

Open `build.py` first: it makes all files in memory, with `notebook.py` (nbgrader and jupytext) and `golden_file.py`
(checks.json). `leaks.py` looks for solutions in what was built. `install.py` puts the files into a folder, unless
somebody edited it.

Figures are embedded in the notebook as data URIs, which JupyterLab, VS Code and Colab all show; attachments get lost in
some. Each has a cell of its own, not editable, so that its letters are not in the way of a text. The notebook of
rnn_backprop has 143,308 bytes with its five figures, where attachments made it 142,669; JupyterLab took 11.6 s to draw
it and 14.6 s to be ready for it, and 12.0 s and 15.5 s with attachments (medians of five, on a busy machine: no
difference). A double click on a figure still shows its letters in JupyterLab, to read only.

The room imports `exercise`, `evaluation` (numerical gradients) and `submission` (atomic writes).
"""
