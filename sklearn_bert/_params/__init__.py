"""Each parameter and fitted attribute that estimators share, written once."""
