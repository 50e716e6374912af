"""The rules as data, one family a file; `detectors.catalogue` joins them. What finds them stands in the detectors beside."""
