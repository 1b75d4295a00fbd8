"""A sans-IO iSCSI core with both roles, a SCSI device server behind it, and thin transports around it.

Roles: `server.TargetServer` (asyncio) and `memory.MemoryTarget` (no sockets) serve a `backend.Fabric`;
`initiator.Initiator` logs in over `byte_stream.dial_socket` or over `MemoryTarget.dial`. Pure: `codec`,
`*_machine`, `scsi/`, and what they use.

Simulated, iSCSI (RFC 7143): login with security and operational stages, in one PDU or several; CHAP with MD5
and SHA-256, one-way and mutual; discovery and normal sessions; SendTargets; immediate and unsolicited data,
R2T, Data-In with phase collapse; residuals; the command window; NOP, logout, ABORT TASK, ABORT TASK SET,
CLEAR TASK SET, LOGICAL UNIT RESET; Reject; session reinstatement. Error recovery level 0, one connection per
session, one portal group.

Simulated, SCSI (SPC-4, SBC-3): INQUIRY and VPD 00, 80, 83, B0, B2; REPORT LUNS; TEST UNIT READY; REQUEST
SENSE; MODE SENSE 6 and 10 (caching, control); READ CAPACITY 10 and 16; READ and WRITE 6, 10, 12, 16 with DPO
and FUA; UNMAP on thin units; SYNCHRONIZE CACHE 10 and 16; fixed format sense; unit attentions 29/03, 2A/09,
3F/0E, and 29/00 on request.

Refused, iSCSI: digests (answered `None`, or `Reject` when nothing else is offered), markers (`Reject`), a
second connection (login status 0206), Kerberos and SRP (0201), recovery logout (response 2), TASK REASSIGN
(response 4), CLEAR ACA and target resets (response 5), SNACK and vendor opcodes (Reject 05), bidirectional
commands and extended CDBs (Reject 09), renegotiation in the full feature phase (`Reject`, but for
MaxRecvDataSegmentLength), login redirection (never sent).

Refused, SCSI: every other operation code (20/00), among them WRITE SAME, COMPARE AND WRITE, VERIFY, GET LBA
STATUS, MODE SELECT, PERSISTENT RESERVE, EXTENDED COPY and REPORT SUPPORTED OPERATION CODES; protection
information, grouping, NACA and every reserved bit (24/00); other pages and subpages (24/00), saved mode
values (39/00); well-known logical units and multi-level LUNs (25/00). Task attributes are all treated as
SIMPLE, and descriptor format sense is not offered.

Deviations: none on purpose. A nexus starts without unit attention 29/00 unless `power_on_attention` is set:
SAM-5 wants it, the common targets differ, and simple tools do not expect it.
"""
