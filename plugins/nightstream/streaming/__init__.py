"""From a declared streaming job to a running one: names, tables, what is to be done, the launch."""
