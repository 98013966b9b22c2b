// The gauges of one scrape. Private to metrics.cpp.
#pragma once

#include <vector>

#include <prometheus/metric_family.h>

#include "daemon/metrics.h"

namespace runbookd::daemon {

std::vector<prometheus::MetricFamily> gauges_of(Standing const& standing, int event_streams);

}  // namespace runbookd::daemon
