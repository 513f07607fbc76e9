"""When the program began, as nearly as it can tell itself: this is imported before all else."""

import time

BEGAN = time.perf_counter()
