"""The SCSI device server behind the target: what a block device needs of SPC-4 and SBC-3, no more."""
