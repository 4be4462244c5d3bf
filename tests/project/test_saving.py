import os
import stat
import threading

import pytest

from micrograd_lab.saving import check_suffix, write_whole


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


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_replaced_file_keeps_its_mode(tmp_path):
    path = tmp_path / "file.txt"
    path.touch(0o600)
    write_whole(path, b"text")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"text", 0o600)


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_followed(tmp_path, exists):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "file.txt"
    if exists:
        target.write_bytes(b"old")
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["folder", "link.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX")
def test_a_fifo_stays_one(tmp_path):
    path = tmp_path / "file.txt"
    os.mkfifo(path)
    received = []
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()), daemon=True)
    reader.start()
    write_whole(path, b"text")
    reader.join(10)
    assert received == [b"text"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_device_stays_one():
    write_whole(os.devnull, b"text")
    assert not stat.S_ISREG(os.stat(os.devnull).st_mode)


def test_a_name_for_another_format_is_refused():
    check_suffix("F.HTML", ".html", ".htm")
    with pytest.raises(ValueError, match=r"^'f\.svg' has no .* end it in \.html or \.htm$"):
        check_suffix("a/f.svg", ".html", ".htm")
    with pytest.raises(ValueError, match=r"end it in \.a, \.b or \.c$"):
        check_suffix("f", ".a", ".b", ".c")
