"""Query jobs: SELECT into a table of results, DML and DDL on the tables themselves."""
