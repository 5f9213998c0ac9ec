"""How a journal shows whether its bytes can be believed: by the mode of its file.

After a failed sync the page cache can no longer be believed. The kernel reports the failure once, then takes pages for
clean that never reached the disk, and shows them to everybody who reads. A process that died with this knowledge can
tell nobody. So it is not failure that is marked, but proof:

    0600  at rest     every byte is known to be synced
    0700  in flight   somebody is writing, or was, and has not proved that all of it was synced

Whoever finds a journal in flight and undriven copies its bytes to a new file, syncs that and renames it over the old
one, before anything else is appended. Read back from a page cache in doubt or not, what was copied is then on the disk.

A mode is enough for a mark because it lives in the same memory as the pages: a machine that lost power has lost the
doubtful pages too, and what it reads afterwards is what the disk holds. A mark left over only costs a copy.

A handle whose own write or sync failed adds FAILED, so that others who hold the file open stop at once.
"""

from __future__ import annotations

import stat as modes

from wfrun.journal.io import FILE_MODE

AT_REST = FILE_MODE
IN_FLIGHT = FILE_MODE | modes.S_IXUSR
FAILED = modes.S_ISVTX
IN_DOUBT = modes.S_IXUSR | FAILED
