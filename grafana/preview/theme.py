"""Colours of the picture: those of Grafana's dark theme."""

from grafana.panel import COLOURS, Panel

PAGE, CARD, EDGE, TEXT, FAINT, GRID = "#111217", "#181b1f", "#2c3036", "#d8d9da", "#8e9197", "#2a2e35"
NAMED = {
    "green": "#73bf69",
    "red": "#f2495c",
    "dark-red": "#a3283a",
    "orange": "#ff9830",
    "yellow": "#fade2a",
    "blue": "#5794f2",
    "light-blue": "#8ab8ff",
    "purple": "#b877d9",
    "text": "#8e9197",
}
CLASSIC = (
    "#7eb26d",
    "#eab839",
    "#6ed0e0",
    "#ef843c",
    "#e24d42",
    "#1f78c1",
    "#ba43a9",
    "#705da0",
    "#508642",
    "#cca300",
    "#447ebc",
    "#c15c17",
)
WORDS = {word: NAMED[colour] for colour, words in COLOURS.items() for word in words.split()}


def of_series(name: str, index: int) -> str:
    """Return the colour of a line: that of its name if it has one."""
    return WORDS.get(name, CLASSIC[index % len(CLASSIC)])


def of_value(panel: Panel, value: float) -> str:
    """Return the colour that the limits or the texts of *panel* give to *value*."""
    if panel.texts and value in panel.texts:
        return NAMED[panel.texts[value][1]]
    reached = [colour for limit, colour in panel.limits if value >= limit]
    return NAMED[reached[-1]] if reached else NAMED[panel.limits[0][1]] if panel.limits else TEXT
