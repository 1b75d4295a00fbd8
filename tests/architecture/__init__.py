"""What is true of the whole tree, and no single package's business."""
