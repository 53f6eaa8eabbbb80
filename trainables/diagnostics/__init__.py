"""What methods log besides metrics, one file a family of methods; nothing here trains."""
