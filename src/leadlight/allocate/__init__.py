"""A limited resource given to the ranked list: agents' hours to tickets, GPUs to workloads, calls to leads."""
