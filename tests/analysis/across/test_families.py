"""Studies belong to the one paper that they name, or go across."""

from analysis.across.families import ACROSS, FAMILIES, by_family, family_of


def test_studies_of_one_paper_are_a_family_and_those_of_several_go_across():
    papers = {family.name: family.paper for family in FAMILIES}
    assert family_of({"paper": papers["secu"]}).name == "secu"
    assert family_of({"paper": f"{papers['secu']}, {papers['pipcdr']}"}) == ACROSS
    assert family_of({}) == ACROSS
    grouped = by_family([({"paper": papers["secu"]}, 1), ({}, 2), ({"paper": papers["secu"]}, 3)])
    assert {family.name: found for family, found in grouped.items()} == {"secu": [1, 3], "across": [2]}
