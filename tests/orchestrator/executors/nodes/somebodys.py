"""A cluster that somebody else started, with a token; says its address and ends with its standard input.

python somebodys.py RAY PYTHON CPUS        the releases that it says it runs (`own`: the real ones), and its CPU cores
"""

import os
import sys

os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="5" * 64, RAY_USAGE_STATS_ENABLED="0")

import ray
from ray._common.usage import usage_lib
from ray.cluster_utils import Cluster


def main(ray_version, python_version, cpus):
    made = usage_lib._generate_cluster_metadata
    usage_lib._generate_cluster_metadata = lambda **options: {
        **made(**options),
        **({} if ray_version == "own" else {"ray_version": ray_version}),
        **({} if python_version == "own" else {"python_version": python_version}),
    }
    node = {"num_cpus": int(cpus), "object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    print(cluster.address, ray.__version__, flush=True)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
