raise SystemExit("this conftest.py lay beside a submission and was imported")
