"""A store in a PostgreSQL database: any number of workers of any number of machines."""
