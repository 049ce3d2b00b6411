raise SystemExit("this rubric.py lay beside a submission and was imported")
