"""Snapshots of namespaces: flownb beside dill, cloudpickle and, where it is installed, Kishu."""
