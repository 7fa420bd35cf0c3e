"""The published figures: each benchmark runs a floor beside waihu in one go and puts their ratio first.

`make bench`, or `python -m bench NAME…`. docs/performance.md says what is measured and how.
"""
