raise SystemExit("this network.py lay beside a submission and was imported")
