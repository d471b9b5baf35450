"""What predictions are worth, once the truth is known: labels joined in BigQuery."""
