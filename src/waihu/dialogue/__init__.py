"""The pure core that decides what an agent says next, on the phone and by text alike."""
