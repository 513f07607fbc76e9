"""When the program began, to a tenth of a second: this is imported among the first."""

import time

BEGAN = time.perf_counter()
