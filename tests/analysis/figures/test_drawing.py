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
