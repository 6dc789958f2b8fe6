mkdir models && : > "models/$(printf 'orders\tnew').sql"
