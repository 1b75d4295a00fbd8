"""Generated PDUs against both iSCSI machines, in memory: `python -m tests.fuzz --pdus 1000000`.

Whatever arrives, a machine must end in a legal state or with its typed protocol error: never another exception, never
a hang, never more memory than it has promised. Everything follows from the seed.
"""
