"""How ffmpeg shall bring a clip's frames to progressive BT.709 pictures, and what that changes.

Dreams are made in the colors of BT.709 (those of sRGB). What has more of them, or more light, is
converted; what a stream does not say of itself is taken as it is customary.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dreamer.files.coded_colors import BRIGHTEST, STRAIGHT, WHITE


class Stream(NamedTuple):
    """What ffmpeg prints of a stream of pictures.

    Attributes:
        matrix, primaries, transfer: of its colors; empty where it does not say.
        fields: whether its frames are two fields each, interlaced.
        height: of its frames, in pixels.
        alpha: whether it has opacity.
        decoder: of ffmpeg's, where the usual one leaves the opacity out.
    """

    matrix: str
    primaries: str
    transfer: str
    fields: bool
    height: int
    alpha: bool
    decoder: str | None


class Conversion(NamedTuple):
    """What is done to every frame before it is used.

    Attributes:
        fields: filters that bring fields together.
        colors: filters that convert colors.
        matrix: ffmpeg's name of the matrix that is assumed; empty to take the stream's.
        notes: what a person should read about it, each beginning with a verb.
    """

    fields: Sequence[str]
    colors: Sequence[str]
    matrix: str
    notes: Sequence[str]


_PIXELS = re.compile(
    r"Video: (?P<codec>\w+).*?, (?P<pixels>[a-z]\w+)(?:\((?P<about>[^)]*)\))?, \d+x(?P<height>\d+)"
)
_OPAQUE = re.compile("(?!yuva|rgba|bgra|argb|abgr|gbrap|ya8|ya16|pal8)")
_DECODERS: Mapping[str, str] = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""ffmpeg's own decoders of these leave the opacity out."""


def parse_stream(described: str, line: str) -> Stream:
    """Parse what ffmpeg prints of a stream.

    Args:
        described: all that it prints of the file.
        line: the line of the stream.
    """
    found = _PIXELS.search(line)
    if not found:
        return Stream("", "", "", fields=False, height=0, alpha=False, decoder=None)
    about = [part.strip() for part in (found["about"] or "").split(",")]
    # As `top first` or `bottom coded first`.
    orders = [part for part in about if part.startswith(("top", "bottom"))]
    named = [part for part in about if part not in ("tv", "pc", "progressive", "", *orders)]
    # One name stands for all three.
    colors = named[0].split("/") if named else [""]
    matrix, primaries, transfer = colors if len(colors) == 3 else colors[:1] * 3
    behind = described.partition(line)[2].partition("Stream #")[0]
    coded = found["codec"] in _DECODERS and re.search(r"alpha_mode\s*: 1", behind) is not None
    alpha = coded or not _OPAQUE.match(found["pixels"])
    decoder = _DECODERS[found["codec"]] if coded else None
    unknown = {"unknown": "", "reserved": ""}
    matrix, primaries, transfer = (
        unknown.get(each, each) for each in (matrix, primaries, transfer)
    )
    height = int(found["height"])
    return Stream(matrix, primaries, transfer, bool(orders), height, alpha, decoder)


_MAX_SD_HEIGHT = 576
_HIGH: Mapping[str, str] = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
_WIDE: Mapping[str, str] = {
    "bt2020": "BT.2020",
    "smpte428": "XYZ",
    "smpte431": "DCI-P3",
    "smpte432": "Display P3",
}
_CURVES = ("iec61966-2-1", "bt709", "smpte170m", "bt2020-10", "bt2020-12")
"""Curves of an ordinary film; any other one is taken for that of BT.709."""


def plan_conversion(stream: Stream) -> Conversion:
    """Plan what is done to the frames of a stream."""
    fields: list[str] = []
    notes: list[str] = []
    if stream.fields:
        fields = ["bwdif=mode=send_frame"]
        notes.append("is interlaced: the fields of each frame are brought together")
    colors: list[str] = []
    high, wide = _HIGH.get(stream.transfer), _WIDE.get(stream.primaries)
    if high or wide:
        colors = _convert_colors(stream, high=bool(high))
        kind = f"high dynamic range ({high})" if high else f"the colors of {wide}"
        cut = f"; light above {BRIGHTEST} cd/m² becomes white" if high else ""
        notes.append(f"has {kind}: it is converted to BT.709{cut}")
    # By custom, an untagged picture larger than standard definition is BT.709.
    untagged = not (stream.matrix or colors) and stream.height > _MAX_SD_HEIGHT
    return Conversion(fields, colors, "bt709" if untagged else "", notes)


def _convert_colors(stream: Stream, *, high: bool) -> list[str]:
    """Return the filters that bring wide colors, or high dynamic range, to BT.709."""
    curve = stream.transfer if high or stream.transfer in _CURVES else "bt709"
    matrix = stream.matrix or ("bt2020nc" if stream.primaries == "bt2020" else "bt709")
    primaries = stream.primaries or "bt2020"
    given = f"zscale=tin={curve}:pin={primaries}:min={matrix}:d=none:p=bt709:m=gbr:r=full"
    plain = "gbrap" if stream.alpha else "gbrp"
    if not high:
        # The curve is kept, as it is for a film of BT.709.
        return [f"{given}:t={curve}", f"format={plain}"]
    peak = f"{BRIGHTEST / WHITE:.4f}"
    return [
        f"{given}:t=linear:npl={WHITE}",
        "format=gbrpf32le",
        f"tonemap=mobius:param={STRAIGHT}:desat=0:peak={peak}",
        "zscale=tin=linear:t=iec61966-2-1:pin=bt709:p=bt709:min=gbr:m=gbr:r=full:d=none",
        "format=gbrp",
    ]
