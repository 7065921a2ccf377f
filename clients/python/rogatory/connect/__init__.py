"""A drop folder for case management systems: files in, messages out, and the other way round.

What a case system puts into one folder is sent, once; what arrives is verified and written into
another, once; whatever happens to the process in between. See docs/connect.md.

.. code-block:: text

    webhooks    notices over HTTP: signed, and checked by whoever receives them
    disk        the steps on disk, each durable when it returns
    jobs        what a job says, read strictly
    taking      jobs in the folder: which are complete, and copies of them that nobody can change
    journal     what is known of each job, across crashes
    status      sidecar files
    patience    which failures are for good, and when to try again
    outgoing    from a job to an answer
    incoming    from a delivery to a folder of readable files
    readable    a message as files that need no protobuf
    hooks       notices that wait for their receivers
    service     all of it, until told to stop
"""

from __future__ import annotations

from rogatory.connect.webhooks import Notice, verify_webhook

__all__ = ["Notice", "verify_webhook"]
