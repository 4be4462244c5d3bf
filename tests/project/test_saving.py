import os
import stat

import pytest

from micrograd_lab.saving import write_whole


def test_a_file_is_replaced_by_the_new_content(tmp_path):
    for content in (b"old", b"new"):
        write_whole(tmp_path / "file.txt", content)
    assert (tmp_path / "file.txt").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_whole(path, b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.skipif(os.name != "posix", reason="the umask is POSIX")
def test_others_may_read_the_file_as_the_umask_says(tmp_path):
    write_whole(tmp_path / "file.txt", b"text")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "file.txt").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_an_error_names_the_file_that_was_asked_for(tmp_path, folder):
    (tmp_path / "file").touch()
    path = tmp_path / folder / "f.svg"
    with pytest.raises(OSError, match=r"f\.svg") as raised:
        write_whole(path, b"text")
    assert raised.value.filename == str(path)
