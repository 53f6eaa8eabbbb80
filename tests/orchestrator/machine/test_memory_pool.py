import os
import subprocess
import sys

CODE = (
    "from orchestrator.machine.memory_pool import keep_little; keep_little(); "
    "import pyarrow as pa; pa.array(range(10)); print(pa.default_memory_pool().backend_name)"
)


def backend(chosen):
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"} | chosen
    done = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


def test_a_command_that_ends_soon_takes_its_memory_from_the_system_unless_the_user_chose():
    assert backend({}) == "system"
    assert backend({"ARROW_DEFAULT_MEMORY_POOL": "jemalloc"}) == "jemalloc"
