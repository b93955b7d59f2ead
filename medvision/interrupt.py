"""Ctrl-C that stops within two seconds, whatever the machine is computing.

Everything on disk is written whole or not at all, so the process may end at any moment. A thread waits
for the signal, because Python's own handler would first wait for the end of a long convolution.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from types import FrameType

EXIT_CODE = 130
_SHOW_CURSOR = "\x1b[?25h"


def stop_on_interrupt(advice: str) -> None:
    """From now on end the process on Ctrl-C (SIGINT) with exit code 130, after printing `advice`.

    Args:
        advice: One sentence that says how to go on.
    """
    received, sent = socket.socketpair()
    sent.setblocking(False)
    signal.set_wakeup_fd(sent.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _keep_python_quiet)

    def wait() -> None:
        # The wake-up descriptor reports every handled signal; only this one ends the process.
        while signal.SIGINT not in received.recv(1):
            pass
        cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
        os.write(2, f"{cursor}\nStopped. {advice}\n".encode())
        os._exit(EXIT_CODE)

    # The socket lives as long as the thread that reads it.
    threading.Thread(target=wait, name="interrupt", daemon=True).start()
    _KEPT.append(sent)


_KEPT: list[socket.socket] = []


def _keep_python_quiet(number: int, frame: FrameType | None) -> None:
    """Handle the signal here so that no KeyboardInterrupt starts; the waiting thread acts."""
