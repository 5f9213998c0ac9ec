"""Services: how a step's call reaches the outside. Plain JSON in, plain JSON or a typed error out."""
