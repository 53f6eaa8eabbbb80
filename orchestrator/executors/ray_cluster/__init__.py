"""A Ray cluster: started for this process, or joined; its folders, processes, nodes and what it offers."""
