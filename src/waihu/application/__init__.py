"""What waihu can do for its users: one module per noun. Transactions begin and end here."""
