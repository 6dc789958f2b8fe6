mkdir -p models/gold && ln -s .. models/gold/again
