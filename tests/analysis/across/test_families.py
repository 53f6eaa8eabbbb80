"""Studies belong to the one paper that they name; those of several papers, or of none, go across."""

from analysis.across.families import ACROSS, FAMILIES, by_family, family_of

PAPERS = {family.name: family.paper for family in FAMILIES}


def test_studies_of_one_paper_are_a_family_and_those_of_several_go_across():
    assert family_of({"paper": PAPERS["secu"]}).name == "secu"
    assert family_of({"paper": f"{PAPERS['secu']}, {PAPERS['pipcdr']}"}) == ACROSS
    assert family_of({}) == ACROSS
    assert family_of({"paper": None}) == ACROSS
    assert family_of({"paper": "9999.99999"}) == ACROSS


def test_families_come_in_their_own_order_their_studies_in_that_of_the_records_and_empty_ones_not_at_all():
    records = [
        ({"paper": PAPERS["secu"]}, 1),
        ({}, 2),
        ({"paper": PAPERS["pipcdr"]}, 3),
        ({"paper": PAPERS["secu"]}, 4),
    ]
    grouped = by_family(iter(records))
    assert [family.name for family in grouped] == ["pipcdr", "secu", "across"]
    assert list(grouped.values()) == [[3], [1, 4], [2]]
    assert by_family([]) == {}


def test_every_family_but_the_one_across_has_a_paper_of_its_own():
    named = [family.paper for family in FAMILIES if family is not ACROSS]
    assert all(named) and len(set(named)) == len(named)
