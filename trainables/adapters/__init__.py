"""What trains the methods that a study's file declares: commands, functions, estimators, Lightning modules."""
