# nbgrader's settings for the kit's own folder. `autograder init` makes a course of yours: no update of the kit touches
# its settings.

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "rnn"  # the name of the course in the exchange

# --- The autograder kit: it releases and grades its own exercises. Other assignments stay with nbgrader. ---
try:
    from autograder.nbgrader.config import configure

    configure(get_config(), __file__)  # noqa: F821 - nbgrader provides it
except Exception as error:  # noqa: BLE001 - whatever it is, other assignments and a running server go on
    # nbgrader alone would run students' code of an exercise itself, as you: so it does nothing with exercises.
    from pathlib import Path

    from nbgrader.converters.base import BaseConverter, NbGraderException
    from traitlets.log import get_logger

    reason = (
        f"The autograder kit cannot be used here ({type(error).__name__}: {error}), so its exercises are neither "
        "generated nor graded: start nbgrader, or the Jupyter server, in the environment where the kit is installed."
    )
    start = getattr(BaseConverter.start, "of_nbgrader", BaseConverter.start)

    def start_unless_exercise(converter):
        course = converter.coursedir
        for step in (course.source_directory, course.release_directory):
            folder = Path(course.format_path(step, ".", course.assignment_id))
            if any(folder.parent.glob(f"{folder.name}.sha256")):  # the kit's list of what it built
                converter.log.error(reason)
                raise NbGraderException(reason)
        start(converter)

    start_unless_exercise.of_nbgrader = start
    BaseConverter.start = start_unless_exercise
    get_logger().warning(reason)
# --- end of the autograder kit ---
