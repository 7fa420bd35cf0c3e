"""`waihu demo`: the main job on this machine, with the public telephone network in a box."""
