raise SystemExit("imported from the submission")
