"""Ways out of confinement, one function each: it returns when the way is open and raises otherwise.

Each is run twice with the same code: in a plain process, where it must succeed (else it would prove
nothing), and in a confined worker, where it must not. Everything is harmless: signal 0, reading
what is set out to be read, changes inside a folder made for it.

Descriptor 3 is the input and 4 a socket to the host, in both arms.
"""

# ruff: noqa: PTH101, PTH102, PTH104, PTH106, PTH108, PTH109, PTH115, PTH116, PTH211
from __future__ import annotations

import ctypes
import fcntl
import hashlib
import mmap
import os
import platform
import re
import resource
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.escapes.numbers_of_calls import NUMBERS

World = dict[str, Any]
Attempt = Callable[[World], None]
ATTEMPTS: dict[str, tuple[str, Attempt]] = {}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.mmap.restype = ctypes.c_void_p
_COLUMN = {"x86_64": 0, "aarch64": 1}[platform.machine()]


def attempt(kind: str) -> Callable[[Attempt], Attempt]:
    def keep(function: Attempt) -> Attempt:
        ATTEMPTS[function.__name__] = (kind, function)
        return function

    return keep


def call(name: str, *arguments: Any) -> int:
    """A raw system call."""
    number = NUMBERS[name][_COLUMN]
    if number is None:
        raise NotImplementedError(f"no {name} on this machine")
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def text(path: str) -> ctypes.c_char_p:
    return ctypes.c_char_p(path.encode())


def room(size: int = 64) -> Any:
    return ctypes.create_string_buffer(size)


# -- network ------------------------------------------------------------------------------------


@attempt("network")
def tcp_connect(world: World) -> None:
    socket.create_connection(("127.0.0.1", world["tcp_port"]), timeout=2).close()


@attempt("network")
def tcp_listen(world: World) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()


@attempt("network")
def tcp6_socket(world: World) -> None:
    socket.socket(socket.AF_INET6).close()


@attempt("network")
def udp_send(world: World) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"out", ("127.0.0.1", world["udp_port"]))


@attempt("network")
def udp_bind(world: World) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))


@attempt("network")
def name_lookup(world: World) -> None:
    socket.getaddrinfo("localhost", 80)


@attempt("network")
def unix_path_connect(world: World) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(world["unix_path"])


@attempt("network")
def unix_abstract_connect(world: World) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("\0" + world["unix_abstract"])


@attempt("network")
def unix_bind(world: World) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(world["folder"] + "/bound")


@attempt("network")
def unix_pair(world: World) -> None:
    for one in socket.socketpair():
        one.close()


@attempt("network")
def netlink(world: World) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as one:
        one.bind((0, 0))
        one.send(struct.pack("=IHHIIB3x", 20, 18, 0x301, 1, 0, 0))  # RTM_GETLINK, dump
        assert one.recv(8192)


@attempt("network")
def raw_socket(world: World) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


@attempt("network")
def packet_socket(world: World) -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


@attempt("network")
def kernel_crypto_socket(world: World) -> None:
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as one:
        one.bind(("hash", "sha256"))


@attempt("network")
def virtual_machine_socket(world: World) -> None:
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()


@attempt("network")
def interfaces_by_ioctl(world: World) -> None:
    asked = struct.pack("=16si20x", b"", 1)
    assert fcntl.ioctl(4, 0x8910, asked)[:2] == b"lo"  # SIOCGIFNAME


@attempt("network")
def pass_a_descriptor(world: World) -> None:
    with socket.socket(fileno=os.dup(4)) as one:
        socket.send_fds(one, [b"x"], [3])


@attempt("network")
def who_is_the_host(world: World) -> None:
    with socket.socket(socket.AF_UNIX, fileno=os.dup(4)) as one:
        one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)


# -- files --------------------------------------------------------------------------------------


@attempt("file")
def open_read(world: World) -> None:
    os.close(os.open(world["file"], os.O_RDONLY))


@attempt("file")
def open_write(world: World) -> None:
    os.close(os.open(world["file"], os.O_WRONLY))


@attempt("file")
def open_create(world: World) -> None:
    os.close(os.open(world["folder"] + "/made", os.O_WRONLY | os.O_CREAT))


@attempt("file")
def open_device(world: World) -> None:
    os.close(os.open("/dev/null", os.O_RDWR))


@attempt("file")
def open_unnamed(world: World) -> None:
    os.close(os.open(world["folder"], os.O_TMPFILE | os.O_RDWR))


@attempt("file")
def openat2(world: World) -> None:
    how = ctypes.c_char_p(struct.pack("=QQQ", os.O_RDONLY, 0, 0))
    os.close(call("openat2", -100, text(world["file"]), how, 24))


@attempt("file")
def list_root(world: World) -> None:
    assert os.listdir("/")


@attempt("file")
def stat_path(world: World) -> None:
    os.stat(world["file"])


@attempt("file")
def stat_path_as_descriptor(world: World) -> None:
    """The form of fstat that newer C libraries use, with a path in it."""
    call("newfstatat", -100, text(world["file"]), room(256), 0x1000)


@attempt("file")
def statx(world: World) -> None:
    call("statx", -100, text(world["file"]), 0, 0x7FF, room(256))


@attempt("file")
def stat_file_system(world: World) -> None:
    os.statvfs(world["folder"])


@attempt("file")
def access(world: World) -> None:
    assert os.access(world["file"], os.R_OK)


@attempt("file")
def change_folder(world: World) -> None:
    os.chdir(world["folder"])


@attempt("file")
def where_am_i(world: World) -> None:
    os.getcwd()


@attempt("file")
def rename(world: World) -> None:
    os.rename(world["to_rename"], world["folder"] + "/renamed")


@attempt("file")
def unlink(world: World) -> None:
    os.unlink(world["to_unlink"])


@attempt("file")
def hard_link(world: World) -> None:
    os.link(world["file"], world["folder"] + "/hard")


@attempt("file")
def symbolic_link(world: World) -> None:
    os.symlink(world["file"], world["folder"] + "/soft")


@attempt("file")
def read_link(world: World) -> None:
    os.readlink(world["link"])


@attempt("file")
def change_mode(world: World) -> None:
    os.chmod(world["file"], 0o600)


@attempt("file")
def change_mode_of_input(world: World) -> None:
    os.fchmod(3, 0o600)


@attempt("file")
def change_owner(world: World) -> None:
    os.chown(world["file"], -1, -1)


@attempt("file")
def make_folder(world: World) -> None:
    os.mkdir(world["folder"] + "/folder")


@attempt("file")
def remove_folder(world: World) -> None:
    os.rmdir(world["to_rmdir"])


@attempt("file")
def truncate(world: World) -> None:
    os.truncate(world["to_truncate"], 0)


@attempt("file")
def set_times(world: World) -> None:
    os.utime(world["file"], (1, 1))


@attempt("file")
def set_times_of_input(world: World) -> None:
    os.utime(3, (1, 1))


@attempt("file")
def list_attributes(world: World) -> None:
    os.listxattr(world["file"])


@attempt("file")
def make_pipe_file(world: World) -> None:
    os.mkfifo(world["folder"] + "/fifo")


@attempt("file")
def lock_input(world: World) -> None:
    fcntl.flock(3, fcntl.LOCK_SH)


@attempt("file")
def open_input_again(world: World) -> None:
    os.close(os.open("/proc/self/fd/3", os.O_RDWR))


@attempt("file")
def handle_of_a_file(world: World) -> None:
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0), 136)
    call("name_to_handle_at", -100, text(world["file"]), handle, room(8), 0)


@attempt("file")
def watch_files(world: World) -> None:
    os.close(call("inotify_init1", 0))


@attempt("file")
def watch_mounts(world: World) -> None:
    os.close(call("fanotify_init", 0, 0))


@attempt("file")
def send_file(world: World) -> None:
    os.sendfile(4, 3, 0, 1)


@attempt("file")
def pipe_and_splice(world: World) -> None:
    reader, writer = os.pipe()
    os.splice(3, writer, 1, offset_src=0)
    os.close(reader)
    os.close(writer)


@attempt("file")
def terminal(world: World) -> None:
    for fd in os.openpty():
        os.close(fd)


# -- processes ----------------------------------------------------------------------------------


def _wait(child: int) -> None:
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


@attempt("process")
def fork(world: World) -> None:
    _wait(os.fork())


@attempt("process")
def fork_many(world: World) -> None:
    for _ in range(4):
        _wait(os.fork())


@attempt("process")
def fork_by_clone3(world: World) -> None:
    arguments = struct.pack("=8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    _wait(call("clone3", ctypes.c_char_p(arguments), 64))


@attempt("process")
def fork_by_vfork(world: World) -> None:
    _wait(call("clone", signal.SIGCHLD, 0, 0, 0, 0))


@attempt("process")
def thread(world: World) -> None:
    one = threading.Thread(target=time.monotonic)
    one.start()
    one.join()


@attempt("process")
def spawn_a_program(world: World) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


@attempt("process")
def become_a_program(world: World) -> None:
    os.execv("/bin/true", ["true"])


@attempt("process")
def become_a_program_by_descriptor(world: World) -> None:
    empty = (ctypes.c_char_p * 1)(None)
    call("execveat", -100, text("/bin/true"), empty, empty, 0)


@attempt("process")
def become_a_program_in_memory(world: World) -> None:
    fd = os.memfd_create("program")
    os.write(fd, Path("/bin/true").read_bytes())
    os.execve(fd, ["true"], {})


@attempt("process")
def setsid(world: World) -> None:
    os.setsid()


@attempt("process")
def own_process_group(world: World) -> None:
    os.setpgid(0, 0)


@attempt("process")
def namespace_entries(world: World) -> None:
    assert os.listdir("/proc/self/ns")


# -- signals ------------------------------------------------------------------------------------


@attempt("signal")
def signal_parent(world: World) -> None:
    os.kill(os.getppid(), 0)


@attempt("signal")
def signal_host(world: World) -> None:
    os.kill(world["host_pid"], 0)


@attempt("signal")
def signal_everybody(world: World) -> None:
    os.kill(-1, 0)


@attempt("signal")
def signal_group(world: World) -> None:
    os.killpg(0, 0)


@attempt("signal")
def signal_a_thread(world: World) -> None:
    call("tgkill", world["target_pid"], world["target_pid"], 0)


@attempt("signal")
def signal_with_a_value(world: World) -> None:
    info = ctypes.c_char_p(struct.pack("=iii", 0, 0, -1) + bytes(116))
    call("rt_sigqueueinfo", world["target_pid"], 0, info)


@attempt("signal")
def process_descriptor(world: World) -> None:
    os.close(os.pidfd_open(world["target_pid"]))


@attempt("signal")
def signal_by_descriptor(world: World) -> None:
    signal.pidfd_send_signal(os.pidfd_open(world["target_pid"]), 0)


@attempt("signal")
def signal_on_input(world: World) -> None:
    """Has the kernel send SIGIO to the parent."""
    fcntl.fcntl(4, fcntl.F_SETOWN, os.getppid())


@attempt("signal")
def lower_a_priority(world: World) -> None:
    pid = world["target_pid"]
    os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid))


@attempt("signal")
def move_to_a_processor(world: World) -> None:
    os.sched_setaffinity(world["target_pid"], os.sched_getaffinity(world["target_pid"]))


@attempt("signal")
def change_scheduling(world: World) -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@attempt("signal")
def change_disk_priority(world: World) -> None:
    call("ioprio_set", 1, world["target_pid"], (2 << 13) | 4)


@attempt("signal")
def limits_of_others(world: World) -> None:
    resource.prlimit(world["target_pid"], resource.RLIMIT_CORE)


@attempt("signal")
def raise_own_limits(world: World) -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))


# -- ptrace and the memory of others --------------------------------------------------------------


@attempt("ptrace")
def trace_target(world: World) -> None:
    call("ptrace", 16, world["target_pid"], 0, 0)  # PTRACE_ATTACH
    os.waitpid(world["target_pid"], 0)
    call("ptrace", 17, world["target_pid"], 0, 0)


@attempt("ptrace")
def trace_parent(world: World) -> None:
    call("ptrace", 0x4206, os.getppid(), 0, 0)  # PTRACE_SEIZE, does not stop it


@attempt("ptrace")
def be_traced(world: World) -> None:
    call("ptrace", 0, 0, 0, 0)


def _vectors(world: World) -> tuple[Any, Any, Any]:
    mine = room(16)
    here = ctypes.c_char_p(struct.pack("=QQ", ctypes.addressof(mine), 16))
    there = ctypes.c_char_p(struct.pack("=QQ", world["target_address"], 16))
    return mine, here, there


@attempt("ptrace")
def read_memory_of_target(world: World) -> None:
    mine, here, there = _vectors(world)
    assert call("process_vm_readv", world["target_pid"], here, 1, there, 1, 0) == 16
    assert mine.raw == b"memory of target"


@attempt("ptrace")
def write_memory_of_target(world: World) -> None:
    mine, here, there = _vectors(world)
    mine.raw = b"memory of target"
    assert call("process_vm_writev", world["target_pid"], here, 1, there, 1, 0) == 16


@attempt("ptrace")
def read_memory_of_parent(world: World) -> None:
    fd = os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY)
    assert os.pread(fd, 16, ctypes.addressof(_HERE)) == bytes(_HERE)


@attempt("ptrace")
def write_own_memory_file(world: World) -> None:
    os.close(os.open("/proc/self/mem", os.O_RDWR))


@attempt("ptrace")
def environment_of_parent(world: World) -> None:
    assert Path(f"/proc/{os.getppid()}/environ").read_bytes() is not None


@attempt("ptrace")
def map_of_parent(world: World) -> None:
    assert Path(f"/proc/{os.getppid()}/maps").read_text()


@attempt("ptrace")
def map_of_self(world: World) -> None:
    assert Path("/proc/self/maps").read_text()


@attempt("ptrace")
def descriptors_of_parent(world: World) -> None:
    assert os.listdir(f"/proc/{os.getppid()}/fd")


@attempt("ptrace")
def steal_a_descriptor(world: World) -> None:
    os.close(call("pidfd_getfd", os.pidfd_open(world["target_pid"]), 0, 0))


@attempt("ptrace")
def compare_with_parent(world: World) -> None:
    call("kcmp", os.getpid(), os.getppid(), 1, 0, 0)


@attempt("ptrace")
def find_a_secret(world: World) -> None:
    """What the process that forks us, or an earlier worker, had in memory or environment."""
    seen = 0
    for start, end in _ranges(world):
        for match in re.finditer(rb"cAnArY-[0-9a-f]{32}", ctypes.string_at(start, end - start)):
            seen += 1
            if hashlib.sha256(match[0]).hexdigest() == world["secret_sha256"]:
                return
    raise LookupError(f"{seen} canaries, none of them the secret")


#: Lies in every process that imported this: a hunt that does not find it did not look.
PLAIN_CANARY = bytes(bytearray(b"cAnArY-" + b"0" * 32))


def _ranges(world: World) -> Iterator[tuple[int, int]]:
    """Readable memory; the host tells a confined worker where the zygote's lies."""
    maps = world.get("maps") or Path("/proc/self/maps").read_text()
    for line in maps.splitlines():
        place, rights, *_ = line.split()
        if rights.startswith("rw") and "[v" not in line:
            start, end = (int(one, 16) for one in place.split("-"))
            yield start, end


_HERE = (ctypes.c_char * 16)(*b"memory of parent")

# -- own memory ---------------------------------------------------------------------------------

_RETURN = {"x86_64": b"\xc3", "aarch64": b"\xc0\x03\x5f\xd6"}.get(platform.machine(), b"")


def _page(protection: int) -> int:
    """A private page, by the C library, for Python's mmap cannot call what it holds."""
    where = _libc.mmap(None, ctypes.c_size_t(4096), protection, 0x22, -1, ctypes.c_long(0))
    if where in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    return int(where)


@attempt("memory")
def executable_memory(world: World) -> None:
    where = _page(7)
    ctypes.memmove(where, _RETURN, len(_RETURN))
    ctypes.CFUNCTYPE(None)(where)()


@attempt("memory")
def memory_made_executable(world: World) -> None:
    where = _page(3)
    ctypes.memmove(where, _RETURN, len(_RETURN))
    if _libc.mprotect(ctypes.c_void_p(where), ctypes.c_size_t(4096), 5) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    ctypes.CFUNCTYPE(None)(where)()


@attempt("memory")
def input_mapped_executable(world: World) -> None:
    mmap.mmap(3, 1, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC).close()


@attempt("memory")
def memory_protected_by_key(world: World) -> None:
    where = _page(3)
    call("pkey_mprotect", where, 4096, 5, -1)


@attempt("memory")
def memory_file(world: World) -> None:
    os.close(os.memfd_create("x"))


@attempt("memory")
def user_page_faults(world: World) -> None:
    os.close(call("userfaultfd", 1))


@attempt("memory")
def legacy_personality(world: World) -> None:
    call("personality", 0x0400000)  # READ_IMPLIES_EXEC


@attempt("memory")
def legacy_segments(world: World) -> None:
    call("modify_ldt", 0, room(16), 16)


@attempt("memory")
def segment_base(world: World) -> None:
    call("arch_prctl", 0x1004, room(8))  # ARCH_GET_GS


@attempt("memory")
def lock_memory(world: World) -> None:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20))
    call("mlock", ctypes.byref(_HERE), 16)


@attempt("memory")
def foreign_calling_convention(world: World) -> None:
    if _libc.syscall(ctypes.c_long(0x40000000 + 39)) < 0:  # x32 getpid
        raise OSError(ctypes.get_errno(), "x32")


# -- shared memory and queues -----------------------------------------------------------------------


@attempt("shared memory")
def shared_mapping(world: World) -> None:
    mmap.mmap(-1, 4096, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS).close()


@attempt("shared memory")
def shared_mapping_of_input(world: World) -> None:
    mmap.mmap(3, 1, mmap.MAP_SHARED, mmap.PROT_READ).close()


@attempt("shared memory")
def system_v_memory(world: World) -> None:
    _libc.shmctl(call("shmget", 0, 4096, 0o1600), 0, None)


@attempt("shared memory")
def system_v_semaphores(world: World) -> None:
    _libc.semctl(call("semget", 0, 1, 0o1600), 0, 0)


@attempt("shared memory")
def system_v_messages(world: World) -> None:
    _libc.msgctl(call("msgget", 0, 0o1600), 0, None)


@attempt("shared memory")
def posix_memory(world: World) -> None:
    os.close(os.open(world["shared_memory"], os.O_RDWR))


@attempt("shared memory")
def posix_messages(world: World) -> None:
    name = text("muniment-escape")
    os.close(call("mq_open", name, os.O_CREAT | os.O_RDWR, 0o600, 0))
    _libc.mq_unlink(b"/muniment-escape")


# -- keyring ------------------------------------------------------------------------------------


@attempt("keyring")
def own_keyring(world: World) -> None:
    call("keyctl", 0, -2, 1)  # KEYCTL_GET_KEYRING_ID of the process keyring, make it


@attempt("keyring")
def add_a_key(world: World) -> None:
    call("add_key", text("user"), text("escape"), text("x"), 1, -2)


@attempt("keyring")
def read_a_key(world: World) -> None:
    key = call("add_key", text("user"), text("escape2"), text("x"), 1, -2)
    assert call("keyctl", 11, key, room(8), 8) == 1


@attempt("keyring")
def request_a_key(world: World) -> None:
    ctypes.set_errno(0)
    try:
        call("request_key", text("user"), text("no-such-key-at-all"), 0, 0)
    except OSError as error:
        if error.errno != 126:  # ENOKEY: the kernel looked and found none: the way is open
            raise


# -- namespaces and mounts ----------------------------------------------------------------------


def _unshares(bit: int) -> Attempt:
    def leave(world: World) -> None:
        call("unshare", bit)

    return leave


for _name, _bit in (
    ("user", 0x10000000),
    ("net", 0x40000000),
    ("pid", 0x20000000),
    ("ipc", 0x08000000),
    ("mount", 0x00020000),
    ("host_name", 0x04000000),
    ("control_group", 0x02000000),
    ("time", 0x00000080),
):
    ATTEMPTS[f"new_{_name}_namespace"] = ("namespace", _unshares(_bit))


@attempt("namespace")
def join_a_namespace(world: World) -> None:
    call("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0)


@attempt("namespace")
def join_by_process(world: World) -> None:
    call("setns", os.pidfd_open(world["target_pid"]), 0x40000000)


@attempt("namespace")
def mount(world: World) -> None:
    call("mount", text("none"), text(world["to_mount"]), text("tmpfs"), 0, text("size=4k"))


@attempt("namespace")
def open_a_file_system(world: World) -> None:
    os.close(call("fsopen", text("tmpfs"), 0))


@attempt("namespace")
def copy_a_mount(world: World) -> None:
    os.close(call("open_tree", -100, text("/"), 0))


@attempt("namespace")
def other_root(world: World) -> None:
    os.chroot(world["folder"])


@attempt("namespace")
def host_name(world: World) -> None:
    socket.sethostname(b"muniment")


# -- identity and the layers themselves -----------------------------------------------------------


@attempt("identity")
def become_another_user(world: World) -> None:
    os.setuid(os.getuid())


@attempt("identity")
def become_another_group(world: World) -> None:
    os.setgroups([])


@attempt("identity")
def set_capabilities(world: World) -> None:
    header = ctypes.c_char_p(struct.pack("=Ii", 0x20080522, 0))
    call("capset", header, room(24))


@attempt("identity")
def become_readable(world: World) -> None:
    call("prctl", 4, 1, 0, 0, 0)


@attempt("identity")
def survive_the_parent(world: World) -> None:
    call("prctl", 1, 0, 0, 0, 0)


@attempt("identity")
def rename_itself(world: World) -> None:
    call("prctl", 15, text("renamed"), 0, 0, 0)  # PR_SET_NAME


@attempt("identity")
def add_a_filter(world: World) -> None:
    call("prctl", 38, 1, 0, 0, 0)
    _install_allow_all()


@attempt("identity")
def add_a_filter_at_once(world: World) -> None:
    _install_allow_all(privileged=True)


def _install_allow_all(privileged: bool = False) -> None:
    code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000), 8)
    program = ctypes.c_char_p(struct.pack("=H6xQ", 1, ctypes.addressof(code)))
    call("seccomp", 1, 2 if privileged else 0, program)


@attempt("identity")
def make_a_rule_set(world: World) -> None:
    call("landlock_create_ruleset", ctypes.c_void_p(None), 0, 1)


# -- kernel interfaces --------------------------------------------------------------------------


@attempt("kernel")
def io_uring(world: World) -> None:
    os.close(call("io_uring_setup", 1, room(120)))


@attempt("kernel")
def bpf_map(world: World) -> None:
    asked = ctypes.create_string_buffer(struct.pack("=IIII", 2, 4, 4, 1), 120)
    os.close(call("bpf", 0, asked, 72))


@attempt("kernel")
def performance_counters(world: World) -> None:
    asked = ctypes.create_string_buffer(struct.pack("=IIQ", 1, 112, 0), 112)  # software clock
    os.close(call("perf_event_open", asked, 0, -1, -1, 0))


@attempt("kernel")
def kernel_log(world: World) -> None:
    call("syslog", 10, 0, 0)


@attempt("kernel")
def hardware_ports(world: World) -> None:
    call("ioperm", 0x80, 1, 1)


@attempt("kernel")
def timer_that_signals(world: World) -> None:
    call("timer_create", 1, 0, room(8))


@attempt("kernel")
def event_counter(world: World) -> None:
    os.close(os.eventfd(0))


@attempt("kernel")
def own_timer(world: World) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


@attempt("kernel")
def wait_on_many(world: World) -> None:
    os.close(call("epoll_create1", 0))


@attempt("kernel")
def machine_name(world: World) -> None:
    os.uname()


# -- limits -------------------------------------------------------------------------------------


@attempt("limit")
def eat_memory(world: World) -> None:
    pieces = [bytearray(64 << 20) for _ in range(12)]
    assert len(pieces) == 12


@attempt("limit")
def eat_memory_at_once(world: World) -> None:
    assert len(bytearray(768 << 20))


@attempt("limit")
def eat_descriptors(world: World) -> None:
    assert len([os.dup(3) for _ in range(64)]) == 64


@attempt("limit")
def eat_processor_time(world: World) -> None:
    while time.process_time() < 1.5:
        pass


@attempt("limit")
def eat_time(world: World) -> None:
    until_s = time.monotonic() + 0.8
    while time.monotonic() < until_s:
        pass


@attempt("limit")
def flood_the_output(world: World) -> None:
    for _ in range(40):
        world["emit"](bytes(1 << 20))


@attempt("limit")
def flood_past_the_emitter(world: World) -> None:
    piece = struct.pack("<BI", 1, 1 << 20) + bytes(1 << 20)
    for _ in range(40):
        view = memoryview(piece)
        while view:
            view = view[os.write(4, view) :]
