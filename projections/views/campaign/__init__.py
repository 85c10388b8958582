"""The view of a campaign and the folds that keep it."""
