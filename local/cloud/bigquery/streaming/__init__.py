"""tabledata.insertAll: from requests into a streaming buffer, and on into the table."""
