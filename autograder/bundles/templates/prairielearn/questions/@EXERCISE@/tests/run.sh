#!/usr/bin/env bash
# Run by PrairieLearn for each submission, as root: grades student/ and writes results/results.json.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root/tests" || exit 1
chmod -R go-rwx "$root/tests" # the answers are nobody's but the grader's
mkdir -p "$root/results"
results=$root/results/results.json

PYTHONPATH=$root/serverFilesCourse/autograder_kit python3 -m autograder grade @EXERCISE@ "$root/student" \
	--format prairielearn --output "$results"
code=$?
# Without results PrairieLearn says that grading failed, and costs nobody an attempt.
[ $code -eq 0 ] || rm -f "$results"
exit $code
