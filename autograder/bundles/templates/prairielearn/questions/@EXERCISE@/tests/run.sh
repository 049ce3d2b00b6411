#!/usr/bin/env bash
# Run by PrairieLearn for each submission, as root: grades student/ and writes results/results.json.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root/tests" || exit 1
chmod -R go-rwx "$root/tests" # the answers are nobody's but the grader's
# Without bubblewrap, student code finds out which files there are. Names that were handed in would tell it things which
# its hidden cases do not depend on, such as answers that an earlier report gave away.
chmod go-rwx "$root/student"
mkdir -p "$root/results"
results=$root/results/results.json
# Where nothing could be graded, there are no results, and PrairieLearn says that grading failed, or they hold the
# reason and are not gradable. Neither costs an attempt.
rm -f "$results"

PYTHONPATH=$root/serverFilesCourse/autograder_kit python3 -m autograder grade @EXERCISE@ "$root/student" \
	--format prairielearn --output "$results"
