raise SystemExit("this sitecustomize.py lay beside a submission and was imported")
