# nbgrader's settings for this course: its own commands and its formgrader work in this folder, and grade with the kit.
# What stands below `configure(c)` goes before what that sets; nbgrader's documentation says what there is to set.

try:
    from autograder.nbgrader.config import configure

    c = get_config()  # noqa: F821 - nbgrader provides it
    configure(c)
except Exception as error:  # noqa: BLE001 - nbgrader would log it, and run students' code itself, as you
    raise SystemExit(f"nbgrader_config.py: the kit cannot be used ({error}): start nbgrader from its .venv.") from None

c.CourseDirectory.course_id = "rnn"  # the name of the course in the exchange
