: > target
