"""The only place where concrete things meet.

`application.py` is what commands and the API are given, `api.py` and `engine.py` are the two processes, `watch.py` is
what can be asked of a running waihu about itself. They are apart so that a command does not load a web server.
"""
