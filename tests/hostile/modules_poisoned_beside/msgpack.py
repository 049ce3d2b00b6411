raise SystemExit("this msgpack.py lay beside a submission and was imported")
