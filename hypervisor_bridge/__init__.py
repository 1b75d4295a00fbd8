"""Turns a LUN into a datastore, one package per hypervisor; it knows the contract and nothing else of ours."""
