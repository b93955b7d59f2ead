"""`medvision cache`: what is in it, what is damaged, what is removed."""

import os
import time

import pytest

from medvision import store
from medvision.cli import main
from medvision.errors import ConfigError
from medvision.workflows.cache import cache_contents, clear_cache


@pytest.fixture
def filled(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path))
    for number in range(22):
        folder = store.place(tmp_path, f"ab{number:02d}")
        folder.mkdir(parents=True)
        (folder / "image.npy").write_bytes(bytes(1000))
        (folder / "case.json").write_text('{"shape": [4, 5, 6]}')
        store.seal(folder)
        used = time.time() - 86400 * number
        os.utime(folder / store.CHECKSUMS, (used, used))
    return tmp_path


def test_it_lists_what_was_used_last(filled, monkeypatch):
    monkeypatch.setenv(store.LIMIT_VARIABLE, "2 GB")
    text = str(cache_contents())
    assert "22 preprocessed cases, 23." in text
    assert "the limit is 2.0 GB" in text
    assert text.count("4×5×6") == 20
    assert "2 more" in text


def test_verifying_names_what_is_damaged(filled):
    (store.place(filled, "ab00") / "case.json").write_text("no")
    text = str(cache_contents(verify=True))
    assert "1 damaged" in text
    assert "?" in text


def test_clearing(filled, capsys):
    with pytest.raises(SystemExit):
        main(["cache", "clear", "--older-than", "10.5d"])
    assert "11 preprocessed cases removed" in capsys.readouterr().out
    assert "11 preprocessed cases removed" in clear_cache()
    with pytest.raises(SystemExit):
        main(["cache", "list"])
    assert "0 preprocessed cases" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["3", "d", "3 months", "-1d"])
def test_what_is_no_time(filled, text):
    with pytest.raises(ConfigError, match="such as 12h, 30d or 4w"):
        clear_cache(text)
