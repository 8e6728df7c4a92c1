"""Nanoseconds that PyPI's lnurl takes to decode each LNURL given as an argument, without its URL
parser, one line each: the median of as many samples as the last argument says. The first line is
its version."""

import importlib.metadata
import statistics
import sys
import time

from lnurl.helpers import url_decode

DECODES_PER_SAMPLE = 20


def sample(lnurl):
    start = time.perf_counter_ns()
    for _ in range(DECODES_PER_SAMPLE):
        url_decode(lnurl)
    return (time.perf_counter_ns() - start) / DECODES_PER_SAMPLE


*lnurls, samples = sys.argv[1:]
print(importlib.metadata.version("lnurl"))
for lnurl in lnurls:
    print(statistics.median(sample(lnurl) for _ in range(int(samples))))
