"""Systems that leads live in (CRM, marketing automation, billing): read from, and written back to.

`protocol` says what a connector is; each is a folder of the same files (`describe`, `read`, `map`, `write`). `sync`
brings what they say into the workspace, `push` takes scores back.
"""
