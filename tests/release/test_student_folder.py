"""The student's folder alone, somewhere else, without the kit: what each way of checking says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from tests.in_process import points_of
from tests.release.student_folder import ANSWERS, NAME, ROOT, StudentFolder

WRONG_DJ_DW = ANSWERS["dJ_dW"].replace("later = delta_G1 @ net.W", "later = delta_G1 @ net.W.T")
NOTHING = f"\nDone: nothing yet; {points_of()}. Next: forward (~20 min)."
FIRST_FAILING_CASE = "smallest failing case  T = 2, H = 2, D = 1, K = 2; tanh, softmax"


# Interrupts a cell once it has made a file; prints the traceback that is shown, and what the kernel says afterwards.
INTERRUPT = """
import pathlib, sys, time
from jupyter_client.manager import start_new_kernel

kernel, client = start_new_kernel(kernel_name="python3")
try:
    client.execute_interactive(sys.argv[1])
    client.execute(sys.argv[2])
    while not pathlib.Path("looping").exists():
        time.sleep(0.05)
    kernel.interrupt_kernel()
    print(client.get_shell_msg(timeout=60)["content"]["traceback"])
    reply = client.execute_interactive("", user_expressions={"sum": "1 + 1"})
    print(reply["content"]["user_expressions"]["sum"]["data"]["text/plain"])
finally:
    client.stop_channels()
    kernel.shutdown_kernel(now=True)
"""


def join_lines(text: str) -> str:
    return " ".join(text.split())


def test_the_kit_is_not_there(student: StudentFolder) -> None:
    assert "a student does not have autograder" in student.run("-c", "import autograder").stderr


class TestPytest:
    def test_stubs_are_skipped_and_named(self, student: StudentFolder) -> None:
        code, text = student.pytest()
        assert code == 0
        assert "15 skipped" in text
        assert "Not attempted yet in rnn_backprop.py: forward, dJ_dV, dJ_dW, dJ_dU." in text
        assert "passed" not in text
        assert "its own cells" not in text

    def test_right_answers_pass(self, student: StudentFolder) -> None:
        student.write_answers(ANSWERS)
        code, text = student.pytest()
        assert code == 0
        assert "15 passed" in text
        assert f"All 4 functions pass here: {points_of(*ANSWERS)}." in text
        assert "Not attempted" not in text
        assert text.count("It is also the slope of J through your own forward.") == 3

    def test_pytest_and_check_print_the_same_notes(self, student: StudentFolder) -> None:
        """What check() says below a check that passes, pytest says at the end."""
        single_precision = ANSWERS["dJ_dV"].replace("return dV", "return dV.astype(np.float32)")
        transposed = ANSWERS["forward"].replace("net.W @ h[t - 1]", "net.W.T @ h[t - 1]")
        student.write_answers({**ANSWERS, "dJ_dV": single_precision, "forward": transposed})
        lines_below = student.run(f"{NAME}.py").stdout.partition("dJ_dV: all 4 checks pass")[2].splitlines()
        notes = [line.strip() for line in lines_below if line.startswith(" " * 9)]
        assert "Right, but in low precision" in notes[0]
        assert notes.count("It is not the slope of J through your own forward, though:") == 2
        _, _, end = student.pytest()[1].partition(" notes of checks that pass ")
        assert [line.strip() for line in end.splitlines() if line.startswith(" " * 4)] == notes

    def test_a_wrong_answer_fails_with_the_message_alone(self, student: StudentFolder) -> None:
        student.write_answers({**ANSWERS, "dJ_dW": WRONG_DJ_DW})
        code, text = student.pytest()
        assert code == 1
        assert "3 failed, 12 passed" in text
        assert FIRST_FAILING_CASE in text
        assert "right for              T = 1; wrong from T = 2 on" in text
        assert "test_check[dJ_dW: Gradient check: the slope of J over one to nine steps]" in text
        assert "Traceback" not in text
        # The block stands under the first of the three checks; the others are a line each.
        assert text.count("smallest failing case") == 1
        assert len(re.findall(r"^[^\n]+: for the same reason\.$", text, re.MULTILINE)) == 2
        assert "checks.py" not in text.replace("python checks.py dJ_dW", "")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("def forward(net, x, h0):", "def forward(net, x, h0:", "is not Python: "),
            (
                "# %%\ndef forward",
                "# %%\nundefined\n\ndef forward",
                "before its functions can be tried: NameError: name 'undef",
            ),
            (
                "import numpy as np\n",
                "import numpy as np\nimport torch_not\n",
                "ModuleNotFoundError: No module named 'torch_not'",
            ),
            ("import numpy as np\n", "import numpy as np\nexit()\n", "before its functions can be tried: SystemExit"),
        ],
    )
    def test_a_file_that_cannot_be_imported_is_one_sentence(
        self, student: StudentFolder, old: str, new: str, message: str
    ) -> None:
        file = student.folder / f"{NAME}.py"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        code, outputs = student.pytest()
        assert code == 2
        assert message in outputs
        assert " line " in outputs
        assert "Traceback" not in outputs
        assert "importlib" not in outputs

    def test_pytest_points_to_work_in_the_notebook(self, student: StudentFolder) -> None:
        student.write_answers({"forward": ANSWERS["forward"]}, notebook=True)
        _, text = student.pytest()
        assert (
            "pytest checks rnn_backprop.py, which is untouched; rnn_backprop.ipynb is checked by its own cells" in text
        )


class TestScript:
    def test_stubs(self, student: StudentFolder) -> None:
        done = student.run(f"{NAME}.py")
        assert done.stdout.splitlines()[:-1] == [f"{name} is not attempted yet." for name in ANSWERS]
        assert done.stderr == ""

    def test_messages_are_those_of_pytest(self, student: StudentFolder) -> None:
        student.write_answers({**ANSWERS, "dJ_dW": WRONG_DJ_DW})
        text = student.run(f"{NAME}.py").stdout
        assert "dJ_dW: 1 of 4 checks pass" in text
        assert FIRST_FAILING_CASE in text

    @pytest.mark.parametrize("missing", ["network.py", "checks.py"])
    def test_without_its_modules_the_set_up_cell_says_what_to_do(self, student: StudentFolder, missing: str) -> None:
        (student.folder / missing).unlink()
        (student.folder / f"{NAME}_files.zip").unlink()
        done = student.run(f"{NAME}.py")  # its set-up cell is the notebook's
        assert f"{missing} is not beside this file: put " in done.stderr.splitlines()[-1]

    def test_one_uploaded_file_is_all_others(self, student: StudentFolder) -> None:
        for file in student.folder.iterdir():
            if file.name not in (f"{NAME}.py", f"{NAME}_files.zip"):
                file.unlink()
        student.write_answers(ANSWERS)
        assert "All 4 functions pass here" in student.run(f"{NAME}.py").stdout
        assert "15 passed" in student.pytest()[1]

    def test_without_its_numbers_every_way_of_checking_says_what_to_do(self, student: StudentFolder) -> None:
        (student.folder / "checks.json").unlink()
        done = student.run(f"{NAME}.py")
        assert "checks.json is not beside checks.py: put it there as it was handed out" in join_lines(done.stdout)
        assert done.stderr == ""
        code, text = student.pytest()
        assert code == 2
        assert "checks.json is not beside checks.py" in text
        assert "Traceback" not in text
        outputs = student.run_all_cells()
        assert list(outputs) == [f"check_{name}" for name in ANSWERS]
        assert all(text.startswith("checks.json is not beside checks.py") for text in outputs.values())

    def test_a_function_that_does_not_return_is_stopped_and_named(self, student: StudentFolder) -> None:
        calls = student.folder / "calls.py"
        calls.write_text(calls.read_text(encoding="utf-8").replace("TIME_LIMIT = 5.0", "TIME_LIMIT = 0.2"))
        loop = ANSWERS["dJ_dV"].replace("for t in range(1, T + 1):", "while True:\n        t = T")
        student.write_answers({**ANSWERS, "dJ_dV": loop})
        stopped = "dJ_dV was stopped after 0.2 s: is there a loop that never ends? rnn_backprop.py, line "
        script, (code, outputs) = student.run(f"{NAME}.py"), student.pytest()
        assert stopped in join_lines(script.stdout)
        assert "dJ_dW: all 4 checks pass" in script.stdout
        assert stopped in join_lines(outputs)
        assert "4 failed, 11 passed" in outputs
        assert code == 1

    def test_a_file_that_is_not_python_is_one_sentence(self, student: StudentFolder) -> None:
        file = student.folder / f"{NAME}.py"
        file.write_text(file.read_text(encoding="utf-8").replace("def dJ_dV(", "def dJ_dV(("), encoding="utf-8")
        done = student.run("checks.py", "dJ_dW,", "T=3,", "H=2, seed=0")
        assert re.fullmatch(r"rnn_backprop\.py, line \d+, is not Python: .*\.\n", done.stderr)


class TestNotebook:
    def test_stubs(self, student: StudentFolder) -> None:
        assert student.run_all_cells() == {
            f"check_{name}": f"{name} is not attempted yet.{NOTHING}" for name in ANSWERS
        }

    def test_right_answers(self, student: StudentFolder) -> None:
        student.write_answers(ANSWERS, notebook=True)
        outputs = student.run_all_cells(training_seconds=0.3)
        verdicts = [outputs.pop(f"check_{name}") for name in ANSWERS]
        assert all(" checks pass" in text and "WRONG" not in text for text in verdicts)
        assert len(outputs) == 4  # of the cells that draw
        assert all(text.startswith("<IPython.core.display.HTML object>") for text in outputs.values())

    def test_a_wrong_answer_does_not_stop_run_all(self, student: StudentFolder) -> None:
        student.write_answers({**ANSWERS, "dJ_dW": WRONG_DJ_DW}, notebook=True)
        outputs = student.run_all_cells()
        assert FIRST_FAILING_CASE in outputs["check_dJ_dW"]
        assert "right for              T = 1; wrong from T = 2 on" in outputs["check_dJ_dW"]
        assert "dJ_dU: all 4 checks pass" in outputs["check_dJ_dU"]

    def test_out_of_order(self, student: StudentFolder) -> None:
        """Checks first, then stubs, then a wrong answer, then the checks again: each says what is so at that time."""
        student.write_answers(
            {"dJ_dW": WRONG_DJ_DW, "dJ_dV": ANSWERS["dJ_dV"].replace("return dV", "return dV[9]")}, notebook=True
        )
        notebook = student.read_notebook()
        by_id = {cell["id"]: cell for cell in notebook["cells"]}
        early = {**by_id["check_dJ_dW"], "id": "early"}
        order = ["set_up", "dJ_dW", "check_dJ_dW", "dJ_dV", "check_dJ_dV", "forward", "check_forward", "check_dJ_dU"]
        notebook["cells"] = [by_id["set_up"], early, *(by_id[name] for name in order[1:])]
        student.write_notebook(notebook)
        outputs = student.run_all_cells()
        assert outputs["early"].startswith("Run the cell that defines dJ_dW first, then this one again.")
        assert FIRST_FAILING_CASE in outputs["check_dJ_dW"]
        assert "dJ_dV stops with IndexError" in outputs["check_dJ_dV"]
        assert "cell In[5], line " in outputs["check_dJ_dV"]
        assert ":  return dV[9]" in outputs["check_dJ_dV"]
        assert outputs["check_forward"].startswith("forward is not attempted yet.")
        assert outputs["check_dJ_dU"].startswith("Run the cell that defines dJ_dU first, then this one again.")

    @pytest.mark.slow
    def test_interrupting_a_check_shows_one_sentence_and_leaves_the_kernel_usable(self, student: StudentFolder) -> None:
        loop = "def dJ_dV(net, x, y, h, y_hat):\n    open('looping', 'w').close()\n    while True:\n        pass"
        done = student.run("-c", INTERRUPT, f"from checks import check\n{loop}", 'check("dJ_dV")')
        stopped, after = done.stdout.splitlines()
        assert re.fullmatch(
            r"\['dJ_dV was interrupted\.', '', '  cell In\[1\], line \d:  (while True:|pass)'\]", stopped
        )
        assert after == "2"

    def test_under_nbgrader_a_check_raises_with_the_message_alone(self, student: StudentFolder) -> None:
        student.write_answers({**ANSWERS, "dJ_dW": WRONG_DJ_DW, "dJ_dU": "pass"}, notebook=True)
        outputs = student.run_all_cells(NBGRADER_EXECUTION="validate")
        assert outputs["check_dJ_dW"].startswith("dJ_dW: 1 of 4 checks pass, in 33 cases\n")
        assert outputs["check_dJ_dU"].startswith("Run the cell that defines dJ_dU first, then this one again.")
        assert "all 4 checks pass" in outputs["check_dJ_dV"]
        outputs = {cell["id"]: cell.get("outputs") for cell in student.read_notebook()["cells"]}
        assert [outputs[f"check_{name}"][0]["output_type"] for name in ANSWERS] == [
            "stream",
            "stream",
            "error",
            "error",
        ]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("program", [f"{NAME}.py", "checks.py"])
def test_messages_fit_any_encoding(student: StudentFolder, program: str, encoding: str) -> None:
    student.write_answers({**ANSWERS, "dJ_dW": WRONG_DJ_DW})
    done = student.run(program, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert FIRST_FAILING_CASE in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_output_is_one_sentence(student: StudentFolder) -> None:
    program = "import os, checks; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); checks.main([])"
    assert student.run("-c", program).stderr == "The output cannot be written: No space left on device.\n"


def test_the_oldest_numpy_asked_for_is_that_of_the_grader() -> None:
    def least(text: str) -> str:
        return re.search(r"numpy>=([\d.]+)", text)[1]

    handout = ROOT / "solutions" / NAME / "handout" / "requirements.txt"
    assert least(handout.read_text()) == least((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_fresh_environment_with_the_requirements_alone(student: StudentFolder, tmp_path: Path) -> None:
    """A fresh environment from requirements.txt, as a student makes it; uv does in 2 seconds what takes pip 40."""
    home = tmp_path / "environment"
    venv.create(home)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv = [sys.executable, "-m", "uv", "--no-config", "pip", "install", "--python", python]
    done = subprocess.run([*uv, "-r", student.folder / "requirements.txt"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"requirements.txt could not be installed; is a package index in reach? uv: {done.stderr[-300:]}")
    env = {name: value for name, value in student.env.items() if name != "PYTHONPATH"}
    env["PATH"] = f"{python.parent}{os.pathsep}{env['PATH']}"
    clean_student = replace(student, python=python, env=env)
    assert "No module named 'autograder'" in clean_student.run("-c", "import autograder").stderr
    clean_student.write_answers({**ANSWERS, "dJ_dW": WRONG_DJ_DW})
    assert "3 failed, 12 passed" in clean_student.pytest()[1]
    clean_student.write_answers({**ANSWERS, "dJ_dW": WRONG_DJ_DW}, notebook=True)
    outputs = clean_student.run_all_cells()
    assert FIRST_FAILING_CASE in outputs["check_dJ_dW"]
    assert "all 4 checks pass" in outputs["check_dJ_dU"]
    assert sys.executable != str(python)
