"""What machines and administrators ask of a running waihu: health, metrics, and the reference of its APIs."""
