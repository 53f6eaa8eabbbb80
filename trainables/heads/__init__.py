"""What methods train on top of points or features: heads over members, their optimisers and first centroids."""
