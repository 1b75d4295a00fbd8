"""What a run found, for people (`as_text`), for machines (`as_json`) and for build servers (`as_junit`)."""
