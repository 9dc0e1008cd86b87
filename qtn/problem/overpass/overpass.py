"""The root of satellites that pass over stations."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from qtn import _ranges as within
from qtn.merit.quantities import QUANTITIES, Better, Delivered, Quantity
from qtn.orbits import read_pass
from qtn.problem import number as unit
from qtn.problem.line.line import OF_PULSES, ONLY
from qtn.problem.line.tables import SHORT, Detector, EntangledLight, WeakPulses
from qtn.problem.number import TOWARDS_ONE, Number
from qtn.problem.overpass.build import highest_mask, stations_of
from qtn.problem.overpass.rows import pass_rows
from qtn.problem.overpass.tables import Background, Geometry, NightTable, Optics, Place
from qtn.problem.root import Root
from qtn.problem.table import Document, is_model
from qtn.qkd.overpasses import Nights, Stations

Row = partial(Quantity, in_use=True)
MORE, LESS = Better.MORE, Better.LESS


def _of(read: Callable[[Stations], Any]) -> Callable[[Delivered], Any]:
    return lambda delivered: read(delivered.setting.chain)  # pyright: ignore[reportOptionalMemberAccess]


# fmt: off
OF_STATIONS: dict[str, Quantity] = {each.name: each for each in (
    Row("num_passes", "", "passes", _of(lambda every: every.num_passes)),
    Row("contact_time_s", "s", "time in sight, all passes", _of(lambda every: every.contact_time)),
    Row("sifted_bits", "bit", "sifted bits, weather counted",
        lambda d: _of(lambda every: every.span)(d) / d.result.mean_time, better=MORE),
    Row("least_loss_db", "dB", "least loss of all passes", _of(lambda every: every.least_loss), better=LESS),
)}
"""What is true of passes, whatever becomes of them."""

OF_KEYS: dict[str, Quantity] = {each.name: each for each in (
    Row("finite_key_rate_hz", "bit/s", "finite-key rate, all passes", lambda d: d.use.key.rate, clipped=True,
        better=MORE, per_pair=1.0),
    Row("key_bits", "bit", "key of the best pass", lambda d: d.use.key.session.key_bits, clipped=True, better=MORE),
    Row("time_to_key_s", "s", "mean time between keys", lambda d: d.use.key.time_to_key, better=LESS),
    Row("total_key_bits", "bit", "key of all passes", lambda d: d.use.total_bits, clipped=True, better=MORE),
    Row("yearly_key_bits", "bit", "key of a year", lambda d: d.use.yearly_bits, clipped=True, better=MORE),
    Row("buffer_bits", "bit", "store for use at a constant rate", lambda d: d.use.buffer().capacity, better=LESS),
)}
"""What keys of passes add up to."""
# fmt: on


def parts_fit(table: Document) -> Iterator[tuple[str, str]]:
    """Geometry, stations, night and the keys of detectors go with each other and with the source."""
    source, geometry = table.get("source"), table.get("geometry")
    model = source.get("model") if isinstance(source, dict) else None
    shape = geometry.get("model") if isinstance(geometry, dict) else None
    places = table.get("stations")
    count = len(places) if isinstance(places, list) else 0
    if shape in ("static", "table"):
        for key in ("stations", "night", "start_s"):
            if key in table:
                yield key, f'is for geometry.model = "orbit", but the geometry is "{shape}"; remove it'
        if model == "entangled_light":
            yield "source.model", 'is "entangled_light", for two stations: use geometry.model = "orbit" and name both'
    if shape == "table" and "mask_deg" in table:
        yield "mask_deg", "does not go with a table, all of whose points count: leave out points instead, or the mask"
    least, most = (2, 2) if model == "entangled_light" else (1, 2)
    if shape == "orbit" and not least <= count <= most:
        wanted = "two" if least == 2 else "one or two"
        yield "stations", f"must hold {wanted} tables [[overpass.stations]], but holds {count}"
    yield from detector_fits(table, model)


def detector_fits(table: Document, model: Any) -> Iterator[tuple[str, str]]:
    """Keys of the detector and the sky are those that go with the source."""
    detector, sky = (table.get(key, {}) for key in ("detector", "background"))
    for owner, tables in ONLY.items() if model in list(ONLY) else ():
        for key in tables["detector"] if owner != model else ():
            if isinstance(detector, dict) and key in detector:
                yield f"detector.{key}", f'goes with source.model = "{owner}", but the source is "{model}"; remove it'
    if model == "entangled_light" and isinstance(detector, dict) and "window_s" not in detector:
        yield "detector.window_s", "is missing; add `window_s = ...`, in which two clicks coincide"
    if isinstance(sky, dict) and sky:
        if model == "weak_pulses" and "gate_s" not in sky:
            yield "background.gate_s", "is missing; add `gate_s = ...`, in which a pulse may click"
        if model == "entangled_light" and "gate_s" in sky:
            yield "background.gate_s", "is for weak pulses; pairs have detector.window_s: remove it"


class Overpass(Root):
    """Satellites, the stations that they pass, and the light that comes down."""

    rules = (parts_fit,)

    geometry: Geometry = Field(description="How the satellites pass")
    stations: list[Place] = Field(default=[], description="One, or two that both see satellites", max_length=2)
    mask_deg: Annotated[
        float, Number("Elevation above which stations work", within.Range(0.0, 90.0, upper_closed=False), unit=unit.DEG)
    ] = 10.0
    start_s: Annotated[
        float, Number("When it is looked for passes first", within.Range(-1e9, 1e9), unit=unit.S, traced=False)
    ] = 0.0
    duration_s: Annotated[
        float,
        Number(
            "How long it is looked for passes: what keys add up over", within.Range(1.0, 1e9), unit=unit.S, traced=False
        ),
    ] = 86_400.0
    clear_probability: Annotated[
        float, Number("Of a clear sky, at each station and pass", within.PROBABILITY, TOWARDS_ONE)
    ] = 1.0
    optics: Optics
    source: Annotated[WeakPulses | EntangledLight, Field(discriminator="model", description="What sends light")]
    detector: Detector = Detector()
    background: Background | None = None
    night: NightTable | None = None

    @classmethod
    def _read_pass(cls, table: dict[str, Any], key: str, folder: Path) -> list[str]:
        """Read the table of a pass from the file that it names; return what is wrong with it."""
        geometry = table.get("geometry")
        if not isinstance(geometry, dict) or "file" not in geometry:
            return []
        path = geometry.pop("file")
        known = [each for each in ("time_s", "elevation_deg", "range_km") if each in geometry]
        geometry |= {"time_s": [0.0, 1.0], "elevation_deg": [90.0, 90.0], "range_km": [500.0, 500.0]}
        if geometry.get("model") != "table":
            return [f'{key}.geometry.file: is for geometry.model = "table"; remove it, or change the model']
        if not isinstance(path, str) or known:
            return [
                f"{key}.geometry.file: must name a table in CSV, without {known[0] if known else 'anything'} beside"
            ]
        try:
            seen = read_pass(folder / path)
        except OSError as error:
            return [f"{key}.geometry.file: {path!r:.200} cannot be read: {error.strerror}"]
        except ValueError as error:
            return [f"{key}.geometry.file: {error}"]
        geometry["time_s"] = seen.time[0].tolist()
        geometry["elevation_deg"] = (seen.elevation[0] / unit.DEG.factor).clip(0.0, 90.0).tolist()
        geometry["range_km"] = (seen.slant_range[0] / unit.KM.factor).tolist()
        return []

    @classmethod
    def complete(cls, table: dict[str, Any], key: str, folder: Path) -> list[str]:
        """Read the table of a pass, and write out intensities, probabilities and a detector, which have derivatives."""
        errors = cls._read_pass(table, key, folder)
        table.setdefault("detector", {})
        source = table.get("source")
        if isinstance(source, dict) and is_model(WeakPulses, source.get("model")):
            errors += WeakPulses.complete(source, f"{key}.source")
        return errors

    @classmethod
    def build(cls, table: Document) -> Stations:
        """Build what comes down, from a table without None, whose numbers may be traced."""
        return stations_of(table)

    @classmethod
    def evaluator(cls, config: Any) -> Nights:
        """Return what evaluates passes."""
        return Nights()

    @classmethod
    def title(cls, table: Document) -> str:
        """Name the source and how it passes."""
        return f"{str(table['source']['model']).replace('_', ' ')} from satellites ({table['geometry']['model']})"

    @classmethod
    def quantities(cls, table: Document) -> Mapping[str, Quantity]:
        """Return those of pairs for entangled light, those of sifted bits for pulses, and those of passes."""
        source = table.get("source")
        pulsed = isinstance(source, dict) and source.get("model") == "weak_pulses"
        return {**(OF_PULSES if pulsed else QUANTITIES), **OF_STATIONS}

    @classmethod
    def of_use(cls, application: Document) -> Mapping[str, Quantity]:
        """Return what keys of passes add up to."""
        return OF_KEYS if application.get("model") == "key" else {}

    @classmethod
    def rows(cls, evaluation: Any) -> dict[str, Any]:
        """Return one row for each pass, and the course of the best one."""
        return pass_rows(evaluation)

    @classmethod
    def highest(cls, table: Document, name: str) -> float | None:
        """Return how high satellites can stand, beyond which no mask lets them pass."""
        return highest_mask(table) if name == "mask_deg" else None

    @classmethod
    def forms(cls, table: Document, pattern: str) -> list[str]:
        """Return the numbers that stand in place of a list of intensities or probabilities."""
        *path, last = pattern.removesuffix(".*").split(".")
        return [".".join([*path, key]) for key in SHORT.get(last, ())] if path == ["overpass", "source"] else []
