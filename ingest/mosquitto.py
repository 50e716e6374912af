"""A private Mosquitto: a child process on the loopback with the settings we need, that dies with us."""

import logging
import os
import pwd
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import mqtt5

from domain.errors import EngineError
from ingest.transport import MAX_PAYLOAD_BYTES

HOST = "127.0.0.1"

_LOG = logging.getLogger(__name__)
_START_S = 15.0
_STOP_S = 10.0
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

# Zero means "no limit" for the queues: Mosquitto's own limits drop what a slow or absent subscriber has not fetched yet.
_CONFIGURATION = """\
listener {port} {host}
allow_anonymous true
user {user}
persistence true
persistence_location {folder}/
autosave_interval 10
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 1000
message_size_limit {max_payload}
set_tcp_nodelay true
sys_interval 10
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
"""


def find_mosquitto() -> str | None:
    """Return the path of the mosquitto program, which Debian keeps off the ordinary PATH, or None."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    return shutil.which("mosquitto", path=path)


def free_port() -> int:
    """Return a port of the loopback that is free now; another process may still take it first."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """One child process; `start` it again on the same folder and it remembers its sessions and retained messages.

    `on_end` is called from another thread when it is gone, for whatever reason.
    """

    host = HOST

    def __init__(self, program: str, folder: Path, port: int, on_end: Callable[[], None] = lambda: None) -> None:
        self.port = port
        self._program = program
        self._folder = folder
        self._on_end = on_end
        self._process: subprocess.Popen[str] | None = None
        self._running = threading.Event()
        self._said: list[str] = []

    def start(self) -> None:
        """Start and wait until it listens; raise EngineError with its own words when it does not (a busy port, say)."""
        self.spawn()
        self.wait()

    def spawn(self) -> None:
        """Start the process; it is not listening yet. Call this in a thread that lives as long as the child shall."""
        settings = self._folder / "mosquitto.conf"
        user = pwd.getpwuid(
            os.geteuid()
        ).pw_name  # only root's Mosquitto changes its user: then it could not write here
        settings.write_text(
            _CONFIGURATION.format(
                port=self.port, host=HOST, user=user, folder=self._folder.resolve(), max_payload=MAX_PAYLOAD_BYTES
            )
        )
        command = [*_die_with_parent(), self._program, "-c", str(settings)]
        self._running, self._said = threading.Event(), []  # of this process: the one before may still be ending
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: the broker ends after what it has sent is journalled
        )
        threading.Thread(
            target=self._listen,
            args=(self._process, self._process.stderr, self._running, self._said),
            name="mosquitto",
            daemon=True,
        ).start()

    def wait(self) -> None:
        """Wait until it listens; raise EngineError when it ends instead or takes too long."""
        said_so = self._running.wait(_START_S)
        if not said_so or self._process is None or self._process.poll() is not None:
            self.kill()
            raise EngineError(
                f"mosquitto did not start on port {self.port}: {' / '.join(self._said[-3:]) or 'no word'}"
            )
        self._greet()

    def _greet(self) -> None:
        # It says "running" a moment before it is, and a SIGTERM in that moment is lost; after one answer it is not.
        with socket.create_connection((HOST, self.port), timeout=_START_S) as probe:
            probe.sendall(mqtt5.ConnectPacket("").write())
            probe.recv(1)

    def _listen(
        self, process: "subprocess.Popen[str]", stderr: IO[str], running: threading.Event, said: list[str]
    ) -> None:
        with stderr:
            for line in stderr:
                _LOG.debug("%s", line.rstrip())
                if not running.is_set():
                    said.append(line.rstrip())
                    if line.rstrip().endswith("running"):
                        running.set()
        process.wait()  # so that who waits for `running` and finds it ended knows it
        running.set()
        self._on_end()

    def stop(self) -> None:
        """End it in good order: it saves its sessions and queues."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        process = self._process
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None


def _die_with_parent() -> list[str]:
    """Return the words before a command that make it end when we do, even by kill -9; none where there is no such tool."""
    setpriv = shutil.which("setpriv")  # util-linux: on every Debian and Ubuntu
    return [] if setpriv is None else [setpriv, "--pdeathsig", "TERM", "--"]
