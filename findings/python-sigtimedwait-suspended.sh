#!/usr/bin/env bash
# CPython 3.9 to 3.13: signal.sigtimedwait names a signal that nobody sent, after its process was suspended for longer.
#
# It is documented to return None when its time is over. A process that waits in it and is stopped (SIGSTOP: Slurm's
# `scontrol suspend`, a debugger, a frozen container) until after that time gets a struct_siginfo of what happened to
# lie in memory: si_signo 1, or 1375209296. With the number of a real signal in it, a program handles a signal that
# never came; otherwise signal.Signals(...) raises. When SIGCONT interrupts the call and no time is left, it leaves its
# loop as if a signal had been taken (Modules/signalmodule.c). sigpending and sigwait are not affected.
# Seen with CPython 3.9.18, 3.11.7, 3.12.1 and 3.13.0 on Linux x86_64; this runs the python3 on PATH.
set -euo pipefail
python3 - <<'PY'
import signal
import subprocess
import sys
import time

CHILD = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
print(signal.sigtimedwait({signal.SIGTERM}, 0.5), flush=True)
"""


def answer(suspended):
    """Return what a process gets that waits for half a second, and is suspended for so long meanwhile."""
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    time.sleep(0.1)
    child.send_signal(signal.SIGSTOP)
    time.sleep(suspended)
    child.send_signal(signal.SIGCONT)
    return child.communicate(timeout=20)[0].strip()


short, long = answer(0.1), answer(1.5)
print("python", sys.version.split()[0])
print("suspended for 0.1 s:", short)
print("suspended for 1.5 s:", long)
sys.exit(not (short == "None" and long.startswith("signal.struct_siginfo")))
PY
echo "as described"
