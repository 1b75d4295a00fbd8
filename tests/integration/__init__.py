"""The installed command and the whole chain over real sockets, as whoever uses them meets them."""
