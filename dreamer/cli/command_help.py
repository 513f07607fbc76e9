"""What the help of each command that runs a job says, and the examples that it shows."""

from collections.abc import Mapping
from typing import NamedTuple


class Text(NamedTuple):
    """A command's help, and its examples."""

    help: str
    examples: str


TEXTS: Mapping[str, Text] = {
    "image": Text(
        """Dream on photos.

    What no option sets is as the preset says, or as usual without one.
    """,
        """Examples:

dream image photo.jpg  ·  the default dream, written beside the photo

dream image photo.jpg --of birds --of vaults=0.5  ·  in words

dream image photo.jpg -m googlenet -l mixed4d:139 --motif 0.8-0.2

dream image a.jpg b.jpg -p pagodas -o out/

dream image holiday/  ·  every photo in a folder, into holiday/dreams/

dream image photo.jpg --draft  ·  a quarter of the time; then --finish photo-draft.png

dream image photo.jpg --watch mine.toml --size 480  ·  redrawn on each save

dream image photo.jpg --vary layers=mixed3b,mixed4c --vary strength=10,20  ·  a grid

dream image --noise 1280x720 -l mixed4d  ·  a picture grown from nothing

dream image photo.jpg -p finished.png  ·  the recipe inside a finished picture
""",
    ),
    "video": Text(
        """Make a film: each frame of a photo's film is moved a little and dreamt again.

    On a clip, the dream follows the clip's own motion, and its sound stays. A film that was
    stopped goes on when the same command is run again.
    """,
        """Examples:

dream video photo.jpg  ·  ten seconds of zoom, written beside the photo

dream video photo.jpg --motion spiral --seconds 30 -l mixed4d -o spiral.mp4

dream video photo.jpg --loop --seconds 6 --size 480 -o loop.gif --max-mb 8

dream video photo.jpg -l "0:mixed3b, 4s:mixed4c" --zoom "0:(1.0), 96:(1.03, ease-in)"

dream video clip.mp4 -p pagodas  ·  the dream follows the clip's own motion; the sound stays

dream video clip.mp4 --from 0:10 --to 0:15 --strength 15 --mask mask.mp4 -o part.mp4

dream video --noise 1280x720 -p finished.png  ·  a picture's look, grown from nothing
""",
    ),
    "class": Text(
        """Grow the picture that a classifier takes for a class; several classes make a sheet.

    The scores of each class before and after are printed, and the likeliest classes of the finished
    picture. What no option sets is as the preset says, which is `class` unless one is given.
    """,
        """Examples:

dream class magpie  ·  the picture that googlenet takes for a magpie

dream class goldfish hen "sea snake" -o birds-and-others.png  ·  a sheet

dream class 394 n01751748 --each -o classes/  ·  by number, by WordNet id, into single files

dream class hen --diverse 4  ·  four different pictures of one class

dream class magpie -m my.keras --labels names.txt  ·  on a classifier of your own

dream class magpie --vary parametrization=fourier,pixels --vary seed=1,2,3  ·  a grid

dream class hen -p class-median --film hen.mp4  ·  another preset, and the ascent as a film
""",
    ),
    "filters": Text(
        """Show what channels want to see: pictures grown from noise, as a labeled contact sheet.

    What no option sets is as the preset says, which is `filters` unless one is given.
    """,
        """Examples:

dream filters mixed4d  ·  the first 25 channels of a layer, as a contact sheet

dream filters mixed4d:139,62 mixed4c:447 -m googlenet --size 256  ·  channels by number

dream filters convolutions --first 25  ·  of all convolutions, a sheet for each layer

dream filters "mixed??" --all -m googlenet  ·  every channel of every block; goes on if stopped

dream filters mixed4d:139 --diverse 4  ·  four different pictures of one channel

dream filters mixed4d:139,62 --between 7  ·  the way from one channel to another, in a row

dream filters mixed4d:139,62 --between 96 --film way.mp4  ·  the same as a film

dream filters mixed4d:139 --film growing.mp4  ·  the ascent itself, a frame per step

dream filters mixed4d:0-3 --vary parametrization=fourier,pixels  ·  a row for each

dream filters mixed3b:7 --unit --size 224  ·  one unit, cropped to what it can see

dream filters mixed4d --on photo.jpg  ·  the channels that a photo excites most

dream filters mixed4d:139 --init photo.jpg  ·  grown from a photo
""",
    ),
    "search": Text(
        """Dream by many recipes, drawn at random, and show them side by side.

    A preset for each lies in a folder beside the sheet. What an option or the preset sets stays as
    it is. A search that was stopped goes on when the same command is run again.
    """,
        """Examples:

dream search photo.jpg  ·  sixteen dreams at random, as photo-search.png

dream search photo.jpg --pick r2c3=amber  ·  keep one; then dream image photo.jpg -p amber

dream search photo.jpg --around amber -n 9 --seed 2  ·  small steps from it

dream search photo.jpg -l mixed4d --strength 20  ·  what is set stays, all else is searched

dream search photo.jpg --over layers,strength --over rate=0.002..0.05 --over blur=0,0.5

dream search --noise 400x300 -m googlenet -n 25
""",
    ),
    "exemplars": Text(
        """Find the photos that excite channels most, and where in them: the strongest first.

    A photo is ranked by the strongest cell of the channel's grid. The sheet shows it whole, with
    what that cell sees in a frame, and the patch below, beside what the channel wants to see and
    the mean of the patches. Memory does not grow with the folder. `dream filters --init` grows a
    picture from a mean.
    """,
        """Examples:

dream exemplars photos/ mixed4c:11,45  ·  two channels on one sheet

dream exemplars photos/ mixed4d:66 -m googlenet -o 66.png -o 66.csv  ·  a sheet and a table

dream exemplars photos/ mixed4d:66 -m googlenet --mean 66-mean.png  ·  to grow a picture from
""",
    ),
    "compare": Text(
        """Compare the activations of two pictures, layer by layer.

    The sheet lights each picture where the layer answers, puts the strengths of all channels in A
    (across) against those in B (upward), and shows the channel that most tells A from B, and the
    one that most tells B from A, in both. The summary names the strongest channels of each, and
    those that differ most. A correlation of 1 means that the layer cannot tell them apart. The
    distance tells how far a picture's activations are from those of photos.
    """,
        """Examples:

dream compare magpie-photo.jpg magpie.png -m googlenet  ·  a sheet, and a summary of every layer

dream compare photo.jpg photo-dream.png -o both.png -o both.csv  ·  every channel in a table

dream compare a.jpg b.jpg -l mixed3b -l mixed4d  ·  these layers only
""",
    ),
}
"""By the name of the command."""
