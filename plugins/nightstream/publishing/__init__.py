"""Replaces exactly one partition for each night, one publisher at a time.

`ledger` is what is known of a night's publication, `decision` what a publisher may do about it;
both are pure. `publisher` acts, `ledgers` and `loads` are its two borders.
"""
