"""What is released beside the stubs: the checks that students run themselves, and the words for wrong numbers.

In: golden numbers (checks.json) and the student's functions. Out: results as text and HTML, in a notebook, a shell or
pytest. These modules are copied into the student's folder, where they find each other by bare names, so they import
numpy and the standard library alone; this file stays here. The engine asks the same rules (rules.py) and uses the same
words (explain.py, patterns.py, layout.py). Open checks.py first.
"""
