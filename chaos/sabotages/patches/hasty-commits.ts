/** Taken up by every connection to PostgreSQL that says nothing else of its own. */
process.env["PGOPTIONS"] = "-c synchronous_commit=local";
