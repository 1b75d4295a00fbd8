"""Plugins that conform, for vendors to copy from.

`minimal` is one file, the shortest that passes; `solidfire` is complete; `zadara` is for arrays with one target for all
LUNs, numbers for each host, one CHAP secret and neither QoS nor marks. They know the contract and nothing
else of this project: arrays are reached over the wire, hypervisors through the bridge the cloud hands over.
"""
