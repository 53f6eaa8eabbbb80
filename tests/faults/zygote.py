"""Forks drivers on request: a driver that is killed after a second should not pay five for its imports.

Each line on stdin is a request in JSON, each line on stdout its answer: {"argv": [...], "out": path, "nap": seconds}
starts `orchestrate ARGV` in a session of its own and answers {"pid": n}; {"poll": pid} answers {"status": null} while
it runs, else its exit status (negative: the signal that ended it). Options of a start: "answers": false leaves the
report out, "file_size": bytes limits what a file may hold, "host" is the name of the machine it takes itself to be on,
"limits" are of the process, "clock" is how many seconds it is ahead, "compaction_steps" kills it before that step on
the disk of its compaction, "environment" is set before all. With the argument `ray` it has imported Ray too, for
drivers that start one.
"""

import datetime
import faulthandler
import json
import os
import resource
import signal
import sys
import time
import types
from pathlib import Path

from kill_rig.countdown import Countdown

import orchestrator.cli.commands
import orchestrator.executors.inline
import orchestrator.run.runner
import trainables.training.loop  # noqa: F401
from orchestrator.cli import session
from orchestrator.ledger import Ledger, lock

if "ray" in sys.argv:
    from orchestrator.executors.ray_cluster import cluster

    # Ray reads this when it is imported, which a driver that is not forked does later
    os.environ.update(cluster.DRIVER_ENVIRONMENT, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=cluster.ray_token())
    import orchestrator.executors.ray_tune.fit

CHECKPOINT_SECONDS = 0.02


def _limit(limits):
    """Set limits of the process; AS_MORE is address space beyond what it has now."""
    if "NOFILE" in limits:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits["NOFILE"],) * 2)
    if "AS_MORE" in limits:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + limits["AS_MORE"],) * 2)


def _shift_clock(seconds):
    """Have this process take the time to be another."""
    real_time, real_datetime = time.time, datetime.datetime

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return real_datetime.now(tz) + datetime.timedelta(seconds=seconds)

    time.time = lambda: real_time() + seconds
    for module in list(sys.modules.values()):
        if (
            getattr(module, "__name__", "").startswith("orchestrator")
            and getattr(module, "datetime", 0) is real_datetime
        ):
            module.datetime = Shifted


def _die_in_compaction(steps):
    """Have this process killed before some step on the disk of its compaction."""
    compact = Ledger.compact

    def counted(ledger):
        Countdown(steps, ledger.folder)
        compact(ledger)

    Ledger.compact = counted


def drive(request):
    """Become a driver."""
    os.setsid()
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    faulthandler.register(signal.SIGUSR1)
    os.environ.update(request.get("environment", {}), WALK_NAP=str(request["nap"]))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if "file_size" in request:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails with an error, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"], request["file_size"]))
    _limit(request.get("limits", {}))
    if "clock" in request:
        _shift_clock(request["clock"])
    if "compaction_steps" in request:
        _die_in_compaction(request["compaction_steps"])
    if not request.get("answers", True):
        session.answer = lambda *_: None  # the report takes longer than all the training
    if "host" in request:
        lock.platform = types.SimpleNamespace(node=lambda: request["host"])
        lock.SILENT_SECONDS, lock.BEAT_SECONDS = 5.0, 0.2  # longer than it takes to start another
    # checkpoints come by time, every minute; a trial of these tests is over in less
    orchestrator.run.runner.RunOptions.__init__.__kwdefaults__["checkpoint_seconds"] = CHECKPOINT_SECONDS * request.get(
        "slower", 1
    )
    sys.argv = ["orchestrate", *request["argv"]]
    orchestrator.cli.main()


def answer(request):
    """Do what is asked and return what to say."""
    if "poll" in request:
        pid, status = os.waitpid(request["poll"], os.WNOHANG)
        return {"status": os.waitstatus_to_exitcode(status) if pid else None}
    pid = os.fork()
    if pid:
        return {"pid": pid}
    status = 70
    try:
        drive(request)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
