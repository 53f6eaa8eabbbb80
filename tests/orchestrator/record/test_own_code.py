"""What rows say of a user's own method: the packages that it imports, and what no digest covers."""

from orchestrator.provenance import versions
from orchestrator.record.own_code import code_of_methods


def test_a_users_method_names_the_packages_that_it_imports_and_what_is_not_seen(tmp_path):
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "mine.py").write_text("import hypothesis\n__import__(input())\n")
    found = code_of_methods({"mine": "abc", "kmeans": "def"}, [str(tmp_path)])
    assert found["kmeans"].versions == versions()
    assert found["kmeans"].notes == ()
    assert set(found["mine"].versions) == {*versions(), "hypothesis"}
    assert found["mine"].digest == "abc"
    assert found["mine"].notes == (
        "method 'mine': mine.py, line 2, imports by a name that is made when it runs; a change there is not seen, and "
        "earlier trials stay hits",
    )
