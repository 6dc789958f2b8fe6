create role gallery_writer login; create schema analytics authorization gallery_writer
