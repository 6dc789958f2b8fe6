# A link that leads nowhere: file modes do not stop root.
mkdir models && ln -s ../gone.sql models/orders.sql
