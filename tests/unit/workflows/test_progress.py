"""What is shown of long work where there is no terminal."""

import io

from medvision.workflows import progress
from medvision.workflows.progress import Lines, display


def test_the_end_of_a_task_is_one_line_with_the_last_figure():
    stream = io.StringIO()
    with display(stream) as shown:
        task = shown.task("fold 1/5", 3)
        task.advance(1, "AUC 0.700")
        task.advance(3, "AUC 0.900")
        task.advance(3)
    assert stream.getvalue() == "fold 1/5 · 3/3 · AUC 0.900 · 0:00 spent\n"


def test_lines_between_come_seldom_and_tell_the_time_that_is_left(monkeypatch):
    moments = iter([0.0, 5.0, 20.0, 21.0, 40.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments))
    stream = io.StringIO()
    task = Lines(stream).task("reading", 100)
    for done in (10, 40, 42, 100):
        task.advance(done)
    assert stream.getvalue().splitlines() == [
        "reading · 40/100 · 0:30 left",
        "reading · 100/100 · 0:40 spent",
    ]


def test_a_task_that_goes_on_counts_only_its_own_steps(monkeypatch):
    moments = iter([0.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments))
    stream = io.StringIO()
    Lines(stream).task("fold 1/5", 100, done=80).advance(90)
    assert stream.getvalue() == "fold 1/5 · 90/100 · 0:20 left\n"


def test_quiet_shows_nothing():
    stream = io.StringIO()
    with display(stream, quiet=True) as shown:
        shown.say("anything")
        shown.task("fold", 2).advance(2, "AUC 0.9")
    assert stream.getvalue() == ""
