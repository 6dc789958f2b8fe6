create role gallery_reader login
