from __future__ import annotations

from analysis.figures import curves, drawing


def test_saved_figures_are_the_same_bytes_again(parts, tmp_path):
    study, _, rows, _ = parts
    one, two = (
        drawing.save([curves.level_figure(study, rows, "fairness_weight")], tmp_path / name)[0].read_bytes()
        for name in ("a", "b")
    )
    assert one == two


def test_pictures_of_dots_are_written_if_they_are_asked_for(parts, tmp_path):
    study, _, rows, _ = parts
    figure = curves.level_figure(study, rows, "fairness_weight")
    (path,) = drawing.save([figure], tmp_path, png=True)
    assert path.suffix == ".svg"
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_a_key_holds_letters_digits_and_low_lines_alone():
    assert drawing.key_of("digits:noise=class:0.4,größe") == "digits_noise_class_0_4_größe"


def test_long_names_are_broken_and_cut_in_their_middle_and_short_ones_stay():
    names = ["baseline", "x" * 50, f"dropout=0.1 {'y' * 90} @ digits"]
    short, broken, cut = drawing.fitted(names)
    assert short == "baseline" and broken == f"{'x' * 34}\n{'x' * 16}"
    assert cut.startswith("dropout=0.1") and cut.endswith("@ digits") and "…" in cut and cut.count("\n") == 1


def test_names_that_differ_in_their_middle_alone_stay_different():
    names = [f"{'a' * 100}{place}{'b' * 100}" for place in range(9)]
    assert len(set(drawing.fitted(names))) == 9
    assert drawing.fitted(["same" * 50] * 2) == [drawing.fitted(["same" * 50])[0]] * 2


def test_a_name_of_several_lines_keeps_them_and_nothing_has_no_name():
    assert drawing.fitted(["arm\ndigits", ""]) == ["arm\ndigits", ""] and drawing.fitted([]) == []
