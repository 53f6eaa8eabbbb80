"""Places of a cluster: how many workers there may be, and which are left empty for a while."""

from recorded_workers import FINISHED, Worker, begun, packed

from orchestrator.executors.ray_tune.bridge import Bridge
from orchestrator.executors.ray_tune.parcel import Message, Parcel
from orchestrator.executors.ray_tune.places import CUT_OFF_SECONDS, Places
from orchestrator.trial import FailureKind


def test_no_more_bundles_start_than_there_is_room(bridge_for, bundles):
    bridge, _ = bridge_for(bundles(5))
    assert [bridge.next_parcel() is None for _ in range(4)] == [False, False, True, True]


def test_an_idle_worker_makes_room_when_a_dead_node_was_counted_too_long(source_of, bundles):
    room = [3]
    bridge, source = Bridge(lambda: room[0], packed), source_of(bundles(3, n_epochs=1))
    bridge.attach(source)
    first, _ = begun(bridge)
    second, _ = begun(bridge)
    waiting = bridge.next_parcel()  # the third one's place is on a node that is gone
    assert not any([bridge.take(first, FINISHED), bridge.take(second, FINISHED)])
    room[0] = 2
    assert bridge.take(first, Message().packed())
    assert not bridge.take(second, Message().packed())  # one is enough
    bridge.started(waiting.number, Worker())
    bridge.take(waiting.number, FINISHED)
    assert len(source.how("finished")) == 3


def test_the_place_of_a_worker_that_is_cut_off_is_left_empty_for_a_while(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(5))
    (first, _), _ = begun(bridge), begun(bridge)
    bridge.died(first, FailureKind.INFRASTRUCTURE, "unavailable", cut_off=True)
    assert len(source.events) == 1
    assert bridge.next_parcel() is None
    clock.now += CUT_OFF_SECONDS + 0.1
    assert bridge.next_parcel() is not None


def test_however_many_are_cut_off_one_place_is_tried(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(5))
    for number, _ in [begun(bridge), begun(bridge)]:
        bridge.died(number, FailureKind.INFRASTRUCTURE, "unavailable", cut_off=True)
    assert bridge.next_parcel() is not None
    assert bridge.next_parcel() is None


def test_places_are_counted_by_parcel_and_there_is_always_one(clock):
    room = [2]
    places = Places(lambda: room[0])
    assert not places.are_taken
    for number in (1, 2):
        places.take(Parcel(number))
    assert (places.are_taken, places.are_crowded, places.shares) == (True, False, [1.0, 1.0])
    places.lose_one()
    assert places.are_crowded
    clock.now += CUT_OFF_SECONDS + 0.1
    assert not places.are_crowded
    room[0] = 0
    assert places.are_crowded
    places.leave(1)
    places.leave(1)
    assert not places.are_crowded and places.are_taken
    places.clear()
    assert not places.are_taken


def test_a_bundle_of_several_cards_takes_as_many_places(bundles):
    places = Places(lambda: 4, most=3)
    sizes = [2.0, 1.0, 0.5]
    for number, size in enumerate(sizes):
        parcel = Parcel(number, device="cuda")
        parcel.cards = size
        places.take(parcel)
        assert places.are_taken == (number == 2)  # three at most, though 3.5 of 4 places are taken
    assert not places.are_crowded
    places.leave(2)
    wide = Parcel(3, device="cuda")
    wide.cards = 2.0
    places.take(wide)
    assert places.are_crowded
    assert Parcel(4).places == 1.0
