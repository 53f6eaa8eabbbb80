import base64
import hashlib
import json
import re

import pytest

from analysis.pages import rendering

PLANTED = ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028", "a & b", '"quoted"']


@pytest.mark.parametrize("text", PLANTED)
def test_no_text_ends_the_element_that_its_json_stands_in(text):
    written = rendering.as_json({"text": text})
    assert "<" not in written and "\u2028" not in written
    assert json.loads(written) == {"text": text}


def test_a_number_that_json_cannot_say_is_refused():
    with pytest.raises(ValueError):
        rendering.as_json(float("nan"))


def test_the_policy_lets_run_the_scripts_of_the_page_and_no_other():
    policy = rendering.policy(["one()", "two()"])
    digests = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"one()", b"two()")]
    assert all(f"'sha256-{digest}'" in policy for digest in digests)
    assert re.search(r"script-src ([^;]*);", policy)[1].count("sha256") == 2
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy and "unsafe-eval" not in policy


def test_a_page_without_scripts_lets_none_run():
    assert "script-src 'none';" in rendering.policy([])


def test_every_script_and_style_sheet_can_be_read():
    from analysis.pages import study_page

    for name in (*rendering.SCRIPTS, *rendering.STYLES, *study_page.SCRIPTS, *study_page.STYLES):
        assert rendering.source(name).strip()
