#!/usr/bin/env bash
# Ray 2.60.0: ray.init with a wrong token says that it "Failed to connect", after 20 s, and not that the token is wrong.
#
# The head answers at once that the token is wrong ("InvalidAuthToken", in the log lines on standard error, once a
# second), so the same client class asked directly raises AuthenticationError within a second. ray.init, however, goes
# on asking for 20 s and then raises ConnectionError, whose text names the address and nothing else: a user whose token
# is wrong looks for a network that is broken. Seen with Python 3.11 on Linux, head and client on one machine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "ray==2.60.0"
cat > "$folder/cluster.py" <<'PY'
import os
import subprocess
import sys
import time

os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="a" * 64, RAY_USAGE_STATS_ENABLED="0")
import ray

CLIENT = """
import sys, time
import ray
from ray._raylet import GcsClient
began = time.monotonic()
try:
    GcsClient(address=sys.argv[1]).internal_kv_keys(b"", None, timeout=5)
except Exception as error:
    print("asked directly:", type(error).__name__, round(time.monotonic() - began, 1))
began = time.monotonic()
try:
    ray.init(address=sys.argv[1])
except Exception as error:
    print("ray.init:", type(error).__name__, round(time.monotonic() - began, 1), "token" in str(error).lower())
"""
ray.init(num_cpus=1, include_dashboard=False, object_store_memory=100 * 2**20, logging_level="ERROR")
address = ray.get_runtime_context().gcs_address
environment = {**os.environ, "RAY_AUTH_TOKEN": "b" * 64}
done = subprocess.run(
    [sys.executable, "-c", CLIENT, address], env=environment, capture_output=True, text=True, timeout=120, check=False
)
print("ray", ray.__version__)
print(done.stdout, end="")
lines = dict(line.split(": ", 1) for line in done.stdout.splitlines())
kind, seconds, named = lines["ray.init"].split()
same = lines["asked directly"].startswith("AuthenticationError")
sys.exit(not (same and kind == "ConnectionError" and float(seconds) > 15 and named == "False"))
PY
"$folder/venv/bin/python" "$folder/cluster.py"
echo "as described"
