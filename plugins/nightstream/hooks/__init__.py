"""Google's services, with the credentials of an Airflow connection."""
