"""Rules that several decisions and views share: who may claim, in which order, what holds a campaign back, when to retry."""
