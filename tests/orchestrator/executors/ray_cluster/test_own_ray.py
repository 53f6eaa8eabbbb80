"""What a Ray of our own is started with, without starting any."""

from orchestrator.executors.ray_cluster import own_ray


def test_the_object_store_fits_into_shared_memory(monkeypatch):
    class Small:
        free = 64 * 2**20

    monkeypatch.setattr(own_ray.shutil, "disk_usage", lambda path: Small)
    assert own_ray.store_bytes() == 80 * 2**20  # Ray's least
    Small.free = 2**40
    assert own_ray.store_bytes() == own_ray.OBJECT_STORE_BYTES
