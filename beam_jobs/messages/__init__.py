"""From Pub/Sub messages to rows: collecting them, naming each request, parsing payloads."""
