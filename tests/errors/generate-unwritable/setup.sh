: > out
