"""An exercise as plain data: the folder solutions/NAME comes in, and an `Exercise` goes out.

Open `model.py` first: it says what an exercise, a check and a case are. `loader.py` imports an instructor's rubric and
reference, and nothing else in the engine does. `source.py` reads the exercise's source as text: its cells, stubs and
hints. The room imports numpy and, for one type, `student`.
"""
