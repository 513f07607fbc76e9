"""Jobs: one run of each kind of work, from a request that is plain data to finished files.

A job takes a request, a sink for events and a flag to stop; it knows neither a terminal nor a
browser nor signals (see `run`).
"""
