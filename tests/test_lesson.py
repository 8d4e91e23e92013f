"""Guesses, answers and exercises: what is printed, what is stored, what gets through."""
import json
import signal
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context_inpaint.core import InputError
from context_inpaint.lesson import answer, exercise, guess, overview, progress


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CONTEXT_INPAINT_HOME", str(tmp_path/"home"))
    return tmp_path/"home"


def test_progress_begins_empty_and_survives_what_it_does_not_know(home):
    assert progress() == {"guesses": {}, "exercises": {}}
    home.mkdir(exist_ok=True)
    (home/"progress.json").write_text('{"exercises": {"a-1": true}, "notes": 1}')
    guess("b", 2)
    stored = json.loads((home/"progress.json").read_text())
    assert stored == {"guesses": {"b": 2.0}, "exercises": {"a-1": True}, "notes": 1}
    assert [f.name for f in home.iterdir()] == ["progress.json"]


@settings(deadline=None, max_examples=30)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-10**9, 10**9))
def test_a_guess_comes_back_as_it_went(value):
    guess("key", value)
    assert progress()["guesses"]["key"] == value


def test_no_guess_asks_for_one_and_stores_nothing(capsys, home):
    guess("key")
    guess("key", None)
    assert capsys.readouterr().out == 2*"Your guess first: write a number in place of None, then run the cell again.\n"
    assert not (home/"progress.json").exists()


@pytest.mark.parametrize("value", ["many", [3], {}, object])
def test_a_guess_that_is_no_number_is_refused_and_not_stored(value, home):
    with pytest.raises(InputError, match="a guess is a number such as 12.5, got "): guess("key", value)
    assert progress()["guesses"] == {}


def test_an_answer_says_truth_guess_and_difference(capsys):
    answer("key", 12.345678, "dB")
    guess("key", 10)
    answer("key", 12.345678, "dB")
    answer("key", 10)
    assert capsys.readouterr().out.splitlines() == [
        "It is 12.35 dB. (No guess stored: next time, guess first.)", "Stored: 10. Now find out.",
        "It is 12.35 dB; you guessed 10 dB, off by 2.3 dB.", "It is 10; you guessed 10, off by 0."]


def test_the_last_guess_counts_and_keys_do_not_mix(capsys):
    for key, value in (("a", 1), ("b", 2), ("a", 3)): guess(key, value)
    assert progress()["guesses"] == {"a": 3, "b": 2}


@pytest.mark.parametrize("raised, verdict, solved", [
    (None, "✓ x-1: right", True),
    (NotImplementedError(), "✗ x-1: not started", None),
    (AssertionError("too bright"), "✗ x-1: too bright", False),
    (ZeroDivisionError("division by zero"), "✗ x-1: your code raised ZeroDivisionError: division by zero", False),
    (KeyError("y"), "✗ x-1: your code raised KeyError: 'y'", False),
    (StopIteration(), "✗ x-1: your code raised StopIteration: ", False)])
def test_an_exercise_turns_whatever_happens_into_one_line(raised, verdict, solved, capsys):
    with exercise("x-1"):
        if raised: raise raised
    assert capsys.readouterr().out == verdict + "\n"
    assert progress()["exercises"] == ({} if solved is None else {"x-1": solved})


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_an_exercise_lets_interrupts_through_and_stores_nothing(raised, capsys):
    with pytest.raises(raised), exercise("x-1"): raise raised
    assert capsys.readouterr().out == "" and progress()["exercises"] == {}


needs_a_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system cannot interrupt")


@needs_a_timer
def test_an_endless_answer_ends_with_a_hint(capsys):
    with exercise("x-1", seconds=.2):
        while True:
            try: time.sleep(.01)
            except Exception: pass  # what a student may well write
    assert capsys.readouterr().out == "✗ x-1: no end in 0.2 seconds: does a loop go on for ever?\n"
    assert progress()["exercises"] == {"x-1": False}


@needs_a_timer
@pytest.mark.parametrize("raised", [None, AssertionError("no"), NotImplementedError()])
def test_the_alarm_is_off_after_a_check_and_what_was_there_before_is_back(raised):
    def mine(number, frame): pytest.fail("the alarm rang after the check")
    before = signal.signal(signal.SIGALRM, mine)
    try:
        with exercise("x-1", seconds=.1):
            if raised: raise raised
        assert signal.getsignal(signal.SIGALRM) is mine and signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        time.sleep(.15)
    finally: signal.signal(signal.SIGALRM, before)


def test_a_check_in_another_thread_has_no_limit_but_a_verdict(capsys):
    def check():
        with exercise("x-1", seconds=.01): time.sleep(.05)
    thread = threading.Thread(target=check)
    thread.start()
    thread.join()
    assert capsys.readouterr().out == "✓ x-1: right\n"


def test_a_solved_exercise_can_be_unsolved():
    with exercise("x-1"): pass
    with exercise("x-1"): raise AssertionError
    assert progress()["exercises"] == {"x-1": False}


def test_a_fresh_copy_does_not_unsolve_an_exercise():
    with exercise("x-1"): pass
    with exercise("x-1"): raise NotImplementedError
    assert progress()["exercises"] == {"x-1": True}


def test_damaged_progress_is_one_line(home):
    home.mkdir()
    for text in ("{", "[1]", ""):
        (home/"progress.json").write_text(text)
        with pytest.raises(InputError, match="progress.json is damaged"): progress()


def lesson(path, *sources):
    cells = [{"cell_type": "code", "source": s.splitlines(True), "metadata": {}, "outputs": [], "execution_count": None}
             for s in sources]
    cells.append({"cell_type": "markdown", "source": 'with exercise("prose-1"):', "metadata": {}})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))


def test_overview_lists_what_the_lessons_in_a_folder_ask(tmp_path):
    lesson(tmp_path/"part"/"01_a.ipynb", 'guess("a-share", None)', 'x = 1\nwith exercise("a-1"):\n    pass',
           'with exercise("a-2"):\n    pass', 'if x:\n    with exercise("demo"): pass')
    lesson(tmp_path/"02_b.ipynb", 'guess("b-share", 3.5)', 'with exercise("b-1"):\n    pass')
    lesson(tmp_path/"index.ipynb", "print()")
    lesson(tmp_path/".ipynb_checkpoints"/"03_c.ipynb", 'guess("c", None)')
    guess("b-share", 4)
    guess("elsewhere", 1)
    with exercise("a-1"): pass
    with exercise("a-2"): raise AssertionError
    assert overview(tmp_path) == {"01_a": {"exercises": {"a-1": True, "a-2": False}, "guesses": {"a-share": None}},
                                  "02_b": {"exercises": {"b-1": None}, "guesses": {"b-share": 4}}}


def test_overview_of_the_course_finds_every_exercise():
    whole = overview()
    assert len(whole) > 20
    for name, found in whole.items(): assert len(found["exercises"]) >= 3 and len(found["guesses"]) >= 1, name
    keys = [key for found in whole.values() for kind in found.values() for key in kind]
    assert len(set(keys)) == len(keys), "two lessons store under one key"


def test_overview_of_no_lessons_says_how_to_get_some(tmp_path):
    for folder in (tmp_path, tmp_path/"gone"):
        with pytest.raises(InputError, match="no lessons in .*context-inpaint course"): overview(folder)
    (tmp_path/"x.ipynb").write_text("no JSON")
    with pytest.raises(InputError, match="x.ipynb is no notebook"): overview(tmp_path)
