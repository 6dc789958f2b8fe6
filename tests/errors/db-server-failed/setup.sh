# The server's user, where it is another one, must get here.
chmod 755 .. . bin
chmod 755 bin/*
