"""Work over all visitors, or an export of them, by several processes or by Spark: counting, simulating, rebuilding."""
