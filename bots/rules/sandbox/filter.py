"""The seccomp filter as BPF: what the child may ask of the kernel. Pure: the program is bytes.

Files answer EACCES, so that an import of what is not there fails as an ImportError; whatever else is not listed has the
filter's last word: an error while the fence is being tried, death afterwards.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

ALLOW = 0x7FFF0000
KILL = 0x80000000  # the whole process
ERRNO = 0x00050000
PROT_EXEC = 4

_LOAD, _JUMP_EQUAL, _JUMP_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGS_AT = 0, 4, 16
_X32 = 0x40000000  # the x32 calls of x86_64 are the same kernel by another door


@dataclass(frozen=True, slots=True)
class Machine:
    """One processor's numbers: linux/audit.h and its system call table."""

    arch: int
    calls: dict[str, int]  # allowed whatever their arguments
    files: dict[str, int]  # answer EACCES
    read: int
    write: int
    mmap: int
    mprotect: int
    seccomp: int


X86_64 = Machine(
    arch=0xC000003E,
    calls={
        "brk": 12, "munmap": 11, "mremap": 25, "madvise": 28, "futex": 202, "set_robust_list": 273, "rseq": 334,
        "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131, "restart_syscall": 219, "sched_yield": 24,
        "clock_gettime": 228, "clock_getres": 229, "gettimeofday": 96, "time": 201, "times": 100, "getrusage": 98,
        "getpid": 39, "gettid": 186, "getrandom": 318, "exit": 60, "exit_group": 231,
    },
    files={
        "open": 2, "openat": 257, "openat2": 437, "creat": 85, "stat": 4, "lstat": 6, "fstat": 5, "newfstatat": 262,
        "statx": 332, "access": 21, "faccessat": 269, "faccessat2": 439, "readlink": 89, "readlinkat": 267, "getcwd": 79,
        "getdents64": 217,
    },
    read=0, write=1, mmap=9, mprotect=10, seccomp=317,
)  # fmt: skip
AARCH64 = Machine(
    arch=0xC00000B7,
    calls={
        "brk": 214, "munmap": 215, "mremap": 216, "madvise": 233, "futex": 98, "set_robust_list": 99, "rseq": 293,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "sigaltstack": 132, "restart_syscall": 128, "sched_yield": 124,
        "clock_gettime": 113, "clock_getres": 114, "gettimeofday": 169, "times": 153, "getrusage": 165, "getpid": 172,
        "gettid": 178, "getrandom": 278, "exit": 93, "exit_group": 94,
    },
    files={
        "openat": 56, "openat2": 437, "fstat": 80, "newfstatat": 79, "statx": 291, "faccessat": 48, "faccessat2": 439,
        "readlinkat": 78, "getcwd": 17, "getdents64": 61,
    },
    read=63, write=64, mmap=222, mprotect=226, seccomp=277,
)  # fmt: skip
MACHINES = {"x86_64": X86_64, "aarch64": AARCH64}


def program(machine: Machine, otherwise: int, *, may_tighten: bool = False) -> bytes:
    """Return the filter: `otherwise` is what an unlisted call meets, `may_tighten` lets a second filter be laid on top.

    Reads come from fd 0 and writes go to fds 1 and 2 alone; no memory may become executable.
    """
    calls = dict(machine.calls)
    if may_tighten:
        calls["seccomp"] = machine.seccomp
    code = [
        _step(_LOAD, _ARCH_AT),
        _step(_JUMP_EQUAL, machine.arch, 1, 0),
        _step(_RETURN, KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_JUMP_LEAST, _X32, 0, 1),
        _step(_RETURN, KILL),
    ]
    for number in calls.values():
        code += [_step(_JUMP_EQUAL, number, 0, 1), _step(_RETURN, ALLOW)]
    for number in machine.files.values():
        code += [_step(_JUMP_EQUAL, number, 0, 1), _step(_RETURN, ERRNO | errno.EACCES)]
    code += _first_argument(machine.read, (0,), otherwise)
    code += _first_argument(machine.write, (1, 2), otherwise)
    for number in (machine.mmap, machine.mprotect):
        code += [
            _step(_JUMP_EQUAL, number, 0, 4),
            _step(_LOAD, _ARGS_AT + 8 * 2),
            _step(_JUMP_BITS, PROT_EXEC, 0, 1),
            _step(_RETURN, otherwise),
            _step(_RETURN, ALLOW),
        ]
    code.append(_step(_RETURN, otherwise))
    return b"".join(code)


def _first_argument(number: int, values: tuple[int, ...], otherwise: int) -> list[bytes]:
    inner = [_step(_LOAD, _ARGS_AT)]
    for value in values:
        inner += [_step(_JUMP_EQUAL, value, 0, 1), _step(_RETURN, ALLOW)]
    inner.append(_step(_RETURN, otherwise))
    return [_step(_JUMP_EQUAL, number, 0, len(inner)), *inner]


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, when_true, when_false, value)
