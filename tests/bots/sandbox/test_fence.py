"""The kernel's fence alone, without lint or informer; what the filter says on each processor; a machine without a fence."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bots.rules.sandbox import filter as bpf
from bots.rules.sandbox.fence import NoFence, raise_fence
from bots.rules.sandbox.filter import ALLOW, ERRNO, KILL, MACHINES, Machine, program
from shared.config import ROOT

DENIED = ERRNO | errno.EACCES
ENOSYS = ERRNO | errno.ENOSYS

# What is tried once the fence stands: C calls and Python's own, each harmful elsewhere.
ATTACKS: dict[str, str] = {
    "system": "libc.system(b'touch made')",
    "write": "libc.creat(b'made', 0o600) < 0 or libc._exit(7)",
    "mkdir": "libc.mkdir(b'made', 0o700)",
    "symlink": "libc.symlink(b'/', b'made')",
    "rename": "libc.rename(b'kept', b'made')",
    "unlink": "libc.unlink(b'kept')",
    "chmod": "libc.chmod(b'kept', 0)",
    "truncate": "libc.truncate(b'kept', 0)",
    "mknod": "libc.mknod(b'made', 0o10600, 0)",
    "chdir": "libc.chdir(b'/')",
    "fork": "os.fork()",
    "vfork and exec": "libc.execl(b'/bin/touch', b'touch', b'made', None)",
    "clone": "libc.syscall(56, 17, 0, 0, 0, 0)",
    "clone3": "libc.syscall(435, 0, 0)",
    "kill the parent": "os.kill(os.getppid(), 10)",
    "kill by number": "libc.syscall(62, PARENT, 10)",
    "tgkill": "libc.syscall(234, PARENT, PARENT, 10)",
    "queued signal": "libc.sigqueue(PARENT, 10, None)",
    "pidfd": "libc.syscall(434, PARENT, 0)",
    "socket": "libc.socket(2, 1, 0)",
    "socket pair": "libc.socketpair(1, 1, 0, (ctypes.c_int * 2)())",
    "io_uring": "libc.syscall(425, 8, ctypes.create_string_buffer(256))",
    "memfd": "libc.memfd_create(b'x', 0)",
    "shared memory": "libc.shmget(1, 4096, 0o1666)",
    "message queue": "libc.msgget(1, 0o1666)",
    "ptrace": "libc.ptrace(16, PARENT, 0, 0)",
    "memory of another": "libc.syscall(311, PARENT, 0, 0, 0, 0, 0)",
    "keyring": "libc.syscall(248, b'user', b'x', b'x', 1, -3)",
    "bpf": "libc.syscall(321, 0, 0, 0)",
    "userfaultfd": "libc.syscall(323, 0)",
    "mount": "libc.mount(b'x', b'/', b'tmpfs', 0, None)",
    "namespaces": "libc.unshare(0x10000000)",
    "prctl": "libc.prctl(4, 1, 0, 0, 0)",
    "limits": "libc.syscall(302, 0, 7, struct.pack('QQ', 64, 64), 0)",
    "owner of a pipe": "libc.fcntl(0, 8, PARENT)",
    "ioctl": "libc.ioctl(0, 0x5452, ctypes.byref(ctypes.c_int(1)))",
    "handlers": "import signal; signal.signal(10, signal.SIG_IGN)",
    "timers": "import signal; signal.setitimer(0, 0.01)",
    "threads": "import _thread; _thread.start_new_thread(print, ())",
    "executable memory": "libc.syscall(9, 0, 4096, 7, 0x22, -1, 0)",
    "executable by mprotect": "libc.mprotect(PAGE, 4096, 5)",
    "another descriptor": "libc.write(9, b'x', 1)",
    "splice": "libc.splice(0, None, 1, None, 1, 0)",
    "x32 door": "libc.syscall(0x40000000 + 57)",
    "old numbers": "libc.syscall(57)",
    "seccomp again": "libc.syscall(317, 1, 0, 0)",
    "restart the clock": "libc.clock_settime(0, struct.pack('QQ', 0, 0))",
}
ATTACKED = """
import ctypes, os, struct, sys
PARENT = int(sys.argv[1])
sys.path.insert(0, {root!r})
from bots.rules.sandbox.fence import raise_fence
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
PAGE = ctypes.c_void_p(libc.mmap(None, 4096, 3, 0x22, -1, 0))
exec("import _thread, signal")
raise_fence(PARENT)
{attack}
os._exit(0)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers above are those of x86_64")
@pytest.mark.parametrize("name", ATTACKS)
def test_the_kernel_alone_stops_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    try:
        code = ATTACKED.format(root=str(ROOT), attack=ATTACKS[name])
        done = subprocess.run(
            [sys.executable, "-S", "-s", "-P", "-c", code, str(os.getpid())], cwd=tmp_path, stdin=subprocess.DEVNULL,
            capture_output=True, env={}, timeout=240, check=False,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert b"NoFence" not in done.stderr
    assert done.returncode in ((0,) if name == "write" else (-signal.SIGSYS,)), done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "kept"
    assert not got


def judged(code: bytes, arch: int, number: int, *arguments: int) -> int:
    """Run a filter as the kernel would."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *(*arguments, *(0,) * (6 - len(arguments))))
    steps = [struct.unpack_from("<HBBI", code, at) for at in range(0, len(code), 8)]
    held = at = 0
    while True:
        kind, when_true, when_false, value = steps[at]
        at += 1
        if kind == 0x06:
            return int(value)
        if kind == 0x20:
            held = struct.unpack_from("<I", data, value)[0]
            continue
        holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[kind]
        at += when_true if holds else when_false


@pytest.mark.parametrize("name", MACHINES)
def test_the_filter_allows_what_is_listed_and_kills_the_rest(name: str) -> None:
    machine: Machine = MACHINES[name]
    code = program(machine, KILL)
    known = {*machine.calls.values(), *machine.files.values()}
    for number in range(600):
        wanted = KILL
        if number in machine.calls.values():
            wanted = ALLOW
        elif number in machine.files.values():
            wanted = DENIED
        elif number in (machine.read, machine.write, machine.mmap, machine.mprotect):
            continue
        assert judged(code, machine.arch, number, 3, 3, 4) == wanted, number
    assert not known & {machine.read, machine.write, machine.mmap, machine.mprotect, machine.seccomp}
    reads = [judged(code, machine.arch, machine.read, fd) for fd in range(4)]
    writes = [judged(code, machine.arch, machine.write, fd) for fd in range(4)]
    assert reads == [ALLOW, KILL, KILL, KILL]
    assert writes == [KILL, ALLOW, ALLOW, KILL]
    for number in (machine.mmap, machine.mprotect):
        assert [judged(code, machine.arch, number, 0, 4096, prot) for prot in (3, 4, 7)] == [ALLOW, KILL, KILL]
    other = next(one for one in MACHINES.values() if one is not machine)
    assert judged(code, other.arch, machine.calls["brk"]) == KILL
    assert judged(code, machine.arch, bpf._X32 + machine.calls["brk"]) == KILL
    loose = program(machine, ERRNO | errno.EPERM, may_tighten=True)
    assert judged(loose, machine.arch, machine.seccomp) == ALLOW
    assert judged(loose, machine.arch, 599) == ERRNO | errno.EPERM


def in_a_fork(work: Callable[[], str]) -> str:
    """What `work` says in a process of its own, which it may spoil."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs, 1)
        try:
            told = work()
        except BaseException as e:
            told = repr(e)
        os.write(1, told.encode())
        os._exit(0)
    os.close(theirs)
    told = os.read(ours, 4096).decode()
    os.close(ours)
    os.waitpid(pid, 0)
    return told


def without(number: int) -> None:
    """Make one system call unknown to this process and all it starts, as on an older kernel."""
    machine = MACHINES[platform.machine()]
    steps = [
        bpf._step(bpf._LOAD, bpf._NUMBER_AT),
        bpf._step(bpf._JUMP_EQUAL, number, 0, 1),
        bpf._step(bpf._RETURN, ENOSYS),
        bpf._step(bpf._RETURN, ALLOW),
    ]
    code = b"".join(steps)
    held = ctypes.create_string_buffer(code, len(code))
    described = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(held)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.syscall(machine.seccomp, 1, 0, described) == 0


def fenced(parent: int) -> str:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        return raise_fence(parent)
    except NoFence as missing:
        return f"missing {missing.layer}"


def test_a_plain_user_gets_the_same_fence() -> None:
    parent = os.getpid()

    def work() -> str:
        if os.getuid() == 0:
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        return fenced(parent)

    assert in_a_fork(work).endswith("+seccomp")


def test_no_fence_without_landlock() -> None:
    parent = os.getpid()

    def work() -> str:
        without(444)
        return fenced(parent)

    assert in_a_fork(work) == "missing landlock"


def test_no_fence_on_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NoFence):
        raise_fence(os.getpid())


def test_strategy_check_refuses_in_three_parts_where_the_fence_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "honest.py"
    file.write_text("def on_bar(ctx):\n    return None\n")
    command = [sys.executable, "-m", "console.cli", "strategy", "check", str(file), "--json"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False, preexec_fn=lambda: without(444)
    )
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["ok"], told["fence"], told["error"]["code"]) == (False, "", "no_fence")
    assert all(told["error"][name] for name in ("what", "why", "now"))
