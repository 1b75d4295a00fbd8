"""Plugins that conform, for vendors to copy from.

`minimal` is one file, the shortest that passes; `solidfire` is complete. They know the contract and nothing
else of this project: arrays are reached over the wire, hypervisors through the bridge the cloud hands over.
"""
