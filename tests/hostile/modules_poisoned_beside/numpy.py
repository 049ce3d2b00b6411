raise SystemExit("this numpy.py lay beside a submission and was imported")
