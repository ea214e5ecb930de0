"""``./run target | pause | resume`` against a real steering node and a service that answers as perception does."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Trigger

from face_af import on_stage
from face_af_common.ros_domain import claim_domain
from face_af_msgs.msg import Person
from face_af_msgs.srv import ListPeople, SetTarget


class Answers(Node):
    """Answers in the namespace cam."""

    def __init__(self, context: rclpy.Context) -> None:
        super().__init__("answers", namespace="cam", context=context, use_global_arguments=False)
        self.target = "nobody yet"
        self.paused = False
        self.create_service(SetTarget, "set_target", self._set_target)
        self.create_service(ListPeople, "list_people", self._list)
        self.create_service(Trigger, "pause", lambda _, answer: self._pause(True, answer))
        self.create_service(Trigger, "resume", lambda _, answer: self._pause(False, answer))

    def _set_target(self, request: SetTarget.Request, answer: SetTarget.Response) -> SetTarget.Response:
        answer.success = request.identity in ("", "anna")
        answer.message = f"the target is {request.identity}" if answer.success else "there is only anna"
        self.target = request.identity if answer.success else self.target
        return answer

    def _list(self, _: ListPeople.Request, answer: ListPeople.Response) -> ListPeople.Response:
        answer.success = True
        twins = {"nearest": "bea", "nearest_similarity": 0.6, "threshold": 0.5}
        answer.people = [Person(identity="anna", samples=3, **twins), Person(identity="bea", samples=1)]
        return answer

    def _pause(self, paused: bool, answer: Trigger.Response) -> Trigger.Response:
        self.paused = paused
        answer.success, answer.message = True, "paused" if paused else "steering"
        return answer


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    domain = claim_domain()
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    context = rclpy.Context()
    rclpy.init(args=[], context=context, domain_id=domain)
    node = Answers(context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield node
    executor.shutdown()
    thread.join()
    rclpy.shutdown(context=context)


def test_choose_pause_and_resume(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_stage.main(["--namespace", "cam", "target", "anna"]) == 0 and answers.target == "anna"
    assert on_stage.main(["--namespace", "cam", "target", "zoe"]) == 1 and answers.target == "anna"
    assert on_stage.main(["--namespace", "cam", "target", "--nobody"]) == 0 and answers.target == ""
    assert on_stage.main(["--namespace", "cam", "pause"]) == 0 and answers.paused
    assert on_stage.main(["--namespace", "cam", "resume"]) == 0 and not answers.paused
    said = capsys.readouterr()
    assert said.out.splitlines() == ["the target is anna", "the target is ", "paused", "steering"]
    assert said.err == "there is only anna\n"


def test_who_is_enrolled(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_stage.main(["--namespace", "cam", "people"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["anna  3 faces, 0.60 like bea (too alike to be told apart)", "bea   1 faces"]


def test_the_graph_that_runs_here_is_found_by_its_note(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    command = [
        sys.executable,
        "-c",
        "from face_af_common.running import note; note('/cam'); print(flush=True); input()",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launch:
        assert launch.stdout is not None and launch.stdout.readline()
        monkeypatch.delenv("ROS_DOMAIN_ID")
        assert on_stage.main(["pause"]) == 0 and answers.paused
        launch.kill()


def test_a_graph_that_does_not_run_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(claim_domain()))
    monkeypatch.setattr(on_stage.call, "__defaults__", (0.5,))
    assert on_stage.main(["pause"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_target_needs_a_name_or_nobody() -> None:
    with pytest.raises(SystemExit):
        on_stage.main(["target"])
