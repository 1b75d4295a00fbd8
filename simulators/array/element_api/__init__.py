"""The SolidFire Element API: JSON-RPC over HTTPS, as its real clients speak it. Nothing in here does I/O.

Simulated: GetAPI, GetClusterInfo, GetClusterVersionInfo, GetClusterCapacity, GetLimits; AddAccount,
GetAccountByID, GetAccountByName, ListAccounts, ModifyAccount, RemoveAccount; CreateVolume, ModifyVolume,
DeleteVolume, PurgeDeletedVolume, RestoreDeletedVolume, ListVolumes, ListActiveVolumes, ListDeletedVolumes,
ListVolumesForAccount, GetVolumeStats, GetDefaultQoS; CreateVolumeAccessGroup, ListVolumeAccessGroups,
ModifyVolumeAccessGroup, DeleteVolumeAccessGroup, AddInitiatorsToVolumeAccessGroup,
RemoveInitiatorsFromVolumeAccessGroup, AddVolumesToVolumeAccessGroup, RemoveVolumesFromVolumeAccessGroup;
ListInitiators, CreateInitiators, ModifyInitiators, DeleteInitiators; ListISCSISessions; CreateSnapshot, ListSnapshots,
ModifySnapshot, DeleteSnapshot, RollbackToSnapshot and their group forms; CloneVolume, CloneMultipleVolumes,
CopyVolume, CancelClone, CancelGroupClone, GetAsyncResult, ListAsyncResults.

Refused with xUnknownAPIMethod, among others: mass changes (DeleteVolumes, PurgeDeletedVolumes, ModifyVolumes);
QoS policies and SetDefaultQoS; ListVolumeStats and its kin; LUN assignments; replication;
ListVirtualNetworks and virtual volumes; drives, nodes, events, faults and cluster administrators.

Refused as values: `access` other than readWrite and locked, `enableRemoteReplication` of a snapshot, and another
group for an initiator in ModifyInitiators.
Ignored, as the real array ignores what it does not know: any parameter that the method does not have here,
such as `sliceCount`, `qosPolicyID` or `protectionScheme`.

Where no source says what the real array does: an account that still owns volumes is not removed
(xAccountHasVolumes); what does not fit any more is xExceededLimit with maxProvisionedSpace in the text; a
deleted volume where an active one is needed, and the other way round, is xVolumeIDDoesNotExist; a clone in the
making where one is needed that can be used is xSliceNotRegistered; a clone holds what its source
held when it was asked for; rolling back restores a volume's size as well; a
request that is no JSON-RPC is xInvalidAPIParameter; errors travel with HTTP status 200.
"""
