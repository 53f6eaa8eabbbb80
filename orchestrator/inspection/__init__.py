"""Looking at a results folder and a machine: nothing here trains or writes rows."""
