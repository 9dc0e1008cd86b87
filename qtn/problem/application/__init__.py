"""What delivered pairs are used for: the table [application], one file for each model."""
