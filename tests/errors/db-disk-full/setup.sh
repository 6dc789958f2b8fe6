chmod 755 .. .
