"""The SolidFire Element API: JSON-RPC over HTTPS, as its real clients speak it. Nothing in here does I/O.

Simulated, by area:

- cluster: GetAPI, GetClusterInfo, GetClusterVersionInfo, GetClusterCapacity, GetClusterStats, GetClusterState,
  GetClusterFullThreshold, GetClusterMasterNodeID, GetLimits, ListClusterFaults, ListActiveNodes, ListAllNodes,
  ListPendingNodes, ListPendingActiveNodes, ListDrives, ListEvents, ListVirtualNetworks, GetCurrentClusterAdmin,
  ListClusterAdmins;
- accounts: AddAccount, GetAccountByID, GetAccountByName, ListAccounts, ModifyAccount, RemoveAccount;
- volumes: CreateVolume, ModifyVolume(s), DeleteVolume(s), PurgeDeletedVolume(s), RestoreDeletedVolume, ListVolumes,
  ListActiveVolumes, ListDeletedVolumes, ListVolumesForAccount, GetVolumeCount, GetVolumeEfficiency, GetVolumeStats,
  ListVolumeStats, ListVolumeStatsByVolume, ListVolumeStatsByAccount, ListVolumeStatsByVolumeAccessGroup;
- QoS: GetDefaultQoS, SetDefaultQoS, and CreateQoSPolicy, GetQoSPolicy, ListQoSPolicies, ModifyQoSPolicy,
  DeleteQoSPolicy;
- access: Create-, List-, Modify- and DeleteVolumeAccessGroup(s), adding and removing initiators and volumes,
  Get- and ModifyVolumeAccessGroupLunAssignments, Create-, List-, Modify- and DeleteInitiators, ListISCSISessions;
- snapshots: CreateSnapshot, ListSnapshots, ModifySnapshot, DeleteSnapshot, RollbackToSnapshot and their group forms;
- clones: CloneVolume, CloneMultipleVolumes, CopyVolume, CancelClone, CancelGroupClone, GetAsyncResult,
  ListAsyncResults;
- replication: ListClusterPairs and ListActivePairedVolumes, both empty, RemoveVolumePair, which does nothing, and
  ModifyVolumePair, which is xVolumeNotPaired.

Refused with xUnknownAPIMethod, among others: pairing of clusters and volumes, virtual networks and virtual volumes,
schedules, backups (bulk volume jobs), changing drives, nodes and cluster administrators.

Refused as values: `access` snapMirrorTarget, and `enableRemoteReplication` of a snapshot. As no volume is paired, one
with `access` replicationTarget lets nobody in, as if it were locked.
Ignored, as the real array ignores what it does not know: any parameter that the method does not have here,
such as `sliceCount` or `protectionScheme`.

Where no source says what the real array does: an account that still owns volumes is not removed
(xAccountHasVolumes); what does not fit any more is xExceededLimit with maxProvisionedSpace in the text; a
deleted volume where an active one is needed, and the other way round, is xVolumeIDDoesNotExist; a clone in the
making where one is needed that can be used is xSliceNotRegistered; a clone holds what its source
held when it was asked for; rolling back restores a volume's size as well; a
request that is no JSON-RPC is xInvalidAPIParameter; errors travel with HTTP status 200.
"""
