"""Where parallel text comes from, one file per source."""
