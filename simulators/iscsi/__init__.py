"""A sans-IO iSCSI core with both roles, a SCSI device server behind it, and thin transports around it.

Roles: `server.TargetServer` (asyncio) and `memory.MemoryTarget` (no sockets) serve a `backend.Fabric`;
`initiator.Initiator` logs in over `byte_stream.dial_socket` or over `MemoryTarget.dial`. Pure: `codec`,
`*_machine`, `scsi/`, and what they use.

Simulated, iSCSI (RFC 7143): login with security and operational stages, in one PDU or several; CHAP with MD5
and SHA-256, one-way and mutual, for discovery sessions too where the fabric has accounts for them; SendTargets;
several portals in one portal group or more; header and data digests (CRC32C); immediate and unsolicited data,
R2T, Data-In with phase collapse; residuals; the command window; NOP both ways; logout; ABORT TASK, ABORT TASK
SET, CLEAR TASK SET, LOGICAL UNIT RESET, TARGET WARM and COLD RESET; Reject; session reinstatement. Error recovery
level 0: a wrong header digest ends the connection, a wrong data digest the command. One connection per session.

Simulated, SCSI (SPC-4, SBC-3): the commands of `scsi.command_table`, which docs/scsi-commands.md lists: among
them READ, WRITE, VERIFY, WRITE AND VERIFY in all lengths, COMPARE AND WRITE, ORWRITE, WRITE ATOMIC, WRITE SAME and
UNMAP, GET LBA STATUS, persistent reservations of all six types (kept through a power loss where APTPL asks for
it), RESERVE and RELEASE, MODE SENSE and SELECT (caching, control with SWP, logical block provisioning with one
soft threshold), LOG SENSE (logical block provisioning), EXTENDED COPY (LID1) from blocks to blocks between units of
one nexus, REPORT TARGET PORT GROUPS (one group, active/optimized). VPD 00, 80, 83, 86, B0, B1, B2; fixed format
sense; unit attentions 29/03, 2A/01, 2A/03, 2A/04, 2A/05, 2A/09, 2F/00, 38/07, 3F/0E, and 29/00 on request.

Refused, iSCSI: markers (`Reject`), a second connection and the reinstatement of the first (login status 0206),
Kerberos and SRP (0201), recovery logout (response 2), TASK REASSIGN (response 4), CLEAR ACA (response 5), SNACK and
vendor opcodes (Reject 05), bidirectional commands (Reject 09), extended CDBs (20/00), renegotiation in the full feature
phase (`Reject`, but for MaxRecvDataSegmentLength), login redirection (never sent).

Refused, SCSI: every other operation code (20/00), among them SANITIZE, FORMAT UNIT, WRITE BUFFER and token-based
copies; other service actions, among them REGISTER AND MOVE and SET TARGET PORT GROUPS (24/00); protection
information, grouping (but in PRE-FETCH, where it changes nothing), NACA, anchors, SPEC_I_PT, ALL_TG_PT, power
conditions, ejecting, and every reserved bit (24/00, 26/00); other pages and subpages (24/00), saved mode values
(39/00); well-known logical units and multi-level LUNs (25/00). Task attributes are all treated as SIMPLE, and
descriptor format sense is not offered.

Deviations: one on purpose. ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET and TARGET WARM RESET are answered at
once; §4.2.3.3 wants them to wait for the data of R2Ts that the initiator has not answered yet. The initiator of Linux
does not send these data by default (FastAbort), and would give up the session; data that do come are taken and dropped.

Where the standards leave a choice: a nexus starts without unit attention 29/00 unless `power_on_attention` is set:
SAM-5 wants it, the common targets differ, and simple tools do not expect it. PRE-FETCH answers GOOD, as a device
whose cache has no room; a reset is told to the nexus that asked for it too, as SAM-5 has it. A command whose R or W bit
is of the other direction ends GOOD, and its residual says that nothing was transferred.
"""
