"""Plans without proof: replication, packing, and search over both."""
