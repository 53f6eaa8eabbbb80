"""What is made of a dataset under the options of its reference: shares of classes, axes, features, given labels."""
