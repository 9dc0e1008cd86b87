"""Passes from tables in CSV."""

import jax
import numpy as np
import pytest

from qtn.orbits import at_rest, from_table, read_pass

GOOD = "range_km, time_s,elevation_deg,note\n1000,0,20,a\n900,60,30,b\n1000,90,20,c\n"


def test_a_table_is_a_pass(tmp_path):
    (tmp_path / "pass.csv").write_text(GOOD)
    seen = read_pass(tmp_path / "pass.csv")
    np.testing.assert_allclose(seen.time, [[0, 60, 90]])
    np.testing.assert_allclose(np.degrees(seen.elevation), [[20, 30, 20]])
    np.testing.assert_allclose(seen.slant_range, [[1e6, 9e5, 1e6]])
    np.testing.assert_allclose(seen.dwell, [[30, 45, 15]])
    assert seen.duration == pytest.approx(90)


def test_a_fine_table_is_the_pass_that_it_was_made_from():
    exact = at_rest(500e3, 645e3, duration=200.0, num_nodes=65)
    fine = from_table(exact.time[0], exact.elevation[0], exact.slant_range[0])
    sums = [np.sum(each.dwell / each.slant_range**2) / np.sum(each.dwell) for each in (exact, fine)]
    np.testing.assert_allclose(*sums, rtol=3e-4)  # trapezoids of some seconds
    slope = jax.grad(lambda d: (from_table(exact.time[0], exact.elevation[0], d).slant_range ** 2).sum())
    np.testing.assert_allclose(slope(exact.slant_range[0]), 2 * exact.slant_range[0])


BAD = {
    "order": (GOOD.replace("60", "95"), "90 s follows 95 s (points 2 and 3). Sort the table"),
    "twice": (GOOD.replace("60", "0"), "0 s follows 0 s"),
    "column": (GOOD.replace("range_km", "range"), "must name the column range_km once"),
    "double": (GOOD.replace("note", "time_s"), "must name the column time_s once"),
    "word": (GOOD.replace("900", "far"), "line 3: range_km must be a number, but is 'far'"),
    "nan": (GOOD.replace("900", "nan"), "line 3: range_km must be positive and finite, but is nan"),
    "steep": (GOOD.replace("30", "91"), "elevation_deg must lie in [0, 90], but is 91"),
    "short_line": (GOOD + "5\n", "line 5: time_s must be a number, but is ''"),
    "one_row": ("time_s,elevation_deg,range_km\n0,10,1000\n", "must hold at least two times"),
    "empty": ("", "must name the column time_s once"),
    "quotes": ('time_s,elevation_deg,range_km\n"0,1,2\n', "is no table in CSV"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_errors(tmp_path, text, message):
    path = tmp_path / "pass.csv"
    path.write_text(text)
    with pytest.raises(ValueError) as error:
        read_pass(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_a_table_that_is_no_text(tmp_path):
    (tmp_path / "pass.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="UTF-8"):
        read_pass(tmp_path / "pass.csv")
