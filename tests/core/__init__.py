"""The rules, shown without a server, a store or a kernel."""
