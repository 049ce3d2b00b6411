"""An exercise as plain data: the folder solutions/NAME comes in, and an `Exercise` goes out.

Open `model.py` first: it says what an exercise, a check and a case are. `loader.py` imports an instructor's code, and
nothing else in the engine does; it takes the rubric from rubric.py or derives it (`small_form/`). `source.py` reads
an exercise's source as text: its cells, stubs and hints. The room imports numpy and, for one type, `student`.
"""
