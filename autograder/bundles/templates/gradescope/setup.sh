#!/usr/bin/env bash
# Run once, when Gradescope builds the image of this autograder: Python 3.11 or newer, the locked requirements, and
# bubblewrap, which isolates student code best where the host allows it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends ca-certificates python3 python3-venv
apt-get install -y -qq --no-install-recommends bubblewrap || echo "No bubblewrap: student code is isolated without it."
# What isolates it is up to Gradescope's machines. Below level B nothing is graded: the results say what is missing, and
# isolation = "B" in course.toml is the line to change for a course that accepts less.

good() { command -v "$1" >/dev/null && "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'; }
python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
	if good "$candidate" 2>/dev/null; then
		python=$candidate
		break
	fi
done
if [ -z "$python" ]; then
	apt-get install -y -qq --no-install-recommends python3.11 python3.11-venv || true
	good python3.11 || {
		echo "This image has no Python 3.11 or newer: choose Ubuntu 24.04 in Configure Autograder." >&2
		exit 1
	}
	python=python3.11
fi

"$python" -m venv ../venv
../venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
chmod -R go-rwx . # the answers are nobody's but the grader's
